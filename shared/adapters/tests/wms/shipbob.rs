//! ShipBob against a small stateful ShipBob: orders unique per reference, products looked up, shipments queued until they
//! are acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::{self, NAME, SKU, Spoken, StillClock};
use adapters::wms::connect;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use domain::mapping::WarehouseSku;
use domain::ports::Finding;
use domain::shipment::Contents;
use domain::warehouse::{Cancellation, Creation, Heard, RawWebhook, Repeat, StockLevel, Warehouse, Webhook};
use domain::{PackageId, Reference};
use serde_json::{Value, json};

#[derive(Default)]
struct Books {
    skus: Vec<String>,
    orders: Vec<Value>,
    /// Shapes the next refusal: an array of texts, or a map.
    refuse: Option<Value>,
    calls: Vec<String>,
    acknowledged: Vec<i64>,
}

type Shared = Arc<Mutex<Books>>;

async fn shipbob(
    State(books): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut books = books.lock().unwrap();
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    books.calls.push(format!("{method} {}", uri.path()));
    if headers.get("authorization").is_none_or(|value| value != "Bearer the-pat") {
        return (StatusCode::UNAUTHORIZED, "{}".into());
    }
    let channel = headers.get("shipbob_channel_id").is_some_and(|value| value == "433");
    let path = uri.path().strip_prefix("/2026-01/").unwrap_or("wrong version");
    let (status, answer) = match (method, path) {
        (Method::POST, "order") if channel => books.create(&serde_json::from_slice(&body).unwrap()),
        (Method::GET, "order") => (200, books.list(&query)),
        (Method::GET, "product") => (200, books.products(&query)),
        (Method::GET, "inventory-level") => (200, stock(&query)),
        (Method::GET, "channel") => (
            200,
            json!({"items": [{"id": 433, "scopes": ["orders_read", "orders_write"]}, {"id": 1, "scopes": []}]}),
        ),
        (Method::POST, "shipment:batchUpdateTrackingUpload") => {
            books.acknowledge(&serde_json::from_slice(&body).unwrap())
        }
        (Method::POST, path) if path.ends_with(":cancel") => books.cancel(path),
        _ => (404, json!({})),
    };
    (StatusCode::from_u16(status).unwrap(), answer.to_string())
}

