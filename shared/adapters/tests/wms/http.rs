//! The warehouse that settings describe: its default API, its tokens, its pages, and every setting that is refused.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::support::{self, Replay, Reply, Spoken, StillClock};
use adapters::settings::SettingError;
use adapters::wms::connect;
use domain::carrier::{Carrier, TrackingNumber};
use domain::mapping::WarehouseSku;
use domain::ports::Clock;
use domain::shipment::Contents;
use domain::warehouse::{
    Cancellation, Creation, Heard, RawWebhook, Repeat, StockLevel, Warehouse, WarehouseOrder,
};
use domain::{Kind, PackageId, WarehouseOrderId};
use proptest::prelude::*;
use serde_json::{Value, json};

struct World {
    replay: Replay,
    warehouse: Warehouse,
    clock: Arc<StillClock>,
}

const MINIMAL: &[(&str, &str)] = &[
    ("kind", "http"),
    ("auth", "header"),
    ("auth.key", "@fixture:the-key"),
    ("repeat", "refuses_duplicates"),
    ("requests_per_second", "1000"),
];

fn map(base: &str, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> =
        MINIMAL.iter().chain(more).map(|(k, v)| ((*k).to_owned(), v.replace("{replay}", base))).collect();
    values.entry("base_url".into()).or_insert_with(|| base.to_owned());
    values
}

fn opened(base: &str, more: &[(&str, &str)]) -> (Result<Warehouse, SettingError>, Arc<StillClock>) {
    let clock = Arc::new(StillClock::default());
    let settings = support::settings(map(base, more), &Spoken::default(), &clock);
    (connect(&settings, support::http(), clock.clone()), clock)
}

async fn world(more: &[(&str, &str)]) -> World {
    let replay = Replay::start().await;
    let (warehouse, clock) = opened(&replay.url, more);
    World { replay, warehouse: warehouse.unwrap_or_else(|e| panic!("{e}")), clock }
}

/// The error of settings that must not be taken.
fn refused(more: &[(&str, &str)]) -> SettingError {
    opened("https://wms.example", more).0.err().unwrap_or_else(|| panic!("{more:?} was taken"))
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, &[("Content-Type", "application/json")], &body.to_string())
}

fn id(text: &str) -> WarehouseOrderId {
    WarehouseOrderId::parse(text).unwrap()
}

