//! What becomes of the document of an order.

use domain::OrderId;
use domain::money::Currency;
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::ports::Read;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::one_shopping_cart::read_order_document;
use crate::one_shopping_cart::text::escaped;
use crate::one_shopping_cart::xml::ONLY_EVENTS;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../fixtures/one_shopping_cart/", $name))
    };
}

const PHYSICAL: &str = fixture!("order-read-physical.xml");

fn read(body: &str) -> Read {
    let zone = TimeZone::get("America/New_York").unwrap();
    read_order_document(body.as_bytes(), &zone, Currency::USD).unwrap()
}

fn order(body: &str) -> Order {
    match read(body) {
        Read::Order(order) => *order,
        other => panic!("{other:?}"),
    }
}

/// The physical order with something else in it.
fn physical_with(old: &str, new: &str) -> String {
    assert!(PHYSICAL.contains(old), "{old}");
    PHYSICAL.replacen(old, new, 1)
}

fn why_unreadable(body: &str) -> String {
    match read(body) {
        Read::Unreadable { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_physical_order_is_read_whole() {
    let order = order(PHYSICAL);
    assert_eq!((order.id, order.client), (OrderId(700_100_201), 700_200_001));
    assert_eq!(order.ordered_at.unwrap().to_string(), "2026-10-05T13:14:27Z");
    assert_eq!((order.payment, order.archived), (PaymentStatus::Accepted, false));
    assert_eq!((order.total, order.shipping_amount), (Decimal::new(5695, 2), Decimal::new(695, 2)));
    let method = order.ship_method.unwrap();
    assert_eq!(method.normalized(), "USPS PRIORITY MAIL");
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| (line.id, line.product, line.sku.as_ref().unwrap().as_str(), line.quantity))
        .collect();
    assert_eq!(lines, [(800_300_401, 9_300_011, "MUG-12-BLU", 2), (800_300_402, 9_300_012, "TEA-TIN-01", 1)]);
    assert_eq!(order.lines[1].name, "Loose Leaf Tea & Tin");
    assert_eq!(order.lines[0].unit_price, Decimal::new(1450, 2));
    let to = order.ship_to.unwrap();
    assert_eq!(
        (to.name.as_str(), to.line2.as_str(), to.city.as_str()),
        ("Avery Example", "Unit 4", "Springfield")
    );
    assert_eq!((to.region.code.as_deref(), to.country.code.as_deref()), (Some("IL"), Some("US")));
    assert_eq!(to.residential, Some(true));
    assert!(order.unknown_elements.is_empty(), "{:?}", order.unknown_elements);
    assert!(order.comments.is_empty() && order.tracking_shown.is_empty() && order.recurring_order.is_none());
}

#[test]
fn a_pending_international_order_keeps_its_letters_and_its_upsell() {
    let order = order(fixture!("order-read-pending-international.xml"));
    assert_eq!(order.payment, PaymentStatus::Pending);
    assert_eq!(order.comments, "Please leave with the front desk <thanks>");
    assert_eq!(order.lines[0].name, "Travel Journal “Café”");
    assert_eq!(order.upsells, [OrderId(700_100_205)]);
    let to = order.ship_to.unwrap();
    assert_eq!((to.line1.as_str(), to.city.as_str()), ("12 Rue de l’Exemple", "Montréal"));
    assert_eq!((to.region.code.as_deref(), to.country.code.as_deref()), (Some("QC"), Some("CA")));
}

#[test]
fn a_digital_rebill_has_nothing_to_ship() {
    let order = order(fixture!("order-read-recurring-rebill-digital.xml"));
    assert_eq!(order.recurring_order, Some(500_600_701));
    assert!(!order.has_shipping() && order.ship_method.is_none());
    assert_eq!((order.lines[0].sku.as_ref(), order.lines[0].recurring), (None, true));
}

#[test]
fn a_declined_order_is_read_like_any_other() {
    assert_eq!(order(fixture!("order-read-declined.xml")).payment, PaymentStatus::Declined);
}

#[test]
fn tracking_that_the_store_shows_is_found_whatever_its_elements_are_called() {
    let shipped = order(fixture!("order-read-shipped-ASSUMED.xml"));
    assert_eq!(shipped.tracking_shown, ["9400100000000000000001"]);
    for (inside, found) in [
        ("<ShipmentNumber> 1Z 9 </ShipmentNumber><Carrier>UPS 2</Carrier>", vec!["1Z 9"]),
        ("<A><B><Tracking>T1</Tracking></B><Tracking>T2</Tracking></A>", vec!["T1", "T2"]),
        ("<TrackingNumber>Pickup</TrackingNumber><TrackingNumber/>", vec![]),
        ("<TrackingNumber>T1</TrackingNumber><TrackingNumber>T1</TrackingNumber>", vec!["T1"]),
        ("T7", vec!["T7"]),
    ] {
        let body = physical_with(
            "<ShippingTrackingMethods />",
            &format!("<ShippingTrackingMethods>{inside}</ShippingTrackingMethods>"),
        );
        assert_eq!(order(&body).tracking_shown, found, "{inside}");
    }
}

#[test]
fn no_data_is_absent() {
    assert_eq!(read(fixture!("error-2040-no-data.xml")), Read::Absent);
}

#[test]
fn what_is_empty_missing_or_nil_is_the_same() {
    let empty = order(PHYSICAL);
    for (old, new) in [
        ("<Comments />", ""),
        ("<Comments />", "<Comments></Comments>"),
        ("<Comments />", "<Comments xsi:nil=\"true\" />"),
        ("<Comments />", "<Comments xsi:nil=\"true\">ignored</Comments>"),
        ("<Comments />", "<Comments> \n </Comments>"),
        ("<RecurringOrderId />", ""),
        ("<RecurringOrderId />", "<RecurringOrderId>0</RecurringOrderId>"),
        ("<ShippingTrackingMethods />", ""),
        ("<LineItems>", "\n\t<!-- lines --> <LineItems>"),
    ] {
        assert_eq!(order(&physical_with(old, new)), empty, "{new}");
    }
    let no_method = physical_with("Select Shipping Method - USPS Priority Mail", "");
    assert_eq!(order(&no_method).ship_method, None);
    let no_amount = order(&physical_with("<ShippingAmount>6.95</ShippingAmount>", "<ShippingAmount />"));
    assert_eq!(no_amount.shipping_amount, Decimal::ZERO);
}

#[test]
fn an_empty_shipping_profile_is_none() {
    let profile = PHYSICAL.find("<OrderShippingProfileInfo").unwrap();
    for inside in ["", "<Id>7</Id><Name /><IsResidential>false</IsResidential>"] {
        let body = format!(
            "{}<OrderShippingProfileInfo>{inside}</OrderShippingProfileInfo></Response>",
            &PHYSICAL[..profile]
        );
        assert_eq!(order(&body).ship_to, None);
    }
}

#[test]
fn a_text_may_hold_cdata_markup_and_stray_entities() {
    for (inside, comment) in [
        ("<![CDATA[a < b & c]]>", "a < b & c"),
        ("one <![CDATA[&amp;]]> two", "one &amp; two"),
        ("Please <b>ring <i class=x>twice</i></b><br/>!", "Please ring twice!"),
        ("Tom &amp; Zo&#235; &#x2764; &quot;x&quot; &apos;y&apos;", "Tom & Zoë ❤ \"x\" 'y'"),
        ("Caf&eacute;&nbsp;au lait", "Café\u{a0}au lait"),
        ("R&D & AT&T", "R&D & AT&T"),
        ("fish &chips; &", "fish &chips; &"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("bell\u{7} &#7;rings", "bell rings"),
    ] {
        let body = physical_with("<Comments />", &format!("<Comments>{inside}</Comments>"));
        assert_eq!(order(&body).comments, comment, "{inside}");
    }
}

#[test]
fn no_date_fails_an_order() {
    for (date, at) in [
        ("10/5/2026 9:14:27 AM", Some("2026-10-05T13:14:27Z")),
        ("2026-10-05T09:14:27.500-04:00", Some("2026-10-05T13:14:27.5Z")),
        ("2026-10-05", Some("2026-10-05T13:14:27Z")),
        ("soon", Some("2026-10-05T13:14:27Z")),
    ] {
        let body = physical_with(
            "<OrderDate>2026-10-05T09:14:27</OrderDate>",
            &format!("<OrderDate>{date}</OrderDate>"),
        );
        assert_eq!(order(&body).ordered_at.map(|at| at.to_string()).as_deref(), at, "{date}");
    }
    let body = PHYSICAL.replace("2026-10-05T09:14:27", "whenever");
    assert_eq!(order(&body).ordered_at, None);
}

#[test]
fn unknown_elements_are_skipped_and_remembered_up_to_a_number() {
    let body = PHYSICAL
        .replacen("<Comments />", "<Comments /><GiftWrap><Paper>red</Paper></GiftWrap>", 1)
        .replacen("<Quantity>", "<Weight>2</Weight><Quantity>", 1)
        .replacen("</OrderInfo>", "</OrderInfo><avery@example.com />", 1);
    let read = order(&body);
    assert_eq!(
        read.unknown_elements,
        ["Response/OrderInfo/GiftWrap", "Response/OrderInfo/LineItems/LineItemInfo/Weight", "Response/…"]
    );
    assert_eq!(Order { unknown_elements: Vec::new(), ..read }, order(PHYSICAL));
    let many: String = (0..100).map(|n| format!("<X{n}/>")).collect();
    assert_eq!(order(&physical_with("<Comments />", &many)).unknown_elements.len(), 16);
}

#[test]
fn an_order_that_cannot_be_one_says_why_and_who() {
    for (old, new, why) in [
        ("<Quantity>2</Quantity>", "", "line 1: Quantity is missing"),
        ("<Quantity>2</Quantity>", "<Quantity />", "line 1: Quantity is missing"),
        ("<Quantity>2<", "<Quantity>0<", "line 1: Quantity is 0"),
        ("<Quantity>2<", "<Quantity>-1<", "line 1: Quantity is not a whole number"),
        ("<Quantity>2<", "<Quantity>1.5<", "line 1: Quantity is not a whole number"),
        ("<Quantity>2<", "<Quantity>99999999999<", "line 1: Quantity is not a whole number"),
        ("<Quantity>1<", "<Quantity>two<", "line 2: Quantity is not a whole number"),
        ("800300402", "800300401", "line 2: its Id is that of an earlier line"),
        (">56.95<", ">$56.95<", "GrandTotal is not a plain decimal"),
        (">6.95<", ">6,95<", "ShippingAmount is not a plain decimal"),
        (">14.50<", ">1e2<", "line 1: UnitPrice is not a plain decimal"),
        (
            "<Quantity>2</Quantity>",
            "<Quantity>2</Quantity><Quantity>3</Quantity>",
            "Response/OrderInfo/LineItems/LineItemInfo/Quantity is there twice, with different values",
        ),
    ] {
        let body = physical_with(old, new);
        let Read::Unreadable { order, why: reason } = read(&body) else { panic!("{new}") };
        assert_eq!((order, reason.as_str()), (Some(OrderId(700_100_201)), why), "{new}");
    }
    let two_homes = physical_with(
        "</Response>",
        "<OrderShippingProfileInfo><Name>B</Name></OrderShippingProfileInfo></Response>",
    );
    assert!(why_unreadable(&two_homes).contains("more than one OrderShippingProfileInfo"));
    assert_eq!(
        why_unreadable(&physical_with("<Id>700100201</Id>", "<Id>A7</Id>")),
        "OrderInfo/Id is not a whole number"
    );
    assert_eq!(why_unreadable("<Response success=\"true\"/>"), "the answer holds no OrderInfo");
    let no_lines = "<Response success=\"true\"><OrderInfo><Id>7</Id><LineItems/></OrderInfo></Response>";
    assert_eq!(why_unreadable(no_lines), "LineItems holds no LineItemInfo");
}

#[test]
fn a_whole_number_may_have_zeros_behind_its_point() {
    assert_eq!(order(&physical_with("<Quantity>2<", "<Quantity>2.00<")).lines[0].quantity, 2);
}

#[test]
fn a_byte_order_mark_and_a_wrong_declaration_do_no_harm() {
    let body = format!("\u{feff}{}", PHYSICAL.replacen("utf-8", "utf-16", 1));
    assert_eq!(order(&body), order(PHYSICAL));
}

/// A small writer, to see that what goes in comes out.
fn written(id: u64, texts: &[String; 5], quantity: u32, cents: u32) -> String {
    let [name, street, sku, comment, product] = texts.each_ref().map(|text| escaped(text));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Response success=\"true\"><OrderInfo><Id>{id}</Id>\
         <Comments>{comment}</Comments><GrandTotal>{}</GrandTotal><LineItems><LineItemInfo><Id>1</Id>\
         <Quantity>{quantity}</Quantity><ProductName>{product}</ProductName><Sku>{sku}</Sku></LineItemInfo>\
         </LineItems></OrderInfo><OrderShippingProfileInfo><Name>{name}</Name><Address1>{street}</Address1>\
         </OrderShippingProfileInfo></Response>",
        Decimal::new(cents.into(), 2)
    )
}

#[test]
fn awkward_letters_come_through() {
    let awkward = ["Tom & Jerry", "<script>\"É'</script>", "A<B&C", "]]> &amp; &#38;", "“Ünï” 💚"];
    let texts = awkward.map(str::to_owned);
    let order = order(&written(7, &texts, 3, 1999));
    let to = order.ship_to.unwrap();
    let line = &order.lines[0];
    let out = [&to.name, &to.line1, line.sku.as_ref().unwrap().as_str(), &order.comments, &line.name];
    assert_eq!(out, awkward);
    assert_eq!((line.quantity, order.total), (3, Decimal::new(1999, 2)));
}

#[test]
fn an_order_that_is_cut_off_anywhere_is_never_taken_for_one() {
    let zone = TimeZone::UTC;
    let whole = PHYSICAL.trim_end();
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        let read = read_order_document(cut, &zone, Currency::USD);
        let failure = read.expect_err("half an order is none");
        assert!(failure.is_retryable(), "{failure}");
        assert!(!failure.message.contains("Avery"), "{failure}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~À-ÿ“”€💚]{1,40}".prop_map(|text| text.trim().to_owned()).prop_filter("not blank", |t| !t.is_empty())
}

/// Reads with or without the shortcut for plain elements.
fn outcome(body: &[u8], only_events: bool) -> Result<Read, String> {
    ONLY_EVENTS.set(only_events);
    let read = read_order_document(body, &TimeZone::UTC, Currency::USD);
    ONLY_EVENTS.set(false);
    read.map_err(|failure| failure.to_string().split(" (byte").next().unwrap_or_default().to_owned())
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id in 1_u64..u64::MAX,
        texts in proptest::array::uniform5(any_text()),
        quantity in 1_u32..,
        cents in 0_u32..,
    ) {
        let order = order(&written(id, &texts, quantity, cents));
        let to = order.ship_to.unwrap();
        let line = &order.lines[0];
        let sku = line.sku.as_ref().unwrap().as_str().to_owned();
        prop_assert_eq!([to.name, to.line1, sku, order.comments, line.name.clone()], texts);
        prop_assert_eq!((order.id.0, line.quantity, order.total), (id, quantity, Decimal::new(cents.into(), 2)));
    }

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _any = read_order_document(&body, &TimeZone::UTC, Currency::USD);
    }

    #[test]
    fn damage_never_panics_and_the_shortcut_changes_nothing(at in 0_usize..PHYSICAL.len(), cut in 0_usize..20, put in "[<>&;/='\"!\\[\\]?a\u{0}é-]{0,8}") {
        let mut body = PHYSICAL.as_bytes().to_vec();
        let end = (at + cut).min(body.len());
        body.splice(at..end, put.bytes());
        prop_assert_eq!(outcome(&body, false), outcome(&body, true));
    }
}