impl Books {
    fn create(&mut self, order: &Value) -> (u16, Value) {
        if let Some(complaint) = self.refuse.take() {
            return (422, complaint);
        }
        if self.orders.iter().any(|known| known["reference_id"] == order["reference_id"]) {
            return (422, json!({"ReferenceId": ["duplicate reference id"]}));
        }
        // The trap: what it does not know, it makes up.
        for product in order["products"].as_array().unwrap() {
            self.skus.push(product["reference_id"].as_str().unwrap().to_owned());
        }
        let mut order = order.clone();
        order["id"] = json!(9000 + self.orders.len());
        order["status"] = json!("Processing");
        order["channel"] = json!({"id": 433});
        order["shipments"] = json!([]);
        self.orders.push(order.clone());
        (201, order)
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Value {
        let wanted = query.get("ReferenceIds");
        let open = |order: &Value| {
            let shipments = order["shipments"].as_array().unwrap();
            shipments.iter().any(|s| !s["tracking"].is_null() && s["is_tracking_uploaded"] == json!(false))
        };
        let queued = query.get("HasTracking").is_some_and(|flag| flag == "true")
            && query.get("IsTrackingUploaded").is_some_and(|flag| flag == "false");
        // Its search by reference is not exact: a longer one is found, too.
        let found = self.orders.iter().filter(|order| {
            let reference = order["reference_id"].as_str().unwrap();
            wanted.is_none_or(|wanted| reference.starts_with(wanted.as_str())) && (!queued || open(order))
        });
        let number = |name: &str, default: usize| query.get(name).map_or(default, |n| n.parse().unwrap());
        let (page, limit) = (number("Page", 1), number("Limit", 250));
        Value::Array(found.skip((page - 1) * limit).take(limit).cloned().collect())
    }

    fn products(&self, query: &BTreeMap<String, String>) -> Value {
        let hit = |sku: &&String| sku.contains(query["SKU"].as_str());
        let items =
            self.skus.iter().filter(hit).map(|sku| json!({"id": 1, "variants": [{"id": 2, "sku": sku}]}));
        json!({"items": items.collect::<Vec<_>>(), "next": null})
    }

    fn acknowledge(&mut self, body: &Value) -> (u16, Value) {
        assert_eq!(body["is_tracking_uploaded"], json!(true));
        for id in body["shipment_ids"].as_array().unwrap() {
            self.acknowledged.push(id.as_i64().unwrap());
            for order in &mut self.orders {
                for shipment in order["shipments"].as_array_mut().unwrap() {
                    if shipment["id"] == *id {
                        shipment["is_tracking_uploaded"] = json!(true);
                    }
                }
            }
        }
        (200, json!({"results": [], "summary": {"failed": 0}}))
    }

    fn cancel(&mut self, path: &str) -> (u16, Value) {
        let id: i64 = path.trim_start_matches("order/").trim_end_matches(":cancel").parse().unwrap();
        let Some(order) = self.orders.iter_mut().find(|order| order["id"] == json!(id)) else {
            return (404, json!({}));
        };
        if !order["shipments"].as_array().unwrap().is_empty() {
            return (200, json!({"order_id": id, "status": "Failure"}));
        }
        order["status"] = json!("Cancelled");
        (200, json!({"order_id": id, "status": "Success", "canceled_shipment_results": []}))
    }

    fn ship(&mut self, order: usize, id: i64, status: &str, number: Option<&str>) {
        let tracking = number.map(|number| {
            json!({"carrier": "USPS", "tracking_number": number, "tracking_url": "https://t.example/1",
                   "shipping_date": "2026-11-23T02:00:00+00:00"})
        });
        let item = json!({"id": 5, "quantity": 1});
        let product = json!({"reference_id": SKU, "inventory_items": [item]});
        self.orders[order]["shipments"].as_array_mut().unwrap().push(json!({
            "id": id, "status": status, "is_tracking_uploaded": false, "tracking": tracking, "products": [product],
        }));
    }
}

fn stock(query: &BTreeMap<String, String>) -> Value {
    match query.get("cursor").map(String::as_str) {
        None => json!({
            "items": [{"sku": "A", "total_sellable_quantity": 5}, {"sku": null}],
            "next": "https://attacker.example/2026-01/inventory-level?cursor=2",
        }),
        Some(_) => json!({"items": [{"sku": "B", "total_sellable_quantity": 0}], "next": null}),
    }
}

struct World {
    books: Shared,
    warehouse: Warehouse,
}

async fn world(more: &[(&str, &str)]) -> World {
    let books = Shared::default();
    books.lock().unwrap().skus.push(SKU.to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(shipbob).with_state(books.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let warehouse = opened(&url, more).unwrap_or_else(|e| panic!("{e}"));
    World { books, warehouse }
}

fn opened(url: &str, more: &[(&str, &str)]) -> Result<Warehouse, adapters::settings::SettingError> {
    let fixed =
        [("kind", "shipbob"), ("base_url", url), ("channel_id", "433"), ("token", "@fixture:the-pat")];
    let values = fixed.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let clock = Arc::new(StillClock::default());
    connect(&support::settings(values, &Spoken::default(), &clock), support::http(), clock)
}

impl World {
    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    async fn create(&self) -> Creation {
        self.warehouse.orders.create(&support::order()).await
    }
}

#[tokio::test]
async fn an_order_is_created_once_and_the_second_try_finds_it() {
    let world = world(&[]).await;
    let Creation::Accepted(id) = world.create().await else { panic!("not accepted") };
    let Creation::Duplicate(Some(again)) = world.create().await else { panic!("not found again") };
    assert_eq!((id.as_str(), &again), ("9000", &id));
    let books = world.books();
    assert_eq!(books.orders.len(), 1);
    let order = &books.orders[0];
    assert_eq!(order["recipient"]["name"], NAME);
    assert_eq!(order["recipient"]["address"]["country"], "FR");
    assert_eq!(order["products"][0]["external_line_id"], 1);
    assert_eq!(order["financials"]["total_price"].to_string(), "25.0");
    assert_eq!(order["type"], "DTC");
}

#[tokio::test]
async fn an_order_with_our_reference_and_other_content_is_no_duplicate() {
    for (change, what) in [
        (("/products/0/quantity", json!(3)), "what it orders"),
        (("/products/0/reference_id", json!("OTHER")), "what it orders"),
        (("/recipient/address/zip_code", json!("11111")), "where it goes"),
        (("/recipient/name", json!("Somebody Else")), "where it goes"),
    ] {
        let world = world(&[]).await;
        world.create().await;
        *world.books().orders[0].pointer_mut(change.0).unwrap() = change.1;
        let Creation::Refused(why) = world.create().await else { panic!("{what}") };
        assert!(why.contains(what) && why.contains("9000"), "{why}");
    }
}

#[tokio::test]
async fn tidied_or_untold_content_is_still_the_same_order() {
    let world = world(&[]).await;
    world.create().await;
    {
        let order = &mut world.books().orders[0];
        order["recipient"]["name"] = json!(NAME.to_uppercase());
        order["recipient"]["address"] = Value::Null;
        order["products"] = json!([{"id": 7, "quantity": 9}]);
    }
    assert!(matches!(world.create().await, Creation::Duplicate(Some(_))));
}

#[tokio::test]
async fn a_refusal_is_told_from_a_duplicate_by_looking_and_in_either_shape() {
    for (complaint, expected) in [
        (json!(["no shipping method"]), "no shipping method"),
        (json!({"shipping_method": ["is required"], "type": "is odd"}), "shipping_method: is required"),
        (json!({}), "answered 422 without a reason that we can read"),
    ] {
        let world = world(&[]).await;
        world.books().refuse = Some(complaint);
        let Creation::Refused(why) = world.create().await else { panic!("{expected}") };
        assert!(why.contains(expected), "{why}");
        assert!(world.books().orders.is_empty());
    }
}

#[tokio::test]
async fn a_product_that_shipbob_does_not_have_is_refused_before_it_is_made_up() {
    let world = world(&[]).await;
    // Their search finds parts of SKUs; only the whole one counts.
    world.books().skus = vec![format!("{SKU}-XL")];
    let Creation::Refused(why) = world.create().await else { panic!("not refused") };
    assert!(why.contains(SKU) && why.contains("add it there"), "{why}");
    assert!(!world.books().calls.iter().any(|call| call.starts_with("POST")));
    world.books().skus.push(SKU.to_owned());
    assert!(matches!(world.create().await, Creation::Accepted(_)));
    world.create().await;
    let lookups = world.books().calls.iter().filter(|call| call.ends_with("product")).count();
    assert_eq!(lookups, 2, "a known product is not looked up again");
}

#[tokio::test]
async fn products_are_not_looked_up_where_the_settings_say_so() {
    let world = world(&[("check_products", "false")]).await;
    world.books().skus.clear();
    assert!(matches!(world.create().await, Creation::Accepted(_)));
    assert_eq!(world.books().calls, ["POST /2026-01/order"]);
}

#[tokio::test]
async fn an_order_is_found_by_exactly_its_reference_and_cancelled() {
    let world = world(&[]).await;
    let Repeat::RefusesDuplicates(lookup) = &world.warehouse.repeat else {
        panic!("ShipBob refuses duplicates")
    };
    let reference = support::reference();
    world.create().await;
    world.books().orders[0]["reference_id"] = json!("main-7001002019");
    assert_eq!(lookup.find(&reference).await.unwrap(), None);
    world.create().await;
    let found = lookup.find(&reference).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.cancelled), ("9001", false));
    let cancel = world.warehouse.cancel.as_ref().unwrap();
    assert_eq!(cancel.cancel(&reference, None).await.unwrap(), Cancellation::Cancelled);
    assert!(lookup.find(&reference).await.unwrap().unwrap().cancelled);
    world.books().ship(1, 1, "Completed", Some("9400"));
    let late = cancel.cancel(&reference, Some(&found.id)).await.unwrap();
    assert!(matches!(late, Cancellation::Refused(why) if why.contains("no longer")));
    let unknown = Reference::parse("main-1").unwrap();
    assert!(matches!(cancel.cancel(&unknown, None).await.unwrap(), Cancellation::Refused(_)));
}

#[tokio::test]
async fn shipments_stay_in_the_queue_until_they_are_acknowledged() {
    let world = world(&[]).await;
    world.create().await;
    world.books().ship(0, 71, "Completed", Some("9400 1111"));
    world.books().ship(0, 72, "Cancelled", Some("9400 2222"));
    world.books().ship(0, 73, "Processing", None);
    let feed = world.warehouse.notices.feed().unwrap();
    let page = feed.page(None).await.unwrap();
    assert_eq!(feed.page(page.bookmark.as_deref()).await.unwrap(), page, "not acknowledged, not gone");
    let told: Vec<(&str, bool)> = page.notices.iter().map(|n| (n.package.as_str(), n.voided)).collect();
    assert_eq!((told, page.more), (vec![("71", false), ("72", true)], false));
    let first = &page.notices[0];
    assert_eq!(first.contents, Contents::Lines(vec![(WarehouseSku::parse(SKU).unwrap(), 1)]));
    assert_eq!(first.tracking.as_ref().unwrap().number.as_str(), "94001111");
    assert_eq!(first.warehouse_order.as_ref().unwrap().as_str(), "9000");
    feed.acknowledge(&page.notices).await.unwrap();
    assert_eq!(world.books().acknowledged, [71, 72]);
    assert!(feed.page(None).await.unwrap().notices.is_empty());
    let all = world.warehouse.shipments.as_ref().unwrap().shipments(&support::reference()).await.unwrap();
    assert_eq!(all.len(), 2, "asked for by order, they are still told");
    world.books().orders[0]["status"] = json!("Fulfilled");
    let all = world.warehouse.shipments.as_ref().unwrap().shipments(&support::reference()).await.unwrap();
    assert_eq!(all[0].contents, Contents::Everything);
    assert_eq!(all[0].package, PackageId::parse("71").unwrap());
}

#[tokio::test]
async fn what_nobody_acknowledges_blocks_nothing_and_other_channels_are_not_ours() {
    let world = world(&[]).await;
    world.create().await;
    world.books().ship(0, 1, "Completed", Some("9400 1"));
    let (mine, feed) = (world.books().orders.remove(0), world.warehouse.notices.feed().unwrap());
    let foreign = |mut order: Value| {
        order["channel"]["id"] = json!(7);
        order
    };
    world.books().orders = vec![foreign(mine.clone()); 250];
    world.books().orders.push(mine);
    let first = feed.page(None).await.unwrap();
    assert_eq!((first.notices.len(), first.bookmark.as_deref(), first.more), (0, Some("2"), true));
    let second = feed.page(first.bookmark.as_deref()).await.unwrap();
    assert_eq!((second.notices.len(), second.bookmark.as_deref(), second.more), (1, Some("1"), false));
    let lookup = world.warehouse.repeat.lookup().unwrap();
    world.books().orders.truncate(250);
    assert_eq!(lookup.find(&support::reference()).await.unwrap(), None);
}

#[tokio::test]
async fn stock_is_read_over_all_pages_and_never_from_another_host() {
    let world = world(&[]).await;
    let levels = world.warehouse.stock.as_ref().unwrap().levels().await.unwrap();
    let level = |sku: &str, available| StockLevel { sku: WarehouseSku::parse(sku).unwrap(), available };
    assert_eq!(levels, [level("A", 5), level("B", 0)]);
}

#[tokio::test]
async fn check_says_whether_the_token_may_write_to_the_channel() {
    let detail = |findings: &[Finding]| (findings[0].ok, findings[0].detail.clone());
    let world = world(&[]).await;
    let (ok, text) = detail(&world.warehouse.probe.check().await);
    assert_eq!((ok, text.as_str()), (Some(true), "the token may write to it"));
    for (channel, word) in [("1", "only read"), ("2", "does not see")] {
        let other = self::world(&[("channel_id", channel)]).await;
        let (ok, text) = detail(&other.warehouse.probe.check().await);
        assert!(ok == Some(false) && text.contains(word), "{text}");
    }
}

#[test]
fn a_webhook_is_a_hint_by_reference_or_nothing() {
    let secret = [("webhook.secret", "@fixture:whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
    let warehouse = opened("https://api.shipbob.com", &secret).unwrap();
    let reader = warehouse.notices.reader().unwrap();
    let read = |topic: &str, body: &str| {
        let headers = vec![("x-webhook-topic".to_owned(), topic.to_owned())];
        let raw = RawWebhook { headers, path_rest: String::new(), body: body.into() };
        reader.read(&Webhook::verified(raw)).map_err(|failure| failure.kind)
    };
    let hint = Ok(vec![Heard::Changed(support::reference())]);
    assert_eq!(read("order.shipped", r#"{"id":1,"reference_id":"main-700100201"}"#), hint);
    assert_eq!(read("order.shipment.delivered", r#"{"order":{"reference_id":"main-700100201"}}"#), hint);
    assert_eq!(read("order.shipped", r#"{"order_id":1}"#), Ok(vec![]), "the poll will tell");
    assert_eq!(read("return.created", r#"{"reference_id":"main-700100201"}"#), Ok(vec![]));
    for body in ["", "[1]", "{\"reference_id\":\"\\u0001\"}"] {
        assert_eq!(read("order.shipped", body), Err(domain::Kind::Poison), "{body}");
    }
}

#[test]
fn a_wrong_setting_is_named() {
    for (more, key) in [
        (("channel_id", "main"), "channel_id"),
        (("version", "1.0"), "version"),
        (("token", "plain"), "token"),
        (("location_id", "x"), "location_id"),
        (("check_products", "maybe"), "check_products"),
        (("repeat", "key"), "repeat"),
        (("webhook.secret", "whsec_plain"), "webhook.secret"),
    ] {
        let error = opened("https://api.shipbob.com", &[more]).err().unwrap();
        assert_eq!(error.key, key, "{error}");
        assert!(!error.to_string().contains("plain"), "{error}");
    }
}