#[tokio::test]
async fn three_settings_are_enough_and_the_order_is_sent_as_documented() {
    let world = world(&[]).await;
    world.replay.play(vec![json_reply(201, &json!({"id": "W1"}))]);
    let created = world.warehouse.orders.create(&support::order()).await;
    assert!(matches!(created, Creation::Accepted(order) if order == id("W1")));
    let seen = world.replay.seen().remove(0);
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1/orders"));
    assert_eq!(seen.header("x-api-key"), Some("the-key"));
    assert_eq!(seen.header("idempotency-key"), Some("main-700100201"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    let expected = json!({
        "reference": "main-700100201", "order_number": "700100201", "ordered_at": "2026-11-20T12:30:00Z",
        "service": "Ground & Air", "comments": support::COMMENT, "total": "25.00", "currency": "USD",
        "ship_to": {
            "name": support::NAME, "line1": support::STREET, "line2": "", "city": "Besançon", "region": "",
            "region_code": "", "postal_code": "99999", "country": "France", "country_code": "FR",
            "phone": "+33 1 23", "email": "zoe@example.com", "residential": null,
        },
        "items": [{
            "line": "1", "sku": support::SKU, "name": "Mug \"red\" & <hot>", "quantity": 2, "unit_price": "12.50",
        }],
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn requests_to_a_warehouse_go_at_its_pace_whatever_they_are_for() {
    let world = world(&[("requests_per_second", "2")]).await;
    let empty = json_reply(200, &json!({"orders": []}));
    world.replay.play(vec![json_reply(201, &json!({"id": "W1"})), empty.clone(), empty.clone(), empty]);
    let (lookup, began) = (world.warehouse.repeat.lookup().unwrap(), world.clock.now());
    let since = || world.clock.now().duration_since(began).as_millis();
    world.warehouse.orders.create(&support::order()).await;
    let mut times = vec![since()];
    for _ in 0..3 {
        assert_eq!(lookup.find(&support::order().reference).await.unwrap(), None);
        times.push(since());
    }
    assert_eq!(times, [0, 500, 1000, 1500]);
}

#[tokio::test]
async fn an_order_is_found_by_exactly_its_reference() {
    let world = world(&[]).await;
    let lookup = world.warehouse.repeat.lookup().unwrap();
    let entry =
        |id: &str, reference: &str, status: &str| json!({"id": id, "reference": reference, "status": status});
    for (orders, found) in [
        (json!([]), None),
        (json!([entry("W9", "main-7001002011", "accepted")]), None),
        (json!([entry("W1", "main-700100201", "accepted")]), Some(("W1", false))),
        (json!([entry("W1", "main-700100201", "cancelled")]), Some(("W1", true))),
        (
            json!([entry("W1", "main-700100201", "cancelled"), entry("W2", "main-700100201", "shipped")]),
            Some(("W2", false)),
        ),
    ] {
        world.replay.play(vec![json_reply(200, &json!({"orders": orders}))]);
        let expected = found.map(|(order, cancelled)| WarehouseOrder { id: id(order), cancelled });
        assert_eq!(lookup.find(&support::reference()).await.unwrap(), expected, "{orders}");
    }
    assert_eq!(world.replay.seen()[0].target, "/v1/orders?reference=main-700100201");
}

#[tokio::test]
async fn an_order_is_cancelled_by_its_id_which_is_looked_up_where_it_is_missing() {
    let world = world(&[]).await;
    let cancel = world.warehouse.cancel.as_ref().unwrap();
    let found = json_reply(200, &json!({"orders": [{"id": "W 1", "reference": "main-700100201"}]}));
    world.replay.play(vec![found, json_reply(200, &json!({"status": "cancelled"}))]);
    let reference = support::reference();
    assert_eq!(cancel.cancel(&reference, None).await.unwrap(), Cancellation::Cancelled);
    assert_eq!(world.replay.seen()[1].target, "/v1/orders/W%201/cancel");
    for (reply, expected) in [
        (json_reply(409, &json!({"reason": "already packed"})), "already packed"),
        (json_reply(200, &json!({"status": "packing", "reason": "too late"})), "too late"),
        (json_reply(404, &json!({})), "answered 404 without a reason that we can read"),
    ] {
        world.replay.play(vec![reply]);
        let cancelled = cancel.cancel(&reference, Some(&id("W1"))).await.unwrap();
        assert_eq!(cancelled, Cancellation::Refused(expected.to_owned()));
    }
    for reply in [Reply::Silence, Reply::new(500, &[], ""), Reply::new(200, &[], "ok")] {
        world.replay.play(vec![reply]);
        assert!(cancel.cancel(&reference, Some(&id("W1"))).await.unwrap_err().is_retryable());
    }
    world.replay.play(vec![json_reply(200, &json!({"orders": []}))]);
    assert!(matches!(cancel.cancel(&reference, None).await.unwrap(), Cancellation::Refused(_)));
}

fn shipment(id: &str) -> Value {
    json!({
        "id": id, "order_id": "W1", "reference": "main-700100201", "carrier": "stamps_com", "service": "x",
        "tracking_number": "9400 1111", "tracking_url": "https://t.example/1", "complete": false,
        "shipped_at": "2026-11-23T02:00:00Z", "items": [{"sku": "MUG", "quantity": 2}], "voided": false,
    })
}

fn with(mut value: Value, changes: Value) -> Value {
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

#[tokio::test]
async fn shipments_are_read_page_by_page_and_one_bad_entry_does_not_hold_the_rest() {
    let world = world(&[]).await;
    let feed = world.warehouse.notices.feed().unwrap();
    let entries = json!([
        shipment("P1"),
        with(shipment("P2"), json!({"reference": null})),
        with(shipment("P3"), json!({"complete": true, "voided": true, "shipped_at": "soon"})),
        with(shipment("P4"), json!({"items": [], "tracking_number": "Pickup"})),
        with(shipment("P5"), json!({"items": [{"sku": "MUG", "quantity": 0.5}]})),
    ]);
    world.replay.play(vec![json_reply(200, &json!({"shipments": entries, "next": "c&2", "more": true}))]);
    let page = feed.page(None).await.unwrap();
    assert_eq!(world.replay.seen()[0].target, "/v1/shipments?limit=100");
    assert_eq!((page.bookmark.as_deref(), page.more), (Some("c&2"), true));
    let ids: Vec<&str> = page.notices.iter().map(|notice| notice.package.as_str()).collect();
    assert_eq!(ids, ["P1", "P3", "P4"]);
    assert_eq!(page.unreadable.len(), 2);
    assert!(page.unreadable[0].contains("shipment 2") && page.unreadable[1].contains("shipment 5"));
    let (first, third, fourth) = (&page.notices[0], &page.notices[1], &page.notices[2]);
    let tracking = first.tracking.as_ref().unwrap();
    assert_eq!(tracking.carrier, Carrier::read("USPS"));
    assert_eq!(tracking.number, TrackingNumber::read("94001111").unwrap());
    assert_eq!(first.contents, Contents::Lines(vec![(WarehouseSku::parse("MUG").unwrap(), 2)]));
    assert_eq!((&third.contents, third.voided, third.shipped_at), (&Contents::Everything, true, None));
    assert_eq!((&fourth.contents, &fourth.tracking), (&Contents::Part, &None));

    world.replay.play(vec![json_reply(200, &json!({"shipments": [], "next": null, "more": false}))]);
    let page = feed.page(Some("c&2")).await.unwrap();
    assert_eq!(world.replay.seen()[0].target, "/v1/shipments?after=c%262&limit=100");
    assert_eq!((page.bookmark.as_deref(), page.more), (Some("c&2"), false), "an empty page keeps the place");
}

#[tokio::test]
async fn a_feed_that_says_more_and_does_not_move_is_not_asked_for_ever() {
    let world = world(&[]).await;
    let feed = world.warehouse.notices.feed().unwrap();
    for next in [json!("c1"), Value::Null] {
        world
            .replay
            .play(vec![json_reply(200, &json!({"shipments": [shipment("P1")], "next": next, "more": true}))]);
        let page = feed.page(Some("c1")).await.unwrap();
        assert_eq!((page.bookmark.as_deref(), page.more), (Some("c1"), false));
    }
}

#[tokio::test]
async fn numbered_pages_start_again_after_the_last() {
    let world = world(&[
        ("shipments.path", "/list?from={since}&p={page}"),
        ("shipments.page_size", "2"),
        ("shipments.since_days", "3"),
        ("shipments.more", "off"),
    ])
    .await;
    let feed = world.warehouse.notices.feed().unwrap();
    for (bookmark, entries, after) in [
        (None, vec![shipment("P1"), shipment("P2")], (Some("2"), true)),
        (Some("2"), vec![shipment("P3")], (Some("1"), false)),
    ] {
        world.replay.play(vec![json_reply(200, &json!({"shipments": entries}))]);
        let page = feed.page(bookmark).await.unwrap();
        assert_eq!((page.bookmark.as_deref(), page.more), after);
        let target = format!("/list?from=2026-11-20T02%3A05%3A00Z&p={}", bookmark.unwrap_or("1"));
        assert_eq!(world.replay.seen()[0].target, target);
    }
}

#[tokio::test]
async fn one_orders_shipments_and_the_stock_are_read() {
    let world = world(&[]).await;
    let other = with(shipment("P9"), json!({"reference": "main-7"}));
    world.replay.play(vec![json_reply(200, &json!({"shipments": [shipment("P1"), other]}))]);
    let found = world.warehouse.shipments.as_ref().unwrap().shipments(&support::reference()).await.unwrap();
    assert_eq!(
        found.iter().map(|n| n.package.clone()).collect::<Vec<_>>(),
        [PackageId::parse("P1").unwrap()]
    );
    assert_eq!(world.replay.seen()[0].target, "/v1/shipments?reference=main-700100201");

    world.replay.play(vec![json_reply(200, &json!({"stock": [{"sku": "MUG", "available": -3}]}))]);
    let levels = world.warehouse.stock.as_ref().unwrap().levels().await.unwrap();
    assert_eq!(levels, [StockLevel { sku: WarehouseSku::parse("MUG").unwrap(), available: -3 }]);
    world.replay.play(vec![json_reply(200, &json!({"stock": [{"sku": "MUG"}]}))]);
    assert!(world.warehouse.stock.as_ref().unwrap().levels().await.unwrap_err().is_retryable());
}

// ---------------------------------------------------------------- webhooks

fn listening(more: &[(&str, &str)]) -> Warehouse {
    let mut all = vec![("webhook.scheme", "token"), ("webhook.secret", "@fixture:t0ken")];
    all.extend(more);
    opened("https://wms.example", &all).0.unwrap_or_else(|e| panic!("{e}"))
}

async fn heard(warehouse: &Warehouse, body: &str) -> Result<Vec<Heard>, Kind> {
    let reader = warehouse.notices.reader().unwrap();
    let raw = RawWebhook {
        headers: vec![("x-webhook-token".into(), "t0ken".into())],
        path_rest: String::new(),
        body: body.into(),
    };
    let webhook = reader.verify(raw, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    reader.read(&webhook).map_err(|failure| failure.kind)
}

#[tokio::test]
async fn a_webhook_is_a_shipment_a_void_a_hint_nothing_or_poison() {
    let plain = listening(&[]);
    let whole = |event: &str| json!({"event": event, "shipment": shipment("P1")}).to_string();
    let voided = |heard: &[Heard]| matches!(heard, [Heard::Shipped(notice)] if notice.voided);
    let created = heard(&plain, &whole("shipment.created")).await.unwrap();
    assert!(matches!(&created[..], [Heard::Shipped(_)]) && !voided(&created));
    assert!(voided(&heard(&plain, &whole("shipment.voided")).await.unwrap()));
    assert_eq!(heard(&plain, &whole("stock.changed")).await, Ok(vec![]));
    for body in [
        "",
        "{}",
        "[]",
        "{\"event\":\"shipment.created\"}",
        "{\"event\":\"shipment.created\",\"shipment\":{\"id\":1}}",
    ] {
        assert_eq!(heard(&plain, body).await, Err(Kind::Poison), "{body}");
    }
    let hint =
        listening(&[("webhook.reference", "/ref"), ("webhook.events", "off"), ("webhook.event", "off")]);
    assert_eq!(
        heard(&hint, "{\"ref\":\"main-700100201\"}").await,
        Ok(vec![Heard::Changed(support::reference())])
    );
    assert_eq!(heard(&hint, "{\"other\":1}").await, Err(Kind::Poison));
}

static WAREHOUSE: LazyLock<Warehouse> = LazyLock::new(|| listening(&[]));

proptest! {
    #[test]
    fn any_body_is_read_or_poison(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z0-9<>/=]{0,80}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for body in [String::from_utf8_lossy(&bytes).into_owned(), text, format!("{{\"event\":\"shipment.created\",\"shipment\":{:?}}}", bytes)] {
            let heard = runtime.block_on(heard(&WAREHOUSE, &body));
            prop_assert!(matches!(heard, Ok(_) | Err(Kind::Poison)));
        }
    }
}

// ---------------------------------------------------------------- OAuth2

const OAUTH: &[(&str, &str)] = &[
    ("auth", "oauth2"),
    ("auth.token_url", "{replay}/token"),
    ("auth.client_id", "cart dock"),
    ("auth.client_secret", "@fixture:s3cr&t"),
    ("auth.scope", "orders"),
];

fn token(name: &str) -> Reply {
    json_reply(200, &json!({"access_token": name, "expires_in": 600, "token_type": "bearer"}))
}

fn accepted() -> Reply {
    json_reply(201, &json!({"id": "W1"}))
}

fn trail(replay: &Replay) -> Vec<String> {
    let bearer = |seen: &support::Seen| seen.header("authorization").unwrap_or("-").to_owned();
    replay.seen().iter().map(|seen| format!("{} {}", seen.target, bearer(seen))).collect()
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_it_expires() {
    let world = world(OAUTH).await;
    world.replay.play(vec![token("one"), accepted(), accepted(), token("two"), accepted()]);
    let order = support::order();
    world.warehouse.orders.create(&order).await;
    world.clock.advance(Duration::from_secs(500));
    world.warehouse.orders.create(&order).await;
    world.clock.advance(Duration::from_secs(45));
    let last = world.warehouse.orders.create(&order).await;
    assert!(matches!(last, Creation::Accepted(_)), "{last:?}");
    let basic = "/token Basic Y2FydCtkb2NrOnMzY3IlMjZ0";
    assert_eq!(
        trail(&world.replay),
        [basic, "/v1/orders Bearer one", "/v1/orders Bearer one", basic, "/v1/orders Bearer two"]
    );
    let form = String::from_utf8(world.replay.seen()[0].body.clone()).unwrap();
    assert_eq!(form, "grant_type=client_credentials&scope=orders");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let world = world(OAUTH).await;
    let no = || Reply::new(401, &[], "");
    world.replay.play(vec![token("one"), no(), token("two"), accepted()]);
    let created = world.warehouse.orders.create(&support::order()).await;
    assert!(matches!(created, Creation::Accepted(_)), "{created:?}");
    world.replay.play(vec![no(), token("three"), no()]);
    let created = world.warehouse.orders.create(&support::order()).await;
    assert!(matches!(created, Creation::NotApplied(_)), "{created:?}");
    assert_eq!(world.replay.seen().len(), 3, "and not for ever");
}

#[tokio::test]
async fn a_rotated_secret_costs_no_order_and_no_wait() {
    let no = || Reply::new(401, &[], "");
    let bearer = [("auth", "bearer"), ("auth.key", "@fixture:k")];
    let basic = [("auth", "basic"), ("auth.user", "u"), ("auth.password", "@fixture:k")];
    let fixed = [("auth", "none"), ("header.X-Key", "@fixture:k")];
    for more in [&[][..], &bearer, &basic, &fixed] {
        let (replay, spoken, clock) = (Replay::start().await, Spoken::default(), Arc::default());
        let mut values = map(&replay.url, more);
        if more == fixed {
            values.remove("auth.key");
        }
        let settings = support::settings(values, &spoken, &clock);
        let warehouse = connect(&settings, support::http(), clock).unwrap();
        replay.play(vec![accepted()]);
        assert!(matches!(warehouse.orders.create(&support::order()).await, Creation::Accepted(_)));
        spoken.rotate("the-new-key");
        replay.play(vec![no(), accepted()]);
        let created = warehouse.orders.create(&support::order()).await;
        assert!(matches!(created, Creation::Accepted(_)), "{more:?}: {created:?}");
        let proofs = replay.seen().iter().map(|seen| format!("{:?}", seen.headers)).collect::<Vec<_>>();
        assert!(proofs.len() == 2 && proofs[0] != proofs[1], "{more:?}: {proofs:?}");
        // A warehouse that refuses everything is asked once per order, and our vault not at all.
        let asked = spoken.asked();
        replay.play(vec![no()]);
        for _ in 0..5 {
            assert!(matches!(warehouse.orders.create(&support::order()).await, Creation::NotApplied(_)));
        }
        assert_eq!((replay.seen().len(), spoken.asked()), (5, asked), "{more:?}");
    }
}

#[tokio::test]
async fn a_rotated_client_secret_costs_no_wait_either() {
    let (replay, spoken, clock) = (Replay::start().await, Spoken::default(), Arc::<StillClock>::default());
    let warehouse =
        connect(&support::settings(map(&replay.url, OAUTH), &spoken, &clock), support::http(), clock.clone());
    let warehouse = warehouse.unwrap();
    replay.play(vec![token("one"), accepted()]);
    assert!(matches!(warehouse.orders.create(&support::order()).await, Creation::Accepted(_)));
    spoken.rotate("new");
    clock.advance(Duration::from_secs(240));
    replay.play(vec![Reply::new(401, &[], ""), Reply::new(401, &[], ""), token("two"), accepted()]);
    let created = warehouse.orders.create(&support::order()).await;
    assert!(matches!(created, Creation::Accepted(_)), "{created:?}");
    assert_eq!(replay.seen().len(), 4, "order, token, token with the new secret, order");
}

#[tokio::test]
async fn those_who_need_a_token_at_the_same_time_share_one() {
    let mut more = OAUTH.to_vec();
    more.push(("auth.style", "body"));
    let world = world(&more).await;
    let found = json_reply(200, &json!({"orders": []}));
    world.replay.play(vec![token("one"), found]);
    let (lookup, reference) = (world.warehouse.repeat.lookup().unwrap(), support::reference());
    let all = futures_util::future::join_all((0..5).map(|_| lookup.find(&reference))).await;
    assert!(all.into_iter().all(|found| found.unwrap().is_none()));
    let tokens = world.replay.seen().iter().filter(|seen| seen.target == "/token").count();
    assert_eq!(tokens, 1);
    let form = String::from_utf8(world.replay.seen()[0].body.clone()).unwrap();
    assert!(form.ends_with("client_id=cart+dock&client_secret=s3cr%26t"), "{form}");
}

#[tokio::test]
async fn no_token_means_that_nothing_happened() {
    let world = world(OAUTH).await;
    for reply in [
        Reply::new(401, &[], "s3cr&t is wrong"),
        Reply::new(500, &[], ""),
        Reply::new(200, &[], "{}"),
        Reply::Silence,
    ] {
        world.replay.play(vec![reply]);
        let created = world.warehouse.orders.create(&support::order()).await;
        let Creation::NotApplied(failure) = created else { panic!("{created:?}") };
        assert!(failure.is_retryable() && !failure.to_string().contains("s3cr"), "{failure}");
    }
}

// ---------------------------------------------------------------- settings

#[test]
fn a_wrong_setting_is_named_with_what_to_do() {
    let xml = |more: &[(&'static str, &'static str)]| {
        [&[("format", "xml"), ("create.path", "/o"), ("create.id", "/R/Id"), ("repeat", "cannot")], more]
            .concat()
    };
    for (more, key, word) in [
        (vec![("kind", "htpp")], "kind", "http, shipbob"),
        (vec![("creat.path", "/x")], "creat.path", "create.path"),
        (vec![("auth.kee", "@fixture:x")], "auth.kee", "auth.key"),
        (vec![("something", "x")], "something", "take it out"),
        (vec![("base_url", "wms.example")], "base_url", "address"),
        (vec![("base_url", "ftp://wms.example")], "base_url", "https"),
        (vec![("base_url", "https://wms.example/?a=1")], "base_url", "query"),
        (vec![("base_url", "https://me:pw@wms.example/")], "base_url", "password"),
        (vec![("auth", "")], "auth", "missing"),
        (vec![("auth", "magic")], "auth", "oauth2"),
        (vec![("auth.key", "the-key-itself")], "auth.key", "must not stand here"),
        (vec![("auth.header", "X Key")], "auth.header", "header"),
        (vec![("auth", "oauth2")], "auth.token_url", "missing"),
        (vec![("repeat", "")], "repeat", "sent twice"),
        (vec![("repeat", "maybe")], "repeat", "can_be_asked"),
        (vec![("find.path", "off")], "repeat", "find.path"),
        (vec![("create.duplicate", "off")], "create.duplicate", "refuses_duplicates"),
        (vec![("repeat", "can_be_asked")], "lag_seconds", "missing"),
        (vec![("repeat", "can_be_asked"), ("lag_seconds", "5"), ("find.path", "off")], "repeat", "find.path"),
        (vec![("repeat", "key"), ("lag_seconds", "5")], "lag_seconds", "take it out"),
        (vec![("create.body", "{\"a\":\"{refrence}\"}")], "create.body", "{refrence}"),
        (vec![("create.body", "{\"a\":\"{reference}\"")], "create.body", "line 1, column"),
        (vec![("create.body", "{\"a\":{line.sku}}")], "create.body", "{line.sku}"),
        (vec![("create.line", "{\"q\":{line.quantity}")], "create.body", "create.line"),
        (vec![("create.line", "off")], "create.line", "{lines}"),
        (vec![("create.path", "v1/orders")], "create.path", "slash"),
        (vec![("create.path", "/v1/{sku}")], "create.path", "{sku}"),
        (vec![("create.method", "SEND")], "create.method", "POST"),
        (vec![("create.success", "20x")], "create.success", "2xx"),
        (vec![("create.refused", "400, 409")], "create.refused", "409"),
        (vec![("create.id", "id")], "create.id", "JSON Pointer"),
        (vec![("find.reference", "off")], "find.reference", "missing"),
        (vec![("shipments.next", "off")], "shipments.next", "{cursor}"),
        (
            vec![("shipments.path", "off"), ("order_shipments.path", "off")],
            "shipments.path",
            "nobody would hear",
        ),
        (vec![("time_zone", "Mars/Olympus")], "time_zone", "America/Chicago"),
        (vec![("requests_per_second", "0")], "requests_per_second", "0.5"),
        (vec![("requests_per_second", "-1")], "requests_per_second", "0.5"),
        (vec![("timeout_seconds", "0")], "timeout_seconds", "between"),
        (vec![("limits.reference", "0")], "limits.reference", "between"),
        (vec![("limits.sku", "many")], "limits.sku", "cannot be read"),
        (vec![("header.X Y", "1")], "header.X Y", "header"),
        (vec![("webhook.scheme", "standard_webhooks")], "webhook.secret", "missing"),
        (
            vec![
                ("webhook.scheme", "token"),
                ("webhook.secret", "@fixture:x"),
                ("webhook.reference", "/r"),
                ("webhook.shipment", "/s"),
            ],
            "webhook.reference",
            "either",
        ),
        (xml(&[("preset", "standard")]), "preset", "JSON"),
        (xml(&[]), "shipments.path", "nobody would hear"),
        (xml(&[("create.body", "<a>{reference}</b>")]), "create.body", "XML"),
        (xml(&[("create.body", "<a>&nbsp;</a>")]), "create.body", "XML"),
        (xml(&[("shipments.path", "/s")]), "shipments.reference", "missing"),
        (vec![("preset", "none")], "create.path", "missing"),
    ] {
        let error = refused(&more);
        assert_eq!(error.key, key, "{more:?}: {error}");
        assert!(error.problem.contains(word), "{more:?}: {error}");
        assert!(
            !error.to_string().contains("the-key-itself") && !error.to_string().contains(":pw@"),
            "{error}"
        );
    }
}

#[test]
fn each_word_of_repeat_is_what_it_says() {
    let class = |more: &[(&str, &str)]| opened("https://wms.example", more).0.unwrap().repeat;
    assert!(matches!(class(&[]), Repeat::RefusesDuplicates(_)));
    assert!(matches!(class(&[("repeat", "key")]), Repeat::HonoursKey));
    assert!(matches!(class(&[("repeat", "cannot")]), Repeat::Cannot));
    let asked = class(&[("repeat", "can_be_asked"), ("lag_seconds", "90")]);
    assert!(matches!(asked, Repeat::CanBeAsked { lag, .. } if lag == Duration::from_secs(90)));
}

#[tokio::test]
async fn a_check_complains_of_what_can_be_cured_and_not_of_what_the_warehouse_is() {
    let all_can_be_tried = world(&[("repeat", "cannot")]).await;
    let empty = json_reply(200, &json!({"orders": [], "shipments": []}));
    all_can_be_tried.replay.play(vec![empty.clone(), empty]);
    let findings = all_can_be_tried.warehouse.probe.check().await;
    assert!(findings.iter().all(|finding| finding.ok == Some(true)), "{findings:?}");
    let nothing_can = world(&[
        ("format", "xml"),
        ("create.path", "/o"),
        ("create.id", "/R/Id"),
        ("repeat", "cannot"),
        ("webhook.scheme", "token"),
        ("webhook.secret", "@fixture:secret"),
        ("webhook.shipment", "/s"),
        ("shipments.id", "/id"),
        ("shipments.reference", "/reference"),
        ("shipments.carrier", "/carrier"),
        ("shipments.number", "/number"),
    ])
    .await;
    let findings = nothing_can.warehouse.probe.check().await;
    assert!(
        matches!(&findings[..], [one] if one.ok.is_none() && one.detail.contains("find.path")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn headers_of_ones_own_go_with_every_request_or_with_one() {
    let world = world(&[
        ("header.X-Tenant", "acme"),
        ("header.X-Second-Key", "@fixture:second"),
        ("create.header.X-Order", "no {order_number}"),
        ("create.header.Idempotency-Key", "k-{reference}"),
        ("create.path", "/o/{reference}?s={service}"),
        ("create.method", "put"),
    ])
    .await;
    world.replay.play(vec![accepted()]);
    world.warehouse.orders.create(&support::order()).await;
    let seen = world.replay.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("PUT", "/o/main-700100201?s=Ground%20%26%20Air")
    );
    assert_eq!(seen.header("x-tenant"), Some("acme"));
    assert_eq!(seen.header("x-second-key"), Some("second"));
    assert_eq!(seen.header("x-order"), Some("no 700100201"));
    assert_eq!(seen.header("idempotency-key"), Some("k-main-700100201"));
}

#[tokio::test]
async fn a_time_out_after_the_order_was_sent_is_unclear() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let warehouse = opened(&url, &[("timeout_seconds", "1")]).0.unwrap();
    let created = warehouse.orders.create(&support::order()).await;
    assert!(matches!(created, Creation::Unclear(_)), "{created:?}");
    drop(listener);
}
