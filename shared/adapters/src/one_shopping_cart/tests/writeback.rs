//! Tracking over the wire: a store that takes it, one that refuses, one that takes it and shows nothing.

use std::sync::Mutex;
use std::time::Duration;

use domain::OrderId;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::ports::{Clock, PostAnswer, SinkMode, TrackingSink};

use super::server::{Asked, Hand, KEY, Keys, Server, connected, plain, shown};

const ORDER: OrderId = OrderId(700_100_201);
const YES: &str = include_str!("../../../fixtures/one_shopping_cart/response-order-update-ASSUMED.xml");
const PHYSICAL: &str = include_str!("../../../fixtures/one_shopping_cart/order-read-physical.xml");
const REFUSED: &str =
    "<Response success=\"false\"><Error code=\"9905\">SIMULATED: read only</Error></Response>";
const LISTS_UPDATE: &str = "<Methods>Orders/List Orders/Read Orders/Update</Methods>";

fn tracking(carrier: &str) -> Tracking {
    Tracking {
        carrier: Carrier::read(carrier),
        number: TrackingNumber::read("9400100000000000000001").unwrap(),
        given_url: None,
    }
}

async fn post(server: &Server, more: &[(&str, &str)]) -> PostAnswer {
    let store = connected(&server.base, more, &Hand::new(), Keys::default());
    let shipped_at = "2026-10-06T22:00:00Z".parse().unwrap();
    store.post(ORDER, &tracking("USPS"), shipped_at).await.unwrap()
}

async fn answering(body: &'static str) -> Server {
    Server::start(move |_| (200, body.to_owned())).await
}

#[tokio::test]
async fn a_store_that_takes_it_shows_it() {
    let stored = Mutex::new(String::new());
    let server = Server::start(move |asked: &Asked| {
        let mut stored = stored.lock().unwrap();
        if asked.path.ends_with("/UPDATE") {
            let begin = asked.body.find("<ShippingTrackingMethods>").unwrap();
            let end = asked.body.find("</OrderInfo>").unwrap();
            stored.push_str(&asked.body[begin..end]);
            return (200, YES.to_owned());
        }
        (200, PHYSICAL.replace("<ShippingTrackingMethods />", &stored))
    })
    .await;
    let store = plain(&server);
    assert!(store.shown(ORDER).await.unwrap().is_empty());
    assert_eq!(post(&server, &[]).await, PostAnswer::Taken);
    assert_eq!(store.shown(ORDER).await.unwrap(), ["9400100000000000000001"]);
    assert!(store.verifies());
    let sent = &server.asked_at("/UPDATE")[0];
    assert_eq!(sent.path, "/API/900001/Orders/700100201/UPDATE");
    let example = include_str!("../../../fixtures/one_shopping_cart/request-order-update-ASSUMED.xml");
    assert_eq!(sent.body, example.trim().replace(&"0".repeat(32), KEY));
}

#[tokio::test]
async fn a_store_that_takes_it_and_shows_nothing_is_found_out_by_reading_again() {
    let server =
        Server::start(|asked| (200, if asked.path.ends_with("/UPDATE") { YES } else { PHYSICAL }.to_owned()))
            .await;
    assert_eq!(post(&server, &[]).await, PostAnswer::Taken);
    assert!(plain(&server).shown(ORDER).await.unwrap().is_empty());
}

#[tokio::test]
async fn tracking_is_seen_even_on_an_order_that_cannot_be_read() {
    let body = include_str!("../../../fixtures/one_shopping_cart/order-read-shipped-ASSUMED.xml");
    let server = Server::start(move |_| (200, body.replace("<Quantity>2<", "<Quantity>many<"))).await;
    assert_eq!(plain(&server).shown(ORDER).await.unwrap(), ["9400100000000000000001"]);
}

#[tokio::test]
async fn a_no_is_passed_on_with_its_reason() {
    let PostAnswer::Refused(reason) = post(&answering(REFUSED).await, &[]).await else { panic!() };
    assert!(reason.contains("error 9905: SIMULATED: read only"), "{reason}");
    let none = include_str!("../../../fixtures/one_shopping_cart/error-2040-no-data.xml");
    assert!(matches!(post(&answering(none).await, &[]).await, PostAnswer::Refused(_)));
    let unknown_call = Server::start(|_| (404, "<html>not here</html>".to_owned())).await;
    assert!(matches!(post(&unknown_call, &[]).await, PostAnswer::Refused(_)));
}

