//! The simulated documents have the elements of the fixture documents, in the same order.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use quick_xml::Reader;
use quick_xml::events::Event;
use simulator::shop::{self, Kind};
use support::{call, store, texts};

/// The paths of all elements of a document in their order, repeated ones once; attributes by name.
fn shape(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut open, mut shape) = (Vec::<String>::new(), Vec::<String>::new());
    loop {
        let event = reader.read_event().expect("well formed");
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            let attributes: Vec<String> =
                tag.attributes().map(|attribute| attribute.expect("sound").key.as_ref().to_owned()).collect();
            let name: &str = tag.name().0;
            let path = format!("{}/{name} {}", open.join("/"), attributes.join(" "));
            if !shape.contains(&path) {
                shape.push(path);
            }
        }
        match event {
            Event::Start(tag) => open.push(tag.name().0.to_owned()),
            Event::End(_) => drop(open.pop()),
            Event::Eof => return shape,
            _ => {}
        }
    }
}

async fn read_of(kind: Kind, wanted: impl Fn(&simulator::store::OrderSpec) -> bool) -> String {
    let store = store().await;
    let found = shop::day(1).into_iter().find(|order| order.kind == kind && wanted(order));
    let id = store.add_order(found.expect("the day has one"));
    call(&store, &format!("Orders/{id}/READ"), "").await
}

#[tokio::test]
async fn a_paid_order_of_several_lines_has_the_shape_of_its_fixture() {
    let document = read_of(Kind::SeveralLines, |_| true).await;
    assert_eq!(shape(&document), shape(include_str!("../fixtures/order-read-physical.xml")));
    assert_eq!(texts(&document, "LineItemInfo").len(), 2);
}

#[tokio::test]
async fn a_pending_order_with_an_upsell_has_the_shape_of_its_fixture() {
    let store = store().await;
    let mut order =
        shop::day(1).into_iter().find(|order| order.kind == Kind::StillPending).expect("in the day");
    order.upsells = vec![700_100_205];
    let id = store.add_order(order);
    let document = call(&store, &format!("Orders/{id}"), "").await;
    assert_eq!(shape(&document), shape(include_str!("../fixtures/order-read-pending-international.xml")));
}

#[tokio::test]
async fn a_digital_rebill_has_no_sku_and_no_shipping_parts() {
    let document = read_of(Kind::RebillDigital, |_| true).await;
    assert_eq!(shape(&document), shape(include_str!("../fixtures/order-read-recurring-rebill-digital.xml")));
}

#[tokio::test]
async fn an_order_with_tracking_has_the_shape_of_its_fixture() {
    let store = store().await;
    let order = shop::day(1).into_iter().find(|order| order.kind == Kind::SeveralLines).expect("in the day");
    let id = store.add_order(order);
    assert!(store.enter_tracking(id, "USPS", "9400100000000000000001"));
    let document = call(&store, &format!("Orders/{id}"), "").await;
    assert_eq!(shape(&document), shape(include_str!("../fixtures/order-read-shipped-ASSUMED.xml")));
}

#[tokio::test]
async fn client_product_and_subscription_have_the_shape_of_their_fixtures() {
    let store = store().await;
    store.stock_shop();
    // The one buyer with both phones missing parts of the other: give both.
    let mut client = shop::clients().remove(0);
    client.work_phone = Some("555-0101".to_owned());
    store.add_client(client);
    for (path, fixture) in [
        ("Clients/700200001/READ", include_str!("../fixtures/client-read.xml")),
        ("Products/9300011/READ", include_str!("../fixtures/product-read.xml")),
        ("RecurringOrders/500600701/READ", include_str!("../fixtures/recurring-order-read.xml")),
    ] {
        assert_eq!(shape(&call(&store, path, "").await), shape(fixture), "{path}");
    }
}

#[tokio::test]
async fn lists_have_the_shape_of_their_fixtures() {
    let store = store().await;
    store.stock_shop();
    for order in shop::day(1) {
        store.add_order(order);
    }
    let window = "<LimitCount>3</LimitCount><LimitOffset>0</LimitOffset>\
                  <LimitStartDate>10/05/2026 00:00:00</LimitStartDate>\
                  <LimitEndDate>10/06/2026 23:59:59</LimitEndDate><SortOrder>ASC</SortOrder>";
    let by_name = "<LimitCount>2</LimitCount><SortColumn>LastName</SortColumn><SortOrder>DESC</SortOrder>";
    for (path, more, fixture) in [
        ("Orders/LIST", window, include_str!("../fixtures/orders-list-page1.xml")),
        (
            "Orders/LIST",
            "<LimitCount>100</LimitCount>",
            include_str!("../fixtures/orders-list-last-page.xml"),
        ),
        ("Clients/LIST", by_name, include_str!("../fixtures/clients-list.xml")),
        ("Products/LIST", "", include_str!("../fixtures/products-list.xml")),
    ] {
        assert_eq!(shape(&call(&store, path, more).await), shape(fixture), "{path}");
    }
}

#[tokio::test]
async fn markup_in_a_product_arrives_as_real_children_and_letters_are_escaped_in_an_order() {
    let store = store().await;
    store.stock_shop();
    let product = call(&store, "Products/9300019", "").await;
    assert!(product.contains(r#"<TopHtml><FONT color="red"><B>Sale</B>!</FONT></TopHtml>"#), "{product}");
    let order = read_of(Kind::Comments, |order| order.comments.contains("thanks")).await;
    assert!(order.contains("&lt;thanks&gt; &amp; &quot;ring&quot;"), "{order}");
    let order = read_of(Kind::Comments, |order| order.comments.contains("cadeau")).await;
    assert!(order.contains("🎁"), "{order}");
    let order = read_of(Kind::Unreadable, |_| true).await;
    assert_eq!(texts(&order, "Quantity"), ["two dozen"]);
    let order = read_of(Kind::EmptyAmount, |_| true).await;
    assert!(order.contains("<ShippingAmount />"), "{order}");
}
