//! Real signatures over a model of the ledger: what is sent again has no second effect, however late, and what nobody can
//! verify makes no call at all.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapters::http::Http;
use adapters::secret::{GivenSecrets, Vault};
use adapters::settings::Settings;
use adapters::wms;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::connection::Connection;
use domain::life::Step;
use domain::ports::{Clock, Partners, Store};
use domain::record::{Record, Stage};
use domain::shipment::Post;
use domain::warehouse::{RawWebhook, Warehouse};
use domain::{Failure, PackageId, WarehouseOrderId};
use receive_notices::{MAX_BODY_BYTES, ReceiveNotices, Received};
use ring::hmac;
use testkit::model::{Class, Scene};
use testkit::run::run;

const KEY: &[u8] = b"a key of twenty-four bytes";
const DAY: u64 = 86_400;

/// The model's store, and a warehouse whose adapter verifies for real.
struct Real {
    scene: Arc<Scene>,
    warehouse: Arc<Warehouse>,
}

#[async_trait]
impl Partners for Real {
    async fn store(&self, connection: &Connection) -> Result<Store, Failure> {
        self.scene.partners.store(connection).await
    }

    async fn warehouse(&self, _: &Connection) -> Result<Arc<Warehouse>, Failure> {
        Ok(self.warehouse.clone())
    }
}

/// A scene whose order 7 the warehouse has, with what the settings say about webhooks.
struct Door {
    scene: Arc<Scene>,
    receiver: ReceiveNotices,
}

impl Door {
    fn new(webhook: &[(&str, &str)]) -> Self {
        let scene = Arc::new(Scene::new(Class::U));
        scene.ready(7);
        scene.step(7, Step::Claim { until: scene.seconds_from_now(480), units: 3, mapping: 1, digest: None });
        scene.step(7, Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" });
        let clock: Arc<dyn Clock> = scene.clock.clone();
        let partners = Real { scene: scene.clone(), warehouse: Arc::new(warehouse(webhook, clock.clone())) };
        let receiver = ReceiveNotices {
            connections: scene.connections.clone(),
            partners: Arc::new(partners),
            ledger: scene.ledger.clone(),
            shipments: scene.shipments.clone(),
            hints: scene.hints.clone(),
            clock,
            dice: scene.dice.clone(),
        };
        Self { scene, receiver }
    }

    fn signed() -> Self {
        Self::new(&[("webhook.scheme", "standard_webhooks"), ("webhook.secret", "@given:key")])
    }

    fn send(&self, method: &str, path: &str, webhook: &RawWebhook) -> u16 {
        let received = Received { method: method.into(), path: path.into(), webhook: webhook.clone() };
        run(self.receiver.receive(received)).reply.status
    }

    fn post(&self, webhook: &RawWebhook) -> u16 {
        self.send("POST", "/webhook/main", webhook)
    }

    /// A genuine notice, signed now.
    fn notice(&self, id: &str, event: &str, package: &str, number: &str) -> RawWebhook {
        let body = format!(
            r#"{{"event":"{event}","shipment":{{"id":"{package}","reference":"main-7","order_id":"W-1","carrier":"UPS","tracking_number":"{number}","complete":true}}}}"#
        );
        let time = self.scene.clock.now().as_second();
        let tag =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), format!("{id}.{time}.{body}").as_bytes());
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", time.to_string()),
            ("webhook-signature", format!("v1,{}", STANDARD.encode(tag))),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        RawWebhook { headers, path_rest: String::new(), body: body.into_bytes() }
    }

    /// Posts what is due, as the queue of tracking would.
    fn post_tracking(&self) {
        let due: Vec<PackageId> =
            self.scene.record(7).due_posts().map(|package| package.id.clone()).collect();
        for package in due {
            let until = self.scene.seconds_from_now(480);
            self.scene.step(7, Step::ClaimPost { package: package.clone(), until });
            self.scene.step(7, Step::SettlePost { package, post: Post::Posted, again: None });
        }
    }

    fn pass(&self, seconds: u64) {
        self.scene.pass(Duration::from_secs(seconds));
        self.scene.ledger.expire(self.scene.clock.now());
    }

    fn record(&self) -> Record {
        self.scene.record(7)
    }

    fn calls(&self) -> usize {
        self.scene.script.count_all(&["ledger.", "queue.", "store.", "warehouse."])
    }
}

fn warehouse(webhook: &[(&str, &str)], clock: Arc<dyn Clock>) -> Warehouse {
    let base = [
        ("kind", "http"),
        ("base_url", "https://wms.test"),
        ("auth", "none"),
        ("repeat", "refuses_duplicates"),
    ];
    let values: BTreeMap<String, String> =
        base.iter().chain(webhook).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let secret = format!("whsec_{}", STANDARD.encode(KEY));
    let given = GivenSecrets::new([("key".to_owned(), secret)]);
    let vault = Arc::new(Vault::new(vec![Box::new(given)], clock.clone()));
    wms::connect(&Settings::new("warehouse", values, vault), Http::new([]).unwrap(), clock).unwrap()
}

