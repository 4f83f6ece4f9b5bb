//! Orders at the simulated warehouse: taken, refused, found, cancelled, and every way to prove who calls.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use simulator::warehouse::{Auth, Duplicates, Endpoint, Parcels, Status, Warehouse, WarehouseOptions};
use support::client;

const KEY: &str = "simulated-warehouse-key";

async fn start(options: WarehouseOptions) -> Warehouse {
    Warehouse::start(options).await.expect("a port")
}

fn order(reference: &str) -> Value {
    json!({
        "reference": reference, "order_number": "700100301", "ordered_at": "2026-10-05T13:14:27Z",
        "service": "UPS-GROUND", "comments": "", "total": "28.95", "currency": "USD",
        "ship_to": {"name": "Avery Example", "line1": "100 Sample Street", "city": "Springfield",
                    "region": "IL", "postal_code": "62701", "country": "US"},
        "items": [{"line": "1", "sku": "W-MUG-BLUE", "name": "Mug", "quantity": 2, "unit_price": "14.50"}],
    })
}

async fn send(
    warehouse: &Warehouse,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> (u16, Value) {
    let method = method.parse().expect("a method");
    let mut request = client().request(method, format!("{}{path}", warehouse.base_url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body.to_string()).send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON"))
}

async fn create(warehouse: &Warehouse, body: &Value) -> (u16, Value) {
    send(warehouse, "POST", "/v1/orders", &[("x-api-key", KEY)], body).await
}

async fn get(warehouse: &Warehouse, path: &str) -> (u16, Value) {
    send(warehouse, "GET", path, &[("x-api-key", KEY)], &Value::Null).await
}

#[tokio::test]
async fn an_order_is_taken_and_found_by_reference_and_id() {
    let warehouse = start(WarehouseOptions::default()).await;
    let answer = create(&warehouse, &order("R-1")).await;
    assert_eq!(answer, (201, json!({"id": "WO-1001", "reference": "R-1", "status": "accepted"})));
    let (_, found) = get(&warehouse, "/v1/orders?reference=R-1").await;
    assert_eq!(found["orders"][0]["id"], "WO-1001");
    let (_, found) = get(&warehouse, "/v1/orders?reference=R").await;
    assert_eq!(found, json!({"orders": []}));
    assert_eq!(get(&warehouse, "/v1/orders/WO-1001").await.1["status"], "accepted");
    assert_eq!(get(&warehouse, "/v1/orders/WO-9").await.0, 404);
    assert_eq!((warehouse.creates_for("R-1"), warehouse.books().units), (1, 2));
}

#[tokio::test]
async fn a_second_order_of_a_reference_is_refused_taken_or_recognised_as_the_switch_says() {
    let warehouse = start(WarehouseOptions::default()).await;
    create(&warehouse, &order("R-1")).await;
    assert_eq!(
        create(&warehouse, &order("R-1")).await,
        (409, json!({"error": "duplicate", "id": "WO-1001"}))
    );
    assert_eq!((warehouse.creates_for("R-1"), warehouse.counts().duplicates), (1, 1));

    let warehouse =
        start(WarehouseOptions { duplicates: Duplicates::Accept, ..WarehouseOptions::default() }).await;
    create(&warehouse, &order("R-1")).await;
    assert_eq!(create(&warehouse, &order("R-1")).await.0, 201);
    assert_eq!((warehouse.creates_for("R-1"), warehouse.books().duplicates), (2, 1));

    let warehouse =
        start(WarehouseOptions { duplicates: Duplicates::ByKey, ..WarehouseOptions::default() }).await;
    let headers = [("x-api-key", KEY), ("idempotency-key", "K-1")];
    for _ in 0..2 {
        let (status, answer) = send(&warehouse, "POST", "/v1/orders", &headers, &order("R-1")).await;
        assert_eq!((status, &answer["id"]), (201, &json!("WO-1001")));
    }
    create(&warehouse, &order("R-1")).await;
    assert_eq!(warehouse.creates_for("R-1"), 2);
}

#[tokio::test]
async fn an_order_with_something_missing_is_refused_with_the_reason() {
    let warehouse = start(WarehouseOptions::default()).await;
    for (pointer, value, reason) in [
        ("/reference", json!(""), "reference is missing"),
        ("/order_number", Value::Null, "order_number is missing"),
        ("/service", json!("DRONE"), "unknown service DRONE"),
        ("/ship_to", Value::Null, "ship_to is missing"),
        ("/ship_to/city", json!(" "), "ship_to.city is missing"),
        ("/items", json!([]), "there are no items"),
        ("/items/0/sku", json!(""), "an item has no sku"),
        ("/items/0/sku", json!("W-NOPE"), "unknown sku W-NOPE"),
        ("/items/0/quantity", json!(0), "the quantity of W-MUG-BLUE is no positive number"),
        ("/items/0/quantity", json!("2"), "the quantity of W-MUG-BLUE is no positive number"),
    ] {
        let mut body = order("R-1");
        *body.pointer_mut(pointer).expect("in the order") = value;
        assert_eq!(create(&warehouse, &body).await, (422, json!({"error": "refused", "reason": reason})));
    }
    assert_eq!((warehouse.orders().len(), warehouse.counts().refused), (0, 10));
}

#[tokio::test]
async fn a_new_order_is_invisible_to_look_ups_for_the_lag() {
    let lag = Duration::from_secs(3600);
    let warehouse = start(WarehouseOptions { lookup_lag: lag, ..WarehouseOptions::default() }).await;
    create(&warehouse, &order("R-1")).await;
    assert_eq!(get(&warehouse, "/v1/orders?reference=R-1").await.1, json!({"orders": []}));
    assert_eq!(get(&warehouse, "/v1/orders/WO-1001").await.0, 200);
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_something_left() {
    let warehouse = start(WarehouseOptions::default()).await;
    create(&warehouse, &order("R-1")).await;
    create(&warehouse, &order("R-2")).await;
    let cancel = |id: &'static str| {
        let warehouse = &warehouse;
        async move {
            send(warehouse, "POST", &format!("/v1/orders/{id}/cancel"), &[("x-api-key", KEY)], &Value::Null)
                .await
        }
    };
    assert_eq!(cancel("WO-1001").await.0, 200);
    assert_eq!(cancel("WO-1001").await.0, 200);
    assert_eq!(warehouse.order("R-1").expect("known").status, Status::Cancelled);
    assert!(warehouse.ship("R-1", &Parcels::One).is_empty());
    warehouse.ship("R-2", &Parcels::One);
    assert_eq!(cancel("WO-1002").await, (409, json!({"error": "refused", "reason": "already shipped"})));
    assert_eq!(cancel("WO-1").await.0, 404);
    assert_eq!((warehouse.books().cancelled, warehouse.books().shipped), (1, 1));
}

#[tokio::test]
async fn orders_take_from_the_stock_and_cancelling_gives_back_once() {
    let warehouse = start(WarehouseOptions::default()).await;
    warehouse.set_stock("W-MUG-BLUE", 5);
    create(&warehouse, &order("R-1")).await;
    let mugs = |answer: Value| {
        let stock = answer["stock"].as_array().expect("a list").clone();
        stock.into_iter().find(|row| row["sku"] == "W-MUG-BLUE").expect("listed")["available"].clone()
    };
    assert_eq!(mugs(get(&warehouse, "/v1/stock").await.1), 3);
    for _ in 0..2 {
        send(&warehouse, "POST", "/v1/orders/WO-1001/cancel", &[("x-api-key", KEY)], &Value::Null).await;
    }
    assert_eq!(mugs(get(&warehouse, "/v1/stock").await.1), 5);
}

#[tokio::test]
async fn wrong_credentials_are_answered_401_in_every_scheme() {
    let basic = Auth::Basic { user: "cart".to_owned(), password: "s3:cret".to_owned() };
    for (auth, right, wrong) in [
        (Auth::ApiKey("k".to_owned()), ("x-api-key", "k"), ("x-api-key", "K")),
        (Auth::Bearer("t".to_owned()), ("authorization", "Bearer t"), ("authorization", "Bearer tt")),
        (basic, ("authorization", "Basic Y2FydDpzMzpjcmV0"), ("authorization", "Basic Y2FydDo=")),
    ] {
        let warehouse = start(WarehouseOptions { auth, ..WarehouseOptions::default() }).await;
        assert_eq!(send(&warehouse, "GET", "/v1/stock", &[wrong], &Value::Null).await.0, 401);
        assert_eq!(send(&warehouse, "POST", "/v1/orders", &[], &order("R-1")).await.0, 401);
        assert_eq!(send(&warehouse, "GET", "/v1/stock", &[right], &Value::Null).await.0, 200);
        assert_eq!((warehouse.counts().unauthorized, warehouse.orders().len()), (2, 0));
    }
}

#[tokio::test]
async fn oauth_gives_tokens_for_the_right_secret_and_they_expire() {
    let auth = Auth::OAuth2 {
        client_id: "cart".to_owned(),
        client_secret: "hush hush".to_owned(),
        lifetime: Duration::from_secs(600),
    };
    let warehouse = start(WarehouseOptions { auth, ..WarehouseOptions::default() }).await;
    let token = |form: &'static str| {
        let url = format!("{}/oauth/token", warehouse.base_url());
        async move {
            let response = client().post(url).body(form).send().await.expect("an answer");
            let status = response.status().as_u16();
            let body: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
            (status, body)
        }
    };
    assert_eq!(token("grant_type=client_credentials&client_id=cart&client_secret=no").await.0, 401);
    assert_eq!(token("grant_type=password").await.0, 400);
    let (status, answer) =
        token("grant_type=client_credentials&client_id=cart&client_secret=hush+hush").await;
    assert_eq!((status, &answer["token_type"], &answer["expires_in"]), (200, &json!("Bearer"), &json!(600)));
    let bearer = format!("Bearer {}", answer["access_token"].as_str().expect("a token"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(send(&warehouse, "GET", "/v1/stock", &headers, &Value::Null).await.0, 200);
    warehouse.expire_tokens();
    assert_eq!(send(&warehouse, "GET", "/v1/stock", &headers, &Value::Null).await.0, 401);
    assert_eq!(warehouse.counts().of(Endpoint::Token), 3);
}
