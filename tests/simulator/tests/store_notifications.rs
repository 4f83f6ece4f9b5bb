//! Notifications: what they say, and how long they are repeated.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use std::time::Duration;

use simulator::shop;
use simulator::store::{Endpoint, Store, StoreOptions};
use support::{Receiver, call, soon, store, texts};

async fn telling(receiver: &Receiver) -> Store {
    let options = StoreOptions {
        notify_url: Some(receiver.url.clone()),
        notify_delay: Duration::from_millis(2),
        ..StoreOptions::default()
    };
    Store::start(options).await.expect("a port")
}

fn an_order() -> simulator::store::OrderSpec {
    shop::day(1).into_iter().nth(1).expect("a day has orders")
}

#[tokio::test]
async fn a_new_order_is_told_with_its_token() {
    let receiver = Receiver::start(&[]).await;
    let store = telling(&receiver).await;
    let id = store.add_order(an_order());
    let told = receiver.first(1).await.remove(0).text();
    let token = store.token(id).expect("known");
    assert_eq!(told, include_str!("../fixtures/notification-new-order.xml").replace("700100201", &token));
    let read = call(&store, &format!("Orders/{}/READ", texts(&told, "Token")[0]), "").await;
    assert_eq!(texts(&read, "Id")[0], id.to_string());
}

#[tokio::test]
async fn a_notification_is_repeated_until_it_is_answered_with_200() {
    let receiver = Receiver::start(&[500, 202]).await;
    let store = telling(&receiver).await;
    let id = store.add_order(an_order());
    soon(store.until(|store| store.deliveries().iter().any(|delivery| delivery.status == Some(200)))).await;
    let attempts: Vec<_> = store
        .deliveries()
        .into_iter()
        .map(|delivery| (delivery.about, delivery.attempt, delivery.status))
        .collect();
    assert_eq!(attempts, [(id, 1, Some(500)), (id, 2, Some(202)), (id, 3, Some(200))]);
}

#[tokio::test]
async fn a_receiver_that_is_away_is_tried_again() {
    let receiver = Receiver::start(&[]).await;
    let store = telling(&receiver).await;
    store.notify_to(Some("http://127.0.0.1:1/nobody".to_owned()));
    store.add_order(an_order());
    soon(store.until(|store| store.deliveries().len() >= 2)).await;
    assert!(store.deliveries().iter().all(|delivery| delivery.status.is_none()));
}

#[tokio::test]
async fn a_changed_status_a_subscription_and_a_test_are_told() {
    let receiver = Receiver::start(&[]).await;
    let store = store().await;
    store.stock_shop();
    let id = store.add_order(an_order());
    store.notify_to(Some(receiver.url.clone()));
    assert!(store.set_status(id, "Voided"));
    let told = receiver.first(1).await.remove(0).text();
    let expected = include_str!("../fixtures/notification-order-status-change.xml");
    assert_eq!(told, expected.replace("700100202", &id.to_string()));
    assert!(store.set_recurring_status(500_600_701, "Cancelled"));
    assert!(
        receiver.first(2).await.remove(1).text().contains("<RecurringOrderStatusChange><Id>500600701</Id>")
    );
    call(&store, "Notifications/TEST", "").await;
    let told = receiver.first(3).await.remove(2).text();
    assert_eq!(told, include_str!("../fixtures/notification-test-ASSUMED.xml"));
    assert_eq!(store.counts().of(Endpoint::NotificationsTest), 1);
    store.notify_again(id);
    assert!(receiver.first(4).await.remove(3).text().contains("<NewOrder>"));
}
