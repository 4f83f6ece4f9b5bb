//! Every fault of the simulated store, seen from a client.

mod support;

use std::time::Duration;

use simulator::faults::When;
use simulator::shop;
use simulator::store::{Endpoint, Fault, FaultPlan, Store};
use support::{call, client, get, post, soon, store, texts};

async fn store_of_a_day() -> (Store, String) {
    let store = store().await;
    for order in shop::day(1) {
        store.add_order(order);
    }
    let url = format!("{}/API/900001/Orders/LIST?key={}", store.base_url(), store.key());
    (store, url)
}

fn next(fault: Fault) -> FaultPlan {
    FaultPlan::new().and(Endpoint::OrdersList, When::Next(1), fault)
}

#[tokio::test]
async fn a_fault_hits_the_next_call_of_its_kind_only() {
    let (store, url) = store_of_a_day().await;
    store.plan_faults(next(Fault::ServerError));
    assert!(call(&store, "Orders/COUNT", "").await.contains("<Count>"));
    assert_eq!(get(&url).await.0, 500);
    assert_eq!(get(&url).await.0, 200);
    assert_eq!((store.counts().faults, store.counts().of(Endpoint::OrdersList)), (1, 2));
}

#[tokio::test]
async fn a_slow_answer_outlasts_an_impatient_client_and_a_silent_one_every_client() {
    let (store, url) = store_of_a_day().await;
    for (fault, met) in [(Fault::Slow(Duration::from_secs(30)), 1), (Fault::Silence, 2)] {
        store.plan_faults(next(fault));
        let mut request = std::pin::pin!(get(&url));
        tokio::select! {
            answer = &mut request => panic!("it should not be answered: {answer:?}"),
            () = soon(store.until(|store| store.counts().faults == met)) => {}
        }
        assert!(tokio::time::timeout(Duration::from_millis(50), request).await.is_err());
    }
    store.plan_faults(next(Fault::Slow(Duration::from_millis(1))));
    assert!(get(&url).await.1.contains("success=\"true\""));
}

#[tokio::test]
async fn a_hang_up_gives_no_answer_and_half_a_body_gives_headers_only() {
    let (store, url) = store_of_a_day().await;
    store.plan_faults(next(Fault::HangUp));
    assert!(client().get(&url).send().await.is_err());
    store.plan_faults(next(Fault::HalfBody));
    let response = client().get(&url).send().await.expect("the headers come");
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn answers_that_are_no_document_of_the_store() {
    let (store, url) = store_of_a_day().await;
    for (fault, status, start) in [
        (Fault::ServerError, 500, "<html>"),
        (Fault::Unavailable, 503, "<!DOCTYPE html>"),
        (Fault::HtmlPage, 200, "<!DOCTYPE html>"),
        (
            Fault::WrongKey,
            200,
            r#"<?xml version="1.0" encoding="utf-8"?><Response success="false"><Error code="9901">"#,
        ),
        (
            Fault::Error(9950),
            200,
            r#"<?xml version="1.0" encoding="utf-8"?><Response success="false"><Error code="9950">"#,
        ),
    ] {
        store.plan_faults(next(fault.clone()));
        let (got, text) = get(&url).await;
        assert!(got == status && text.starts_with(start), "{fault:?}: {got} {text}");
    }
    store.plan_faults(next(Fault::Garbage));
    let garbage = client().get(&url).send().await.expect("an answer").bytes().await.expect("a body");
    assert!(std::str::from_utf8(&garbage).is_err());
    store.plan_faults(next(Fault::TruncatedXml));
    let (status, text) = get(&url).await;
    assert!(status == 200 && text.contains("<Orders>") && !text.contains("</Response>"));
}

#[tokio::test]
async fn a_fault_about_one_order_leaves_the_others_alone_also_by_token() {
    let (store, _) = store_of_a_day().await;
    let (bad, good) = (700_100_310, 700_100_311);
    store.plan_faults(FaultPlan::new().and_about(bad, Endpoint::OrderRead, When::Always, Fault::Error(9951)));
    let token = store.token(bad).expect("known");
    assert!(call(&store, &format!("Orders/{bad}"), "").await.contains("9951"));
    assert!(call(&store, &format!("Orders/{token}/READ"), "").await.contains("9951"));
    assert!(call(&store, &format!("Orders/{good}"), "").await.contains("OrderInfo"));
    store.clear_faults();
    assert!(call(&store, &format!("Orders/{bad}"), "").await.contains("OrderInfo"));
}

#[tokio::test]
async fn ids_repeat_over_pages_and_none_is_lost() {
    let (store, _) = store_of_a_day().await;
    let ask = |offset: usize| format!("<LimitCount>20</LimitCount><LimitOffset>{offset}</LimitOffset>");
    let first = call(&store, "Orders/LIST", &ask(0)).await;
    store.plan_faults(next(Fault::RepeatIds(3)));
    let second = call(&store, "Orders/LIST", &ask(20)).await;
    assert_eq!(texts(&second, "Order")[..3], texts(&first, "Order")[17..]);
    assert_eq!(texts(&second, "Order").len(), 23);
    assert_eq!(texts(&second, "LimitOffset"), ["40"]);
}

#[tokio::test]
async fn an_order_that_comes_in_while_paging_shifts_a_descending_list() {
    let (store, _) = store_of_a_day().await;
    let ask = |offset: usize| format!("<LimitCount>20</LimitCount><LimitOffset>{offset}</LimitOffset>");
    let mut late = shop::day(1).pop().expect("a day has orders");
    late.id = None;
    store.plan_faults(next(Fault::ThenAdd(Box::new(late))));
    let first = call(&store, "Orders/LIST", &ask(0)).await;
    let second = call(&store, "Orders/LIST", &ask(20)).await;
    assert_eq!(texts(&second, "Order").first(), texts(&first, "Order").last());
}

#[tokio::test]
async fn an_order_changes_its_status_while_the_list_is_paged() {
    let (store, url) = store_of_a_day().await;
    let pending =
        store.orders().into_iter().find(|order| order.status == "Pending").and_then(|order| order.id);
    let id = pending.expect("a day has one");
    store.plan_faults(next(Fault::ThenSetStatus(id, "Accepted")));
    get(&url).await;
    assert_eq!(store.order(id).expect("known").status, "Accepted");
}

#[tokio::test]
async fn an_update_can_be_done_and_its_answer_lost() {
    let (store, _) = store_of_a_day().await;
    let id = 700_100_310;
    let lost = FaultPlan::new().and(Endpoint::OrderUpdate, When::Next(1), Fault::DoneButHangUp);
    store.plan_faults(lost);
    let body = format!(
        "<Request><Key>{}</Key><OrderInfo><Id>{id}</Id><ShippingTrackingMethods><ShippingTrackingMethodInfo>\
         <TrackingNumber>1Z</TrackingNumber></ShippingTrackingMethodInfo></ShippingTrackingMethods></OrderInfo></Request>",
        store.key()
    );
    let url = format!("{}/API/900001/Orders/{id}/UPDATE", store.base_url());
    assert!(client().post(&url).body(body.clone()).send().await.is_err());
    assert_eq!(store.tracking(id).len(), 1);
    assert!(post(&url, &body).await.1.contains("true"));
    assert_eq!(store.books().repeated_updates, 1);
}
