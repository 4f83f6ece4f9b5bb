//! Orders over the wire: paging, time, contact data, and a store that misbehaves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Kind;
use domain::OrderId;
use domain::ports::{Clock, Finding, ListPage, OrderSource, Probe, ProductSource, Read, Window};
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::{Asked, Hand, KEY, Keys, Server, configured, connected, plain, shown};
use crate::one_shopping_cart::KEYS;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../fixtures/one_shopping_cart/", $name)).to_owned()
    };
}

fn no_data() -> String {
    fixture!("error-2040-no-data.xml")
}

fn window() -> Window {
    Window {
        from: Some("2026-10-05T04:00:00Z".parse().unwrap()),
        to: "2026-10-07T03:59:59Z".parse().unwrap(),
    }
}

fn page(orders: &[u64], next_offset: Option<u32>) -> ListPage {
    ListPage { orders: orders.iter().copied().map(OrderId).collect(), next_offset }
}

/// Orders, clients and lists as the fixtures have them.
fn shop(asked: &Asked) -> (u16, String) {
    let body = match asked.path.as_str() {
        "/API/900001/Orders/700100201/READ" => fixture!("order-read-physical.xml"),
        "/API/900001/Orders/700100203/READ" => fixture!("order-read-recurring-rebill-digital.xml"),
        "/API/900001/Orders/700100204/READ" => fixture!("order-read-declined.xml"),
        "/API/900001/Clients/700200001/READ" => fixture!("client-read.xml"),
        "/API/900001/Products/9300011/READ" => fixture!("product-read.xml"),
        "/API/900001/Products/LIST" => fixture!("products-list.xml"),
        "/API/900001/Clients/LIST" => fixture!("clients-list.xml"),
        "/API/900001/Orders/LIST" if asked.body.contains("<LimitOffset>3<") => {
            fixture!("orders-list-last-page.xml")
        }
        "/API/900001/Orders/LIST" => fixture!("orders-list-page1.xml"),
        "/API/900001/Orders" => "<Methods><Orders>LIST READ COUNT</Orders></Methods>".to_owned(),
        _ => no_data(),
    };
    (200, body)
}

#[tokio::test]
async fn a_window_is_listed_page_by_page_in_the_stores_own_time() {
    let server = Server::start(shop).await;
    let store = plain(&server);
    let first = OrderSource::list(&store, window(), 0).await.unwrap();
    assert_eq!(first, page(&[700_100_201, 700_100_202, 700_100_203], Some(3)));
    assert_eq!(OrderSource::list(&store, window(), 3).await.unwrap(), page(&[700_100_204], None));
    assert_eq!(
        server.asked()[0].body,
        format!(
            "<Request><Key>{KEY}</Key><LimitCount>100</LimitCount><LimitOffset>0</LimitOffset>\
             <SortOrder>ASC</SortOrder><LimitStartDate>10/05/2026 00:00:00</LimitStartDate>\
             <LimitEndDate>10/06/2026 23:59:59</LimitEndDate></Request>"
        )
    );
    assert!(server.asked().iter().all(|asked| asked.method == "POST" && asked.query.is_empty()));
}

