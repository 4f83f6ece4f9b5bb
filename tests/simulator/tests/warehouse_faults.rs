//! Every fault of the simulated warehouse: what the client sees, and whether the order exists afterwards.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use simulator::faults::When;
use simulator::warehouse::{Endpoint, Fault, FaultPlan, Warehouse, WarehouseOptions};
use support::{client, soon};

async fn warehouse(fault: Fault) -> Warehouse {
    let warehouse = Warehouse::start(WarehouseOptions::default()).await.expect("a port");
    warehouse.plan_faults(FaultPlan::new().and_about("R-1", Endpoint::Create, When::Next(1), fault));
    warehouse
}

/// The answer to a create with reference R-1: status and body, or none when the connection ended before.
async fn create(warehouse: &Warehouse) -> Option<(u16, Vec<u8>)> {
    let body = json!({
        "reference": "R-1", "order_number": "1", "service": "UPS-GROUND",
        "ship_to": {"name": "A", "line1": "1 Street", "city": "C", "country": "US"},
        "items": [{"sku": "W-MUG-BLUE", "quantity": 1}],
    });
    let request = client().post(format!("{}/v1/orders", warehouse.base_url())).body(body.to_string());
    let response = request.header("x-api-key", "simulated-warehouse-key").send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.bytes().await.ok()?.to_vec()))
}

/// Sends a create that meets its fault, and gives up on the answer.
async fn create_in_vain(warehouse: &Warehouse) {
    let mut create = std::pin::pin!(create(warehouse));
    tokio::select! {
        answer = &mut create => panic!("it should not be answered: {answer:?}"),
        () = soon(warehouse.until(|warehouse| warehouse.counts().faults == 1)) => {}
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), create).await.is_err());
}

#[tokio::test]
async fn an_unclear_create_leaves_one_order_and_the_second_try_is_a_duplicate() {
    for fault in [Fault::DoneButHangUp, Fault::DoneButHalfBody] {
        let warehouse = warehouse(fault.clone()).await;
        assert_eq!(create(&warehouse).await, None, "{fault:?}");
        assert_eq!(warehouse.creates_for("R-1"), 1, "{fault:?}");
        assert_eq!(create(&warehouse).await.map(|(status, _)| status), Some(409), "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_is_not_answered_leaves_one_order_too() {
    for fault in [Fault::DoneButSilent, Fault::DoneButSlow(Duration::from_secs(30))] {
        let warehouse = warehouse(fault.clone()).await;
        create_in_vain(&warehouse).await;
        assert_eq!(warehouse.creates_for("R-1"), 1, "{fault:?}");
        assert_eq!(create(&warehouse).await.map(|(status, _)| status), Some(409), "{fault:?}");
    }
}

#[tokio::test]
async fn a_create_that_is_not_even_read_leaves_none() {
    let warehouse = warehouse(Fault::Silence).await;
    create_in_vain(&warehouse).await;
    assert_eq!(warehouse.creates_for("R-1"), 0);
    assert_eq!(create(&warehouse).await.map(|(status, _)| status), Some(201));
}

#[tokio::test]
async fn a_create_can_be_done_and_answered_with_nonsense() {
    for (fault, status) in [(Fault::DoneButGarbage, 200), (Fault::DoneButServerError, 500)] {
        let warehouse = warehouse(fault.clone()).await;
        let (got, body) = create(&warehouse).await.expect("an answer");
        assert!(got == status && !String::from_utf8_lossy(&body).contains("WO-"), "{fault:?}");
        assert_eq!(warehouse.creates_for("R-1"), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_late_create_lands_after_the_client_has_gone() {
    let warehouse = warehouse(Fault::DoneLate(Duration::from_secs(1))).await;
    assert_eq!(create(&warehouse).await, None);
    assert_eq!(warehouse.creates_for("R-1"), 0);
    soon(warehouse.until(|warehouse| warehouse.creates_for("R-1") == 1)).await;
}

#[tokio::test]
async fn a_fault_without_effect_leaves_no_order_and_the_second_try_succeeds() {
    for (fault, status) in [
        (Fault::HangUp, None),
        (Fault::TooMany { retry_after: 7 }, Some(429)),
        (Fault::Unavailable, Some(503)),
        (Fault::ServerError, Some(500)),
        (Fault::Unauthorized, Some(401)),
        (Fault::Refuse("address not deliverable".to_owned()), Some(422)),
        (Fault::Garbage, Some(200)),
        (Fault::HtmlPage, Some(200)),
    ] {
        let warehouse = warehouse(fault.clone()).await;
        assert_eq!(create(&warehouse).await.map(|(status, _)| status), status, "{fault:?}");
        assert_eq!(warehouse.creates_for("R-1"), 0, "{fault:?}");
        assert_eq!(create(&warehouse).await.map(|(status, _)| status), Some(201), "{fault:?}");
        assert_eq!(warehouse.counts().faults, 1);
    }
}

#[tokio::test]
async fn a_refusal_carries_its_reason_and_429_its_wait() {
    let refusing = warehouse(Fault::Refuse("address not deliverable".to_owned())).await;
    let (_, body) = create(&refusing).await.expect("an answer");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body, json!({"error": "refused", "reason": "address not deliverable"}));

    let busy = Warehouse::start(WarehouseOptions::default()).await.expect("a port");
    let fault = Fault::TooMany { retry_after: 7 };
    busy.plan_faults(FaultPlan::new().and(Endpoint::Stock, When::Every(2), fault));
    let stock = || {
        let request = client().get(format!("{}/v1/stock", busy.base_url()));
        request.header("x-api-key", "simulated-warehouse-key").send()
    };
    assert_eq!(stock().await.expect("an answer").status().as_u16(), 200);
    let answer = stock().await.expect("an answer");
    assert_eq!(answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()), Some("7"));
    assert_eq!(stock().await.expect("an answer").status().as_u16(), 200);
}
