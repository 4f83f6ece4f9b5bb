//! The assumed call that writes tracking into an order, and its three refusals.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use simulator::shop;
use simulator::store::{Endpoint, Store, WriteBack};
use support::{call, post, store, texts};

async fn store_with_an_order() -> (Store, u64) {
    let store = store().await;
    let order = shop::day(1).into_iter().nth(1).expect("a day has orders");
    let id = store.add_order(order);
    (store, id)
}

async fn write(store: &Store, id: u64, number: &str) -> String {
    let body = include_str!("../fixtures/request-order-update-ASSUMED.xml")
        .replace("00000000000000000000000000000000", store.key())
        .replace("700100201", &id.to_string())
        .replace("9400100000000000000001", number);
    post(&format!("{}/API/900001/Orders/{id}/UPDATE", store.base_url()), &body).await.1
}

fn shown(document: &str) -> Vec<&str> {
    texts(document, "TrackingNumber")
}

#[tokio::test]
async fn a_number_is_stored_shown_and_moves_the_modification_date() {
    let (store, id) = store_with_an_order().await;
    let before = store.modified_at(id).expect("known");
    assert_eq!(write(&store, id, "1Z1").await, include_str!("../fixtures/response-order-update-ASSUMED.xml"));
    assert_eq!(shown(&call(&store, &format!("Orders/{id}"), "").await), ["1Z1"]);
    assert!(store.modified_at(id).expect("known") > before);
    let books = store.books();
    assert_eq!((books.tracked_orders, books.tracking_numbers, books.repeated_updates), (1, 1, 0));
}

#[tokio::test]
async fn the_same_number_twice_changes_nothing_but_is_remembered() {
    let (store, id) = store_with_an_order().await;
    write(&store, id, "1Z1").await;
    let changed = store.modified_at(id);
    write(&store, id, "1Z1").await;
    write(&store, id, "1Z2").await;
    assert_eq!(shown(&call(&store, &format!("Orders/{id}"), "").await), ["1Z1", "1Z2"]);
    let told: Vec<_> = store.tracking(id).into_iter().map(|told| (told.number, told.times_told)).collect();
    assert_eq!(told, [("1Z1".to_owned(), 2), ("1Z2".to_owned(), 1)]);
    assert_eq!(store.books().repeated_updates, 1);
    assert!(changed <= store.modified_at(id));
}

#[tokio::test]
async fn a_command_that_is_not_offered_is_not_listed_and_does_not_exist() {
    let (store, id) = store_with_an_order().await;
    store.set_write_back(WriteBack::NotOffered);
    assert!(!call(&store, "Orders", "").await.contains("UPDATE"));
    assert!(!call(&store, "", "").await.contains("UPDATE"));
    assert!(write(&store, id, "1Z1").await.contains(r#"<Error code="9904">"#));
    assert_eq!(store.tracking(id), []);
}

#[tokio::test]
async fn a_refused_update_is_an_error_and_is_not_kept() {
    let (store, id) = store_with_an_order().await;
    store.set_write_back(WriteBack::Refused);
    assert!(call(&store, "Orders", "").await.contains("UPDATE"));
    assert!(write(&store, id, "1Z1").await.contains(r#"<Error code="9907">"#));
    assert_eq!(store.tracking(id), []);
}

#[tokio::test]
async fn an_update_that_is_accepted_but_not_stored_is_not_shown() {
    let (store, id) = store_with_an_order().await;
    store.set_write_back(WriteBack::NotStored);
    assert!(write(&store, id, "1Z1").await.contains(r#"success="true""#));
    assert!(shown(&call(&store, &format!("Orders/{id}"), "").await).is_empty());
    assert!(store.tracking(id).iter().all(|told| !told.stored && told.times_told == 1));
    assert_eq!(store.books().tracking_numbers, 0);
    assert_eq!(store.counts().of(Endpoint::OrderUpdate), 1);
}

#[tokio::test]
async fn an_update_without_number_of_another_order_or_of_none_is_refused() {
    let (store, id) = store_with_an_order().await;
    let update = |path: u64, id: u64, package: &str| {
        let more = format!(
            "<OrderInfo><Id>{id}</Id><ShippingTrackingMethods>{package}</ShippingTrackingMethods></OrderInfo>"
        );
        let path = format!("Orders/{path}/UPDATE");
        let store = &store;
        async move { call(store, &path, &more).await }
    };
    let package =
        "<ShippingTrackingMethodInfo><TrackingNumber>1</TrackingNumber></ShippingTrackingMethodInfo>";
    let nameless = "<ShippingTrackingMethodInfo><CarrierName>UPS</CarrierName></ShippingTrackingMethodInfo>";
    assert!(update(id, id, nameless).await.contains("9906"));
    assert!(update(id, id, "").await.contains("9906"));
    assert!(update(id, id + 1, package).await.contains("9906"));
    assert!(update(id + 1, id + 1, package).await.contains("2040"));
    assert!(update(id, id, package).await.contains(r#"success="true""#));
}