#[tokio::test]
async fn no_data_is_an_empty_page_and_an_absent_order() {
    let server = Server::start(|_| (200, no_data())).await;
    let store = plain(&server);
    assert_eq!(OrderSource::list(&store, window(), 0).await.unwrap(), page(&[], None));
    assert_eq!(store.read("7").await.unwrap(), Read::Absent);
    assert_eq!(store.product(7).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_that_says_success_and_has_no_orders_is_a_failure() {
    let server = Server::start(|_| (200, r#"<Response success="true"/>"#.to_owned())).await;
    let failure = OrderSource::list(&plain(&server), window(), 0).await.unwrap_err();
    assert!(failure.is_retryable() && failure.message.contains("no element of the list"), "{failure}");
}

#[tokio::test]
async fn a_list_that_turns_in_circles_is_a_failure() {
    let server = Server::start(shop).await;
    let failure = OrderSource::list(&plain(&server), window(), 5).await.unwrap_err();
    assert!(failure.is_retryable() && failure.message.contains("earlier"), "{failure}");
}

#[tokio::test]
async fn an_order_comes_with_its_buyers_contact_data_which_are_read_once() {
    let server = Server::start(shop).await;
    let store = plain(&server);
    for order in ["700100201", "700100204", "700100201"] {
        let Read::Order(order) = store.read(order).await.unwrap() else { panic!() };
        let to = order.ship_to.unwrap();
        assert_eq!((to.phone.as_deref(), to.email.as_deref()), (Some("555-0100"), Some("avery@example.com")));
    }
    assert_eq!(server.asked_at("/Clients/700200001/READ").len(), 1);
}

#[tokio::test]
async fn contact_data_are_not_asked_for_where_nobody_needs_them() {
    let server = Server::start(shop).await;
    let Read::Order(digital) = plain(&server).read("700100203").await.unwrap() else { panic!() };
    assert!(!digital.has_shipping());
    let skips = connected(&server.base, &[("contact", "skip")], &Hand::new(), Keys::default());
    let Read::Order(order) = skips.read("700100201").await.unwrap() else { panic!() };
    assert_eq!(order.ship_to.unwrap().email, None);
    assert!(server.asked_at("/READ").iter().all(|asked| asked.path.contains("/Orders/")));
}

#[tokio::test]
async fn a_buyer_without_record_is_no_failure_and_a_buyer_who_cannot_be_read_is_one() {
    let absent =
        Server::start(|asked| if asked.path.contains("/Clients/") { (200, no_data()) } else { shop(asked) })
            .await;
    let Read::Order(order) = plain(&absent).read("700100201").await.unwrap() else { panic!() };
    assert_eq!(order.ship_to.unwrap().phone, None);
    let down =
        Server::start(
            |asked| {
                if asked.path.contains("/Clients/") { (503, String::new()) } else { shop(asked) }
            },
        )
        .await;
    assert!(plain(&down).read("700100201").await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn an_order_that_cannot_be_one_is_unreadable_under_its_number() {
    let server =
        Server::start(|_| (200, "<Response success=\"true\"><OrderInfo/></Response>".to_owned())).await;
    let read = plain(&server).read("700100201").await.unwrap();
    assert!(matches!(read, Read::Unreadable { order: Some(OrderId(700_100_201)), .. }), "{read:?}");
}

#[tokio::test]
async fn what_is_no_answer_of_the_store_is_tried_again() {
    let page = "<!DOCTYPE html><html><body>Sorry, avery@example.com</body></html>";
    for (status, body, says) in [
        (200, page, "is a web page"),
        (200, "", "is empty"),
        (200, "<Response success=\"true\"><OrderInfo>", "ends too early"),
        (200, "\u{1}\u{2}garbage", "is not XML"),
        (500, "", "answered 500"),
        (502, page, "answered 502"),
        (404, page, "answered 404"),
        (302, "", "check base_url"),
        (500, "<Response success=\"true\"/>", "answered 500"),
    ] {
        let server = Server::start(move |_| (status, body.to_owned())).await;
        let store = plain(&server);
        let read = store.read("700100201").await.unwrap_err();
        let list = OrderSource::list(&store, window(), 0).await.unwrap_err();
        for failure in [read, list] {
            assert!(failure.is_retryable(), "{failure}");
            assert!(shown(&failure).contains(says), "{failure}");
        }
    }
}

#[tokio::test]
async fn who_asks_us_to_wait_is_heard() {
    let server = Server::start(|_| (429, String::new())).await;
    let clock = Hand::new();
    let store = connected(&server.base, &[], &clock, Keys::default());
    let failure = store.read("7").await.unwrap_err();
    assert_eq!(failure.wait().unwrap().as_secs(), 7);
    let before = clock.now();
    let _again = store.read("7").await.unwrap_err();
    assert_eq!(clock.now().duration_since(before).as_secs(), 7);
}

#[tokio::test]
async fn whoever_asks_the_store_together_is_heard_one_by_one_and_at_its_pace() {
    let clock = Hand::new();
    let (began, heard) = (clock.now(), Arc::new(Mutex::new(Vec::new())));
    let (times, watch) = (heard.clone(), clock.clone());
    let server = Server::start(move |asked| {
        times.lock().unwrap().push(watch.now().duration_since(began).as_millis());
        shop(asked)
    })
    .await;
    let store = connected(&server.base, &[("requests_per_second", "2")], &clock, Keys::default());
    let (lists, reads) = (0..5, 0..5);
    let lists = lists.map(|_| async { OrderSource::list(&store, window(), 0).await.is_ok() }.boxed());
    let reads = reads.map(|_| async { store.read("700100203").await.is_ok() }.boxed());
    let answers = futures_util::future::join_all(lists.chain(reads)).await;
    assert!(answers.into_iter().all(|is_ok| is_ok));
    // Two that were under way at the same time would have waited at the same time, too.
    assert_eq!(*heard.lock().unwrap(), (0..10).map(|n| n * 500).collect::<Vec<i128>>());
}

#[tokio::test]
async fn a_store_that_hangs_up_half_way_is_asked_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _some = socket.read(&mut request).await.unwrap();
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n<Response success=\"true\"><OrderInfo>";
        socket.write_all(half.as_bytes()).await.unwrap();
    });
    let store = connected(&base, &[], &Hand::new(), Keys::default());
    let failure = store.read("7").await.unwrap_err();
    assert!(failure.is_retryable() && shown(&failure).contains("hung up"), "{failure}");
}

#[tokio::test]
async fn a_refused_key_is_fetched_anew_and_nothing_is_lost() {
    let server = Server::start(|_| (200, fixture!("error-bad-key-ASSUMED.xml"))).await;
    let (keys, clock) = (Keys::default(), Hand::new());
    let store = connected(&server.base, &[("auth_codes", "9900, 9901")], &clock, keys.clone());
    for fetched in [2, 2, 3] {
        let failure = store.read("7").await.unwrap_err();
        assert!(failure.is_retryable() && shown(&failure).contains("check merchant_id and api_key"));
        assert_eq!(*keys.0.lock().unwrap(), fetched, "not more than twice a minute");
        clock.sleep(Duration::from_secs(15)).await;
    }
    assert_eq!(server.asked().len(), 3, "the same key is not tried twice");
    let locked = Server::start(|_| (401, String::new())).await;
    let store = connected(&locked.base, &[], &Hand::new(), keys.clone());
    assert!(store.read("7").await.unwrap_err().message.contains("api_key"));
}

#[tokio::test]
async fn a_rotated_key_costs_no_wait() {
    let refusals = [(200, fixture!("error-bad-key-ASSUMED.xml")), (401, String::new())];
    for (status, refusal) in refusals {
        let server = Server::start(move |asked: &Asked| match asked.body.contains("<Key>a-new-key</Key>") {
            true => (200, fixture!("order-read-physical.xml")),
            false => (status, refusal.clone()),
        });
        let (server, keys) = (server.await, Keys::default());
        let store = connected(&server.base, &[("auth_codes", "9901")], &Hand::new(), keys.clone());
        store.0.config.key.get().await.unwrap();
        *keys.1.lock().unwrap() = Some("a-new-key".to_owned());
        let read = store.read("700100201").await;
        assert!(matches!(read, Ok(Read::Order(_))), "{read:?}");
        let asked = server.asked_at("/Orders/700100201/READ");
        assert_eq!(asked.iter().map(|asked| asked.body.contains(KEY)).collect::<Vec<_>>(), [true, false]);
    }
}

#[tokio::test]
async fn an_error_code_is_permanent_unless_a_setting_says_otherwise() {
    let server = Server::start(|_| (200, fixture!("error-bad-key-ASSUMED.xml"))).await;
    let failure = plain(&server).read("7").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Permanent);
    assert!(shown(&failure).contains("error 9901: SIMULATED: merchant key rejected"), "{failure}");
    let patient = connected(&server.base, &[("retryable_codes", "9901")], &Hand::new(), Keys::default());
    assert!(patient.read("7").await.unwrap_err().is_retryable());
    let busy = Server::start(|_| (503, fixture!("error-bad-key-ASSUMED.xml"))).await;
    assert!(plain(&busy).read("7").await.unwrap_err().is_retryable(), "an outage is an outage");
    let odd = Server::start(|_| (404, fixture!("error-bad-key-ASSUMED.xml"))).await;
    assert_eq!(plain(&odd).read("7").await.unwrap_err().kind, Kind::Permanent, "the body counts");
}

#[tokio::test]
async fn get_is_a_switch() {
    let server = Server::start(shop).await;
    let store = connected(&server.base, &[("verb", "get")], &Hand::new(), Keys::default());
    OrderSource::list(&store, window(), 0).await.unwrap();
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("GET", ""));
    let query = format!(
        "key={KEY}&LimitCount=100&LimitOffset=0&SortOrder=ASC&LimitStartDate=10%2F05%2F2026+00%3A00%3A00\
         &LimitEndDate=10%2F06%2F2026+23%3A59%3A59"
    );
    assert_eq!(asked.query, query);
    let gone = connected("http://127.0.0.1:9", &[("verb", "get")], &Hand::new(), Keys::default());
    assert!(shown(&gone.read("7").await.unwrap_err()).contains("cannot be reached"));
}

#[tokio::test]
async fn a_token_leads_to_no_other_path() {
    let server = Server::start(|_| (200, no_data())).await;
    let store = plain(&server);
    assert_eq!(store.read("{a/../b?c#d%2e}").await.unwrap(), Read::Absent);
    assert_eq!(server.asked()[0].path, "/API/900001/Orders/%7Ba%2F..%2Fb%3Fc%23d%252e%7D/READ");
    for which in ["", ".", "..", "a b", "é", &"7".repeat(201)] {
        assert_eq!(store.read(which).await.unwrap_err().kind, Kind::Permanent, "{which:?}");
    }
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn two_a_second_and_no_more() {
    let server = Server::start(|_| (200, no_data())).await;
    let clock = Hand::new();
    let store = connected(&server.base, &[], &clock, Keys::default());
    let before = clock.now();
    for _ in 0..5 {
        assert_eq!(store.read("7").await.unwrap(), Read::Absent);
    }
    assert_eq!(clock.now().duration_since(before).as_secs(), 2);
}

#[tokio::test]
async fn products_can_be_listed_and_read() {
    let server = Server::start(shop).await;
    let store = plain(&server);
    let page = store.page(0).await.unwrap();
    assert_eq!((page.products.as_slice(), page.next_offset), ([9_300_011, 9_300_012].as_slice(), None));
    let product = store.product(9_300_011).await.unwrap().unwrap();
    assert_eq!(product.sku.unwrap().as_str(), "MUG-12-BLU");
}

fn outcome(findings: &[Finding]) -> Vec<(&str, Option<bool>)> {
    findings.iter().map(|finding| (finding.what.as_str(), finding.ok)).collect()
}

#[tokio::test]
async fn a_check_says_what_the_store_allows() {
    let server = Server::start(shop).await;
    let findings = plain(&server).check().await;
    assert_eq!(
        outcome(&findings),
        [
            ("store", Some(true)),
            ("orders", Some(true)),
            ("products", Some(true)),
            ("clients", Some(true)),
            ("commands", Some(true)),
            ("write-back", None),
            // The clock of the test stands in the past, that of the server goes right.
            ("clock", Some(false))
        ]
    );
    assert!(findings[4].detail.ends_with("LIST, READ, COUNT"), "{}", findings[4].detail);
    assert!(findings[5].detail.contains("lists no UPDATE command"), "{}", findings[5].detail);
    assert!(findings.iter().all(|finding| !finding.detail.contains(KEY)));
}

#[tokio::test]
async fn a_check_of_a_closed_door_stops_there() {
    let server = Server::start(|_| (200, fixture!("error-bad-key-ASSUMED.xml"))).await;
    let findings = plain(&server).check().await;
    assert_eq!(outcome(&findings), [("store", Some(false)), ("clock", Some(false))]);
    assert!(findings[0].detail.contains("9901"), "{}", findings[0].detail);
    let empty = Server::start(|_| (200, no_data())).await;
    let findings = plain(&empty).check().await;
    assert_eq!(outcome(&findings)[..2], [("store", Some(true)), ("orders", None)]);
}

#[test]
fn a_wrong_setting_is_named_with_its_cure() {
    let wrong = [
        ("merchant_id", "me"),
        ("api_key", "plain"),
        ("base_url", "www.mcssl.com"),
        ("base_url", "https://user:secret@example.com"),
        ("base_url", "https://example.com/?x=1"),
        ("time_zone", "Mars/Olympus"),
        ("verb", "patch"),
        ("timeout_seconds", "0"),
        ("requests_per_second", "0"),
        ("requests_per_second", "1000"),
        ("contact", "maybe"),
        ("auth_codes", "99 01"),
        ("retryable_codes", "<9901>"),
        ("writeback.mode", "on"),
        ("writeback.verb", "delete"),
        ("writeback.path", "Orders/{order_id}"),
        ("writeback.path", "/Orders/{order}/UPDATE"),
        ("writeback.path", "/x/{order_id}"),
        ("writeback.body", "<a>{key}{order_id}</a>"),
        ("writeback.body", "<a>{tracking}</a>"),
        ("writeback.verify", "perhaps"),
    ];
    for (key, value) in wrong {
        let error = configured("https://www.mcssl.com", &[(key, value)], &Hand::new(), Keys::default());
        let error = error.err().unwrap_or_else(|| panic!("{key} = {value}"));
        let blamed = if value.contains("{key}") { "writeback.path" } else { key };
        assert_eq!((error.key.as_str(), error.scope.as_str()), (blamed, "connection main, store"));
        assert!(KEYS.contains(&key) && !error.problem.contains("user:"), "{error}");
    }
}