#[tokio::test]
async fn what_may_have_landed_is_a_failure_to_be_tried_again() {
    for (status, body) in [(200, "<html>sorry</html>"), (200, ""), (503, ""), (200, "<Response/>")] {
        let server = Server::start(move |_| (status, body.to_owned())).await;
        let shipped_at = "2026-10-06T22:00:00Z".parse().unwrap();
        let failure = plain(&server).post(ORDER, &tracking("USPS"), shipped_at).await.unwrap_err();
        assert!(failure.is_retryable() && !shown(&failure).contains("sorry"), "{failure}");
    }
}

#[tokio::test]
async fn the_call_is_whatever_the_settings_say() {
    let server = answering(YES).await;
    let more = [
        ("writeback.mode", "api"),
        ("writeback.verb", "get"),
        ("writeback.path", "/hook/{merchant_id}?k={key}&o={order_id}&t={tracking_number}&u={tracking_url}"),
    ];
    assert_eq!(post(&server, &more).await, PostAnswer::Taken);
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/hook/900001"));
    assert!(asked.query.starts_with(&format!("k={KEY}&o=700100201&t=9400100000000000000001&u=https%3A")));
    let more = [
        ("writeback.verb", "put"),
        ("writeback.body", "<a k='{key}' o='{order_id}'>{carrier}|{service}|{tracking_number}</a>"),
    ];
    let store = connected(&server.base, &more, &Hand::new(), Keys::default());
    let shipped_at = "2026-10-06T22:00:00Z".parse().unwrap();
    store.post(ORDER, &tracking("Tom & <Jerry>"), shipped_at).await.unwrap();
    let asked = &server.asked()[1];
    assert_eq!(asked.method, "PUT");
    assert!(asked.body.ends_with(">Tom &amp; &lt;Jerry&gt;||9400100000000000000001</a>"), "{}", asked.body);
}

#[tokio::test]
async fn the_mode_is_found_out_once_a_day() {
    let lists = Mutex::new(vec![LISTS_UPDATE, "<Methods>List Read Count LastUpdate</Methods>"]);
    let server = Server::start(move |_| (200, lists.lock().unwrap().pop().unwrap().to_owned())).await;
    let clock = Hand::new();
    let store = connected(&server.base, &[], &clock, Keys::default());
    let outbox = SinkMode::Outbox("the store lists no UPDATE command for orders".to_owned());
    assert_eq!(store.mode().await.unwrap(), outbox);
    assert_eq!(store.mode().await.unwrap(), outbox);
    clock.sleep(Duration::from_secs(86_401)).await;
    assert_eq!(store.mode().await.unwrap(), SinkMode::Api);
    assert_eq!(server.asked_at("/API/900001/Orders").len(), 2);
}

#[tokio::test]
async fn a_page_that_is_no_list_of_commands_decides_nothing() {
    for (status, body) in
        [(200, "<html>We update the site, please read</html>"), (200, ""), (503, LISTS_UPDATE)]
    {
        let server = Server::start(move |_| (status, body.to_owned())).await;
        assert!(plain(&server).mode().await.unwrap_err().is_retryable(), "{body}");
    }
    for (status, body) in [(200, REFUSED), (404, "")] {
        let server = Server::start(move |_| (status, body.to_owned())).await;
        let mode = plain(&server).mode().await.unwrap();
        assert!(matches!(&mode, SinkMode::Outbox(why) if why.contains("does not list")), "{mode:?}");
    }
}

#[tokio::test]
async fn a_set_mode_asks_nobody() {
    for (word, mode) in [
        ("api", SinkMode::Api),
        ("off", SinkMode::Off),
        ("outbox", SinkMode::Outbox("the setting writeback.mode says so".to_owned())),
    ] {
        let store =
            connected("http://127.0.0.1:9", &[("writeback.mode", word)], &Hand::new(), Keys::default());
        assert_eq!(store.mode().await.unwrap(), mode);
    }
}
