//! 1ShoppingCart: its documents, its notifications, and every call whose answer is read.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use adapters::codec;
use adapters::one_shopping_cart::{
    self, Notification, read_list_document, read_notification, read_order_document,
};
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::limits;
use domain::money::Currency;
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::{PostAnswer, ProductSource, Read, SinkMode, Store, Window};
use domain::{Failure, OrderId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::outside::{self, Exchange, Given, give, outcome};
use crate::target::{Verdict, is_exact, refusal};

pub(crate) const WORDS: &[&str] = &[
    "<Response success=\"true\">",
    "</Response>",
    "<OrderInfo>",
    "</OrderInfo>",
    "<Id>",
    "</Id>",
    "<LineItems>",
    "</LineItems>",
    "<LineItemInfo>",
    "</LineItemInfo>",
    "<Quantity>1</Quantity>",
    "<Sku>",
    "</Sku>",
    "<GrandTotal>",
    "</GrandTotal>",
    "<UnitPrice>",
    "</UnitPrice>",
    "<Comments>",
    "</Comments>",
    "<OrderShippingProfileInfo>",
    "</OrderShippingProfileInfo>",
    "<Name>",
    "</Name>",
    "<CountryName>",
    "<StateName>",
    "<ShippingTrackingMethods>",
    "</ShippingTrackingMethods>",
    "<TrackingNumber>",
    "</TrackingNumber>",
    "<OrderDate>",
    "<UpsellOrders><Orders>",
    "<Error code=\"2040\">",
    "</Error>",
    "<Orders>",
    "</Orders>",
    "<Order xlink:href=\"https://x/7\"/>",
    "<NextRecordSet><LimitOffset>100</LimitOffset></NextRecordSet>",
    "<ClientInfo><Email>",
    "</Email></ClientInfo>",
    "<ProductInfo>",
    "<ProductSku>",
    "<NewOrder><Token>",
    "</Token></NewOrder>",
    "<OrderStatusChange>",
    "LIST READ UPDATE",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
    "<?pi ?>",
    "<!DOCTYPE a [",
    "]>",
    "<!ENTITY a \"b\">",
    "&amp;",
    "&#0;",
    "&#x10ffff;",
    "&#xd800;",
    "&nbsp;",
    "&a;",
    "&",
    "<",
    "/>",
    " xsi:nil=\"true\"",
    " a='1'",
    " success=\"false\"",
    "mark@q7.example",
    "read 200\n",
    "list 500 7\n",
    "shown 200\n",
    "post 404\n",
    "client 200\n",
    "product 200\n",
    "products 200\n",
    "mode 200\n",
    "check 200\n",
];

/// The answer to a READ of an order.
pub(crate) fn order_xml(input: &[u8]) -> Verdict {
    match read_order_document(input, &TimeZone::UTC, Currency::USD) {
        Err(failure) => refusal(&failure.to_string()),
        Ok(Read::Unreadable { why, order }) => {
            assert_ne!(order, Some(OrderId(0)), "an order without a number");
            refusal(&why)
        }
        Ok(Read::Absent) => Verdict::Accepted,
        Ok(Read::Order(order)) => kept_promises(&order, input),
    }
}

/// What every order that is read promises.
fn kept_promises(order: &Order, input: &[u8]) -> Verdict {
    assert_ne!(order.id, OrderId(0), "an order without a number");
    assert!(!order.lines.is_empty(), "an order without lines");
    let ids: BTreeSet<u64> = order.lines.iter().map(|line| line.id).collect();
    assert_eq!(ids.len(), order.lines.len(), "two lines of one id");
    for line in &order.lines {
        assert!(line.quantity > 0, "a line of nothing");
        assert!(
            is_exact(line.unit_price, input),
            "a price that the document does not have: {}",
            line.unit_price
        );
        plain_word(line.sku.as_ref().map_or("x", |sku| sku.as_str()));
    }
    assert!(is_exact(order.total, input), "a total that the document does not have: {}", order.total);
    assert!(is_exact(order.shipping_amount, input), "an amount that the document does not have");
    plain_word(order.ship_method.as_ref().map_or("x", |method| method.as_str()));
    assert!(order.upsells.iter().all(|upsell| upsell.0 > 0), "an order without a number");
    assert!(order.unknown_elements.len() <= 16);
    fits_the_ledger(order);
    Verdict::Accepted
}

fn plain_word(word: &str) {
    assert!(!word.is_empty() && word.trim() == word, "a blank word: {word:?}");
    assert!(!word.contains(char::is_control), "a control character in a word: {word:?}");
}

/// Packed, an order fits an item beside its record; unpacked, it is the same order.
fn fits_the_ledger(order: &Order) {
    let packed = codec::pack_order("fuzz", order).unwrap_or_else(|e| panic!("{e}"));
    assert!(packed.len() <= 350 * 1024, "an order of {} bytes cannot be kept", packed.len());
    assert_eq!(codec::order(&packed).as_ref(), Ok(order), "the ledger gives another order back");
}

/// The answer to a LIST.
pub(crate) fn order_list(input: &[u8]) -> Verdict {
    match read_list_document(input) {
        Err(failure) => refusal(&failure.to_string()),
        Ok(ids) => {
            let once: BTreeSet<&u64> = ids.iter().collect();
            assert_eq!(once.len(), ids.len(), "an id twice");
            assert!(!ids.contains(&0), "an order without a number");
            let entries: String = ids.iter().map(|id| format!("<Order>{id}</Order>")).collect();
            let again = format!("<Response success=\"true\"><Orders>{entries}</Orders></Response>");
            assert_eq!(read_list_document(again.as_bytes()).ok(), Some(ids), "read again it is another list");
            Verdict::Accepted
        }
    }
}

/// A notification.
pub(crate) fn notification(input: &[u8]) -> Verdict {
    let again = match read_notification(input) {
        Err(failure) => return refusal(&failure.to_string()),
        Ok(Notification::Test) => return Verdict::Accepted,
        Ok(Notification::NewOrder { ref token }) => {
            assert!(
                (1..=limits::TOKEN_BYTES).contains(&token.len())
                    && token.bytes().all(|b| b.is_ascii_graphic())
            );
            let token = token.replace('&', "&amp;").replace('<', "&lt;");
            format!("<NewOrder><Token>{token}</Token></NewOrder>")
        }
        Ok(Notification::OrderStatusChange { order }) => {
            assert_ne!(order, OrderId(0), "an order without a number");
            format!("<OrderStatusChange><Id>{order}</Id></OrderStatusChange>")
        }
        Ok(Notification::RecurringOrderStatusChange { recurring_order }) => {
            format!("<RecurringOrderStatusChange><Id>{recurring_order}</Id></RecurringOrderStatusChange>")
        }
    };
    assert_eq!(
        read_notification(input).ok(),
        read_notification(again.as_bytes()).ok(),
        "read again it is another"
    );
    Verdict::Accepted
}

/// A store over the network of inputs.
struct Shop {
    store: Store,
    client: one_shopping_cart::Client,
    given: Given,
}

/// An order whose buyer's record is asked for.
const ORDER: &str = "<Response success=\"true\"><OrderInfo><Id>8</Id><ClientId>7</ClientId><LineItems><LineItemInfo>\
    <Quantity>1</Quantity></LineItemInfo></LineItems></OrderInfo><OrderShippingProfileInfo><Name>x</Name>\
    </OrderShippingProfileInfo></Response>";

static SHOP: LazyLock<Shop> = LazyLock::new(|| {
    let (http, given) = outside::network(&[("/Orders/8/READ", ORDER)]);
    let settings = [("merchant_id", "900001"), ("api_key", "@given:STORE-KEY"), ("auth_codes", "9901")];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    let (settings, policies) = (outside::settings(settings), Policies::default());
    let store = one_shopping_cart::connect(&settings, &policies, http.clone(), outside::clock());
    let client = one_shopping_cart::client(&settings, &policies, http, outside::clock());
    match (store, client) {
        (Ok(store), Ok(client)) => Shop { store, client, given },
        (Err(e), _) | (_, Err(e)) => panic!("{e}"),
    }
});

/// Every call to the store, with the input as its answer: `operation status retry-after`, then the body.
pub(crate) fn answers(input: &[u8]) -> Verdict {
    let Some(Exchange { operation, answer }) = Exchange::read(input) else { return Verdict::Refused };
    let shop = &*SHOP;
    give(&shop.given, answer);
    match operation.as_str() {
        "list" => {
            let window = Window { from: None, to: Timestamp::UNIX_EPOCH };
            verdict(outcome(shop.store.orders.list(window, 0)), |page| {
                assert!(page.next_offset.is_none_or(|next| next > 0), "a list that goes in a circle");
            })
        }
        "shown" => verdict(outcome(shop.store.tracking.shown(OrderId(7))), |shown| {
            assert!(shown.iter().all(|number| number.len() <= 200) && shown.len() <= 200);
        }),
        "post" => verdict(
            outcome(shop.store.tracking.post(OrderId(7), &tracking(), Timestamp::UNIX_EPOCH)),
            |answer| {
                if let PostAnswer::Refused(why) = answer {
                    refusal(why);
                }
            },
        ),
        "mode" => verdict(outcome(shop.store.tracking.mode()), |mode| {
            if let SinkMode::Outbox(why) = mode {
                refusal(why);
            }
        }),
        "product" => verdict(outcome(shop.client.product(7)), |product| {
            assert!(product.as_ref().is_none_or(|product| product.id > 0), "a product without a number");
        }),
        "products" => verdict(outcome(shop.client.page(0)), |_| {}),
        "check" => {
            for finding in outcome(shop.store.probe.check()) {
                refusal(&finding.detail);
            }
            Verdict::Accepted
        }
        "client" => read(shop, "8"),
        _ => read(shop, "7"),
    }
}

/// READ of an order with its buyer.
fn read(shop: &Shop, order: &str) -> Verdict {
    match outcome(shop.store.orders.read(order)) {
        Ok(Read::Unreadable { why, .. }) => refusal(&why),
        read => verdict(read, |_| {}),
    }
}

fn verdict<T>(outcome: Result<T, Failure>, check: impl Fn(&T)) -> Verdict {
    match outcome {
        Err(failure) => {
            assert!(
                failure.wait().is_none_or(|wait| wait.as_secs() <= 86_400),
                "it asks for {:?}",
                failure.wait()
            );
            refusal(&failure.to_string())
        }
        Ok(value) => {
            check(&value);
            Verdict::Accepted
        }
    }
}

fn tracking() -> Tracking {
    let number = TrackingNumber::read("1Z999").unwrap_or_else(|| panic!("a number"));
    Tracking { carrier: Carrier::read("UPS"), number, given_url: None }
}
