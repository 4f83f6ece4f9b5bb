//! Parcels of the simulated warehouse: shipped, split, taken back, asked for, told by webhook.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use simulator::warehouse::{
    Manner, Parcels, Shipment, Status, Warehouse, WarehouseOptions, Webhook, signature,
};
use support::{Received, Receiver, client, soon};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn warehouse_telling(receiver: &Receiver) -> Warehouse {
    let webhook = Some(Webhook { url: receiver.url.clone(), secret: SECRET.to_owned() });
    let retry_delays = vec![Duration::from_millis(1); 3];
    let options = WarehouseOptions { webhook, retry_delays, ..WarehouseOptions::default() };
    Warehouse::start(options).await.expect("a port")
}

async fn order(warehouse: &Warehouse, reference: &str) {
    let body = json!({
        "reference": reference, "order_number": "1", "service": "USPS-PRIORITY",
        "ship_to": {"name": "A", "line1": "1 Street", "city": "C", "country": "US"},
        "items": [{"sku": "W-MUG-BLUE", "quantity": 2}, {"sku": "W-TEA-100G", "quantity": 1}],
    });
    let url = format!("{}/v1/orders", warehouse.base_url());
    let request = client().post(url).header("x-api-key", "simulated-warehouse-key").body(body.to_string());
    assert_eq!(request.send().await.expect("an answer").status().as_u16(), 201);
}

async fn feed(warehouse: &Warehouse, query: &str) -> Value {
    let url = format!("{}/v1/shipments{query}", warehouse.base_url());
    let response =
        client().get(url).header("x-api-key", "simulated-warehouse-key").send().await.expect("an answer");
    serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON")
}

fn contents(shipments: &[Shipment]) -> Vec<(Vec<(&str, u32)>, bool)> {
    shipments
        .iter()
        .map(|shipment| {
            (
                shipment.items.iter().map(|item| (item.sku.as_str(), item.quantity)).collect(),
                shipment.complete,
            )
        })
        .collect()
}

fn is_genuine(got: &Received) -> bool {
    let signed = signature(SECRET, got.header("webhook-id"), got.header("webhook-timestamp"), &got.body);
    got.header("webhook-signature") == signed
}

#[tokio::test]
async fn one_parcel_takes_everything_and_completes_the_order() {
    let warehouse = warehouse_telling(&Receiver::start(&[]).await).await;
    order(&warehouse, "R-1").await;
    let shipped = warehouse.ship("R-1", &Parcels::One);
    assert_eq!(contents(&shipped), [(vec![("W-MUG-BLUE", 2), ("W-TEA-100G", 1)], true)]);
    assert_eq!((shipped[0].carrier.as_str(), shipped[0].tracking_number.len()), ("USPS", 22));
    assert!(warehouse.ship("R-1", &Parcels::One).is_empty());
    assert!(warehouse.ship("R-2", &Parcels::One).is_empty());
}

#[tokio::test]
async fn a_partial_parcel_leaves_the_rest_for_later_ones() {
    let warehouse = warehouse_telling(&Receiver::start(&[]).await).await;
    order(&warehouse, "R-1").await;
    let first = warehouse.ship("WO-1001", &Parcels::Some(vec![("W-MUG-BLUE".to_owned(), 1)]));
    assert_eq!(contents(&first), [(vec![("W-MUG-BLUE", 1)], false)]);
    assert_eq!(warehouse.order("R-1").expect("known").status, Status::PartlyShipped);
    let rest = warehouse.ship("R-1", &Parcels::Split(2));
    assert_eq!(contents(&rest), [(vec![("W-MUG-BLUE", 1)], false), (vec![("W-TEA-100G", 1)], true)]);
    assert_eq!(warehouse.books().parcels, 3);
    let numbers: std::collections::BTreeSet<_> =
        warehouse.shipments().into_iter().map(|shipment| shipment.tracking_number).collect();
    assert_eq!(numbers.len(), 3);
}

#[tokio::test]
async fn the_feed_is_read_page_by_page_and_shows_a_voided_parcel_again() {
    let warehouse = warehouse_telling(&Receiver::start(&[]).await).await;
    for reference in ["R-1", "R-2", "R-3"] {
        order(&warehouse, reference).await;
    }
    assert_eq!(warehouse.ship_everything().len(), 3);
    let first = feed(&warehouse, "?limit=2").await;
    assert_eq!((first["shipments"].as_array().map(Vec::len), &first["more"]), (Some(2), &json!(true)));
    assert_eq!(feed(&warehouse, "?limit=2").await, first);
    let next = first["next"].as_str().expect("a cursor");
    let second = feed(&warehouse, &format!("?limit=2&after={next}")).await;
    assert_eq!((&second["shipments"][0]["reference"], &second["more"]), (&json!("R-3"), &json!(false)));
    let next = second["next"].as_str().expect("a cursor");
    assert_eq!(feed(&warehouse, &format!("?after={next}")).await["next"], second["next"]);
    assert!(warehouse.void("SH-1"));
    assert!(!warehouse.void("SH-1"));
    let third = feed(&warehouse, &format!("?after={next}")).await;
    assert_eq!(
        (&third["shipments"][0]["id"], &third["shipments"][0]["voided"]),
        (&json!("SH-1"), &json!(true))
    );
    assert_eq!(feed(&warehouse, "?reference=R-2").await["shipments"].as_array().map(Vec::len), Some(1));
    assert_eq!(warehouse.ship("R-1", &Parcels::One).len(), 1);
}