#[test]
fn a_notice_that_is_sent_again_has_no_second_effect_inside_the_window_and_is_unknown_after_it() {
    let door = Door::signed();
    let notice = door.notice("msg_1", "shipment.created", "P-1", "1Z5");
    assert_eq!(door.post(&notice), 200);
    assert_eq!(door.record().stage, Stage::Shipped);
    door.post_tracking();
    let (settled, queued) = (door.record(), door.scene.shipments.waiting().len());
    for after in [0, 1, 200, 99] {
        door.pass(after);
        assert_eq!(door.post(&notice), 200, "the sender must not be told anything else");
    }
    let calls = door.calls();
    for after in [1, 3600, 8 * DAY, 400 * DAY] {
        door.pass(after);
        assert_eq!(door.post(&notice), 401);
    }
    assert_eq!(door.calls(), calls);
    assert_eq!((door.record(), door.scene.shipments.waiting().len()), (settled, queued));
}

/// A sender that got no answer signs the same notice anew, days later (Standard Webhooks: for 75.6 hours), when other news
/// has come; and one that signs no time can be replayed for ever. So it is the ledger that remembers, and it never forgets.
#[test]
fn a_notice_that_is_signed_anew_has_no_second_effect_for_as_long_as_there_is_a_record() {
    const STORY: [(&str, &str, &str, &str); 6] = [
        ("msg_1", "shipment.created", "P-1", "1Z1"),
        ("msg_2", "shipment.created", "P-1", "1Z2"),
        ("msg_3", "shipment.voided", "P-1", "1Z2"),
        ("msg_4", "shipment.created", "P-1", "1Z3"),
        ("msg_5", "shipment.created", "P-2", "1Z4"),
        ("msg_6", "shipment.voided", "P-2", "1Z4"),
    ];
    for told in 1..=STORY.len() {
        let door = Door::signed();
        for (id, event, package, number) in &STORY[..told] {
            assert_eq!(door.post(&door.notice(id, event, package, number)), 200);
            door.post_tracking();
        }
        let (settled, queued) = (door.record(), door.scene.shipments.waiting().len());
        for after in [1, 299, 3 * DAY, 8 * DAY, 400 * DAY] {
            door.pass(after);
            for (id, event, package, number) in STORY[..told].iter().chain(STORY[..told].iter().rev()) {
                assert_eq!(door.post(&door.notice(id, event, package, number)), 200);
                assert_eq!(door.record(), settled, "{id} again, after {told} notices and {after} s");
            }
        }
        assert_eq!(door.scene.shipments.waiting().len(), queued, "nothing to post again");
    }
}

#[test]
fn what_nobody_can_verify_makes_no_call_of_the_ledger_or_a_queue() {
    let door = Door::signed();
    let genuine = door.notice("msg_1", "shipment.created", "P-1", "1Z5");
    let mut forged = vec![RawWebhook { body: b"{}".to_vec(), ..genuine.clone() }];
    for index in 0..3 {
        let mut without = genuine.clone();
        without.headers.remove(index);
        let mut bypass = genuine.clone();
        bypass.headers[index].1 = "v1,".to_owned();
        forged.extend([without, bypass]);
    }
    let calls = door.calls();
    for raw in &forged {
        assert_eq!(door.post(raw), 401, "{raw:?}");
    }
    for path in ["/webhook/other", "/webhook/NOT-A-SLUG", "/notify/main/guessed", "/notify/main"] {
        assert_eq!(door.send("POST", path, &genuine), 401, "{path}");
    }
    assert_eq!(door.send("POST", "/elsewhere", &genuine), 404);
    assert_eq!(door.send("HEAD", "/webhook/main", &genuine), 200);
    assert_eq!(door.calls(), calls);
    assert_eq!(door.post(&genuine), 200);
    assert!(door.calls() > calls, "and the genuine one does");
}

#[test]
fn a_body_that_is_too_large_is_refused_before_anybody_looks_at_it() {
    let door = Door::signed();
    let genuine = door.notice("msg_1", "shipment.created", "P-1", "1Z5");
    let total = door.scene.script.total();
    let large = RawWebhook { body: vec![b' '; MAX_BODY_BYTES + 1], ..genuine };
    assert_eq!(door.post(&large), 413);
    assert_eq!(door.scene.script.total(), total, "not even the connection was read");
}

#[test]
fn without_a_secret_or_with_one_that_cannot_be_read_nobody_is_believed() {
    let none = Door::new(&[]);
    let genuine = none.notice("msg_1", "shipment.created", "P-1", "1Z5");
    assert_eq!(none.post(&genuine), 401, "no scheme is set");
    let missing = Door::new(&[("webhook.scheme", "standard_webhooks"), ("webhook.secret", "@given:other")]);
    assert_eq!(missing.post(&genuine), 503, "our trouble: the sender should come again");
    assert_eq!(none.record().stage, Stage::Accepted);
    assert_eq!(missing.record().stage, Stage::Accepted);
}