#[tokio::test]
async fn a_webhook_is_signed_and_carries_the_shipment() {
    let receiver = Receiver::start(&[]).await;
    let warehouse = warehouse_telling(&receiver).await;
    order(&warehouse, "R-1").await;
    warehouse.ship("R-1", &Parcels::One);
    let got = receiver.first(1).await.remove(0);
    assert!(is_genuine(&got));
    let body: Value = serde_json::from_slice(&got.body).expect("JSON");
    assert_eq!(body["event"], "shipment.created");
    assert_eq!(body["shipment"], feed(&warehouse, "").await["shipments"][0]);
    warehouse.void("SH-1");
    let got = receiver.first(2).await.remove(1);
    assert!(got.text().contains("shipment.voided") && is_genuine(&got));
}

#[tokio::test]
async fn a_webhook_is_tried_again_until_it_is_taken_or_its_tries_are_used_up() {
    let receiver = Receiver::start(&[503, 500]).await;
    let warehouse = warehouse_telling(&receiver).await;
    order(&warehouse, "R-1").await;
    warehouse.ship("R-1", &Parcels::One);
    soon(warehouse.until(|warehouse| warehouse.deliveries().len() == 3)).await;
    let statuses: Vec<_> = warehouse.deliveries().iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [Some(503), Some(500), Some(200)]);
    let ids: Vec<_> = receiver.first(3).await.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| id == &ids[0]));

    let receiver = Receiver::start(&[500; 9]).await;
    let warehouse = warehouse_telling(&receiver).await;
    order(&warehouse, "R-1").await;
    warehouse.ship("R-1", &Parcels::One);
    soon(warehouse.until(|warehouse| warehouse.deliveries().len() == 4)).await;
    assert_eq!(receiver.count(), 4);
}

#[tokio::test]
async fn spoiled_webhooks_are_spoiled_in_exactly_one_way() {
    for (manner, genuine, fresh, json) in [
        (Manner { wrong_signature: true, ..Manner::default() }, false, true, true),
        (Manner { stale: true, ..Manner::default() }, true, false, true),
        (Manner { garbage: true, ..Manner::default() }, true, true, false),
    ] {
        let receiver = Receiver::start(&[]).await;
        let warehouse = warehouse_telling(&receiver).await;
        warehouse.set_manner(manner.clone());
        order(&warehouse, "R-1").await;
        let shipped = warehouse.ship("R-1", &Parcels::One);
        let got = receiver.first(1).await.remove(0);
        let age = shipped[0].shipped_at.as_second()
            - got.header("webhook-timestamp").parse::<i64>().expect("seconds");
        let reads = serde_json::from_slice::<Value>(&got.body).is_ok();
        assert_eq!((is_genuine(&got), age < 300, reads), (genuine, fresh, json), "{manner:?}");
    }
}

#[tokio::test]
async fn webhooks_are_repeated_reordered_or_withheld_as_the_manner_says() {
    let receiver = Receiver::start(&[]).await;
    let warehouse = warehouse_telling(&receiver).await;
    for reference in ["R-1", "R-2", "R-3"] {
        order(&warehouse, reference).await;
    }
    warehouse.set_manner(Manner { times: 2, ..Manner::default() });
    warehouse.ship("R-1", &Parcels::One);
    let got = receiver.first(2).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    warehouse.set_manner(Manner { reorder: true, ..Manner::default() });
    warehouse.ship("R-2", &Parcels::One);
    warehouse.ship("R-3", &Parcels::One);
    let got = receiver.first(4).await;
    assert!(got[2].text().contains("R-3") && got[3].text().contains("R-2"));
    warehouse.set_manner(Manner { silent: true, ..Manner::default() });
    warehouse.void("SH-1");
    warehouse.set_manner(Manner::default());
    warehouse.tell_again("SH-3");
    assert!(receiver.first(5).await[4].text().contains("SH-3"));
}

#[tokio::test]
async fn a_kept_back_webhook_can_be_sent_alone() {
    let receiver = Receiver::start(&[]).await;
    let warehouse = warehouse_telling(&receiver).await;
    order(&warehouse, "R-1").await;
    warehouse.set_manner(Manner { reorder: true, ..Manner::default() });
    warehouse.ship("R-1", &Parcels::One);
    assert_eq!(receiver.count(), 0);
    warehouse.send_kept_back();
    assert!(receiver.first(1).await[0].text().contains("R-1"));
}

#[tokio::test]
async fn a_webhook_can_arrive_before_the_create_is_answered() {
    let receiver = Receiver::start(&[]).await;
    let warehouse = warehouse_telling(&receiver).await;
    warehouse.set_manner(Manner { before_create_answer: true, ..Manner::default() });
    order(&warehouse, "R-1").await;
    assert_eq!(receiver.count(), 1);
    assert_eq!(warehouse.order("R-1").expect("known").status, Status::Shipped);
}
