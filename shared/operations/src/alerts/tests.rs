//! What people are told: each thing once when it opens and once when it closes, nothing twice, and nothing lost.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use async_trait::async_trait;
use domain::admission::Admission;
use domain::circuit::Away;
use domain::life::Step;
use domain::mapping::{Gap, Sku};
use domain::notes::{Daily, Mark};
use domain::order::Order;
use domain::ports::{Connections as _, Ledger as _, Parked};
use domain::reconciliation::{Difference, Reconciliation, Verdict};
use domain::record::{Cause, Stage};
use domain::shipment::Post;
use domain::{OrderId, WarehouseOrderId};
use testkit::build;
use testkit::model::{Class, Fate, Scene};
use testkit::run::run;

/// A channel that keeps what it was sent, unless it is away.
#[derive(Default)]
struct Channel {
    sent: Mutex<Vec<Alert>>,
    is_away: AtomicBool,
}

#[async_trait]
impl Outlet for Channel {
    fn name(&self) -> String {
        "channel".to_owned()
    }
    async fn send(&self, alert: &Alert) -> Result<(), Failure> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Failure::retryable("test", "the channel is away"));
        }
        self.sent.lock().unwrap().push(alert.clone());
        Ok(())
    }
}

struct Watched {
    scene: Scene,
    channel: Arc<Channel>,
    watch: Watch,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Watched {
    fn new() -> Self {
        let scene = Scene::new(Class::U);
        let channel = Arc::new(Channel::default());
        let watch = Watch {
            partners: scene.partners.clone(),
            ledger: scene.ledger.clone(),
            notes: scene.notes.clone(),
            outlet: channel.clone(),
            clock: scene.clock.clone(),
            every: EVERY,
            stack: None,
            turns: Turns::default(),
        };
        Self { scene, channel, watch }
    }

    fn held(&self, order: u64, cause: Cause) {
        let (key, now) = (self.scene.key(order), self.scene.clock.now());
        self.scene.store.place(Order { ordered_at: Some(now), ..build::order(order) });
        let mut record = build::record(&key, &Admission::Hold(cause, self.scene.seconds_from_now(60)), order);
        (record.since, record.imported_at) = (now, now);
        self.scene.keep(&record);
    }

    fn unmapped(&self, order: u64, sku: &str) {
        self.held(order, Cause::Unmapped(vec![Gap::UnknownSku(Sku::parse(sku).unwrap())]));
    }

    fn cancel(&self, order: u64) {
        self.scene.step(order, Step::Cancel("by hand".into()));
    }

    fn accepted(&self, order: u64) {
        self.scene.ready(order);
        let until = self.scene.seconds_from_now(900);
        self.scene.step(order, Step::Claim { until, units: 1, mapping: 1, digest: None });
        let id = WarehouseOrderId::parse("W-1").unwrap();
        self.scene.step(order, Step::Accept { id, how: "" });
    }

    fn dated(&self, order: u64, seconds: u64) {
        let at = self.scene.seconds_from_now(seconds);
        run(self.scene.ledger.expect(&self.scene.connection.id, at, &[OrderId(order)])).unwrap();
    }

    fn looks(&self) -> Vec<(ConnectionId, Result<usize, Failure>)> {
        let all = run(self.scene.connections.all()).unwrap();
        run(self.watch.run(all, self.scene.seconds_from_now(60)))
    }

    /// Looks, a turn later, and gives the one message that was sent, if one was.
    fn look(&self) -> Option<Alert> {
        self.scene.pass(EVERY);
        for (_, told) in self.looks() {
            told.unwrap();
        }
        let mut sent = std::mem::take(&mut *self.channel.sent.lock().unwrap());
        assert!(sent.len() <= 1, "{sent:?}");
        sent.pop()
    }

    #[track_caller]
    fn says(&self, parts: &[&str]) -> Alert {
        let alert = self.look().expect("people are told");
        for part in parts {
            assert!(format!("{}\n{}", alert.title, alert.text).contains(part), "{part} in {alert:?}");
        }
        alert
    }

    #[track_caller]
    fn says_nothing(&self) {
        assert_eq!(self.look(), None);
    }

    fn compared(&self, listed: u64, days: u64, missing: u64) {
        let now = self.scene.clock.now();
        let mut last =
            Reconciliation::begun(now, now.checked_sub(Duration::from_secs(days * 86_400)).unwrap());
        last.listed = listed;
        for order in 0..missing {
            last.count(
                OrderId(order),
                Verdict { differences: vec![Difference::Missing], ..Verdict::default() },
            );
        }
        let daily = Daily { due: later(now, HOUR * 24), running: None, last: Some(last) };
        run(self.scene.notes.set_daily(&self.scene.connection.id, &daily)).unwrap();
    }

    fn last_order(&self, ago: Duration) {
        let at = self.scene.clock.now().checked_sub(ago).unwrap();
        self.scene.ledger.with(&self.scene.connection.id, |books| books.cursor.position = Some(at));
    }
}

#[test]
fn an_issue_is_told_once_when_it_opens_and_once_when_it_closes() {
    let told = Watched::new();
    told.says_nothing();
    told.unmapped(7, "LAMP");
    let alert = told.says(&["Cartdock main", "SKU LAMP has no listing", "1 order waits: 7", "since"]);
    assert!(alert.text.contains("row       LAMP,<warehouse SKU>,1\n"), "{}", alert.text);
    assert!(alert.text.contains("then      cartdock map import listings.csv --connection main\n"));
    told.says_nothing();
    told.unmapped(8, "LAMP");
    told.says_nothing();
    told.cancel(7);
    told.says_nothing();
    told.cancel(8);
    told.says(&["closed: SKU LAMP has no listing", "CLOSED:", "(after 25 min)", "Nothing is open now"]);
    told.says_nothing();
    told.unmapped(9, "LAMP");
    told.says(&["OPEN: SKU LAMP"]);
}

#[test]
fn what_opens_and_closes_within_a_turn_is_not_told_and_many_things_are_one_message() {
    let told = Watched::new();
    told.unmapped(1, "LAMP");
    told.cancel(1);
    told.says_nothing();
    (1..=25).for_each(|n| told.unmapped(100 + n, &format!("SKU-{n}")));
    let alert = told.says(&["25 opened", "and 15 more opened", "25 open now: cartdock status main"]);
    assert_eq!(alert.text.matches("OPEN: ").count(), 10, "{}", alert.text);
    (1..=25).for_each(|n| told.cancel(100 + n));
    told.held(300, Cause::Comment);
    let alert = told.says(&["1 opened, 25 closed", "OPEN: ", "and 15 more closed", "1 open now"]);
    assert_eq!(alert.text.matches("CLOSED: ").count(), 10, "{}", alert.text);
}

#[test]
fn what_is_ignored_is_told_neither_when_it_opens_nor_when_it_closes() {
    let told = Watched::new();
    told.unmapped(1, "LAMP");
    told.unmapped(2, "MUG");
    told.says(&["2 opened"]);
    let (notes, id) = (told.scene.notes.as_ref(), &told.scene.connection.id);
    let open = run(notes.told(id)).unwrap().unwrap().open;
    let of = |sku: &str| open.iter().find(|(_, opened)| opened.sentence.contains(sku)).unwrap().0.clone();
    let ignored = |issue: String| Mark { issue, ignored: true, ..Mark::default() };
    assert!(run(notes.set_mark(id, &ignored(of("LAMP")))).unwrap());
    told.says_nothing();
    told.cancel(1);
    told.says_nothing();
    told.unmapped(3, "LAMP");
    told.says_nothing();
    told.cancel(2);
    told.says(&["closed: SKU MUG"]);
}

#[test]
fn what_no_channel_took_is_told_at_the_next_turn_and_a_crash_repeats_rather_than_loses() {
    let told = Watched::new();
    told.unmapped(1, "LAMP");
    told.channel.is_away.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        told.scene.pass(EVERY);
        let looks = told.looks();
        assert!(looks[0].1.as_ref().is_err_and(|failure| failure.message.contains("away")), "{looks:?}");
    }
    told.channel.is_away.store(false, Ordering::Relaxed);
    told.scene.script.next("notes.set_told", [Fate::Fails(None)]);
    told.scene.pass(EVERY);
    run(told.watch.look(&told.scene.connection)).unwrap_err();
    assert_eq!(told.channel.sent.lock().unwrap().drain(..).count(), 1, "it was sent, and not written down");
    told.says(&["OPEN: SKU LAMP"]);
    told.says_nothing();
}

#[test]
fn only_unfinished_orders_are_read_those_on_their_way_once_and_an_idle_look_writes_nothing() {
    let told = Watched::new();
    told.says_nothing();
    told.accepted(1);
    let count = |what: &str| told.scene.script.count_all(&[what]);
    let scans = count("ledger.scan");
    told.says_nothing();
    let (writes, reads) = (count("notes.set_"), count("ledger.load"));
    told.says_nothing();
    assert_eq!((count("notes.set_"), count("ledger.load"), count("ledger.scan")), (writes, reads, scans));
    told.scene.step(1, Step::Recall("refunded".into()));
    told.dated(1, 1200);
    told.says_nothing();
    assert!(count("ledger.load") > reads, "it has another date by now");
}

#[test]
fn an_order_that_was_on_its_way_is_told_when_it_is_held() {
    let told = Watched::new();
    told.accepted(1);
    told.says_nothing();
    told.scene.step(1, Step::Flag(Cause::ChangedAfterSending));
    told.dated(1, 1200);
    told.says(&["OPEN: "]);
}

#[test]
fn an_order_whose_near_date_was_taken_off_is_read_again_although_its_next_one_is_far() {
    let told = Watched::new();
    told.accepted(1);
    told.says_nothing();
    told.scene.step(1, Step::Flag(Cause::ChangedAfterSending));
    told.scene.ledger.with(&told.scene.connection.id, |books| books.dates.clear());
    told.dated(1, 86_400);
    told.says(&["OPEN: "]);
    told.scene.ledger.with(&told.scene.connection.id, |books| books.dates.clear());
    (0..13).for_each(|_| drop(told.look()));
    assert!(run(told.scene.notes.told(&told.scene.connection.id)).unwrap().unwrap().open.is_empty());
}

#[test]
fn a_record_that_nobody_can_read_hides_no_other() {
    let told = Watched::new();
    told.unmapped(1, "LAMP");
    told.scene.ready(2);
    told.scene.ledger.with(&told.scene.connection.id, |books| books.unreadable.insert(OrderId(2)));
    told.says(&["OPEN: SKU LAMP"]);
}

#[test]
fn a_connection_has_a_turn_every_five_minutes_and_none_while_it_does_not_run() {
    let mut told = Watched::new();
    let looks = |told: &Watched| told.looks().len();
    assert_eq!((looks(&told), looks(&told)), (1, 0));
    told.scene.pass(EVERY);
    assert_eq!((looks(&told), looks(&told)), (1, 0));
    told.scene.reconnect(|connection| connection.enabled = false);
    told.scene.pass(EVERY);
    assert_eq!(looks(&told), 0);
}

#[test]
fn orders_that_are_late_are_told_by_the_part_of_their_way() {
    let told = Watched::new();
    told.scene.ready(1);
    told.accepted(2);
    told.says_nothing();
    told.scene.pass(HOUR);
    told.says(&[
        "orders do not get to the warehouse in time",
        "1 order takes longer",
        "cartdock explain main/1",
    ]);
    told.scene.pass(HOUR * 48);
    told.says(&["orders that the warehouse has are not shipped in time", "main/2", "2 open now"]);
}

#[test]
fn packages_in_the_outbox_parked_notices_and_a_warehouse_that_is_away_are_told() {
    let told = Watched::new();
    told.accepted(1);
    let mut record = told.scene.record(1);
    let post = Post::Outbox { why: "the store cannot take it".into() };
    record.packages =
        vec![domain::shipment::Package { post, shipped_at: told.scene.clock.now(), ..build::package("P1") }];
    record.stage = Stage::Shipped;
    told.scene.keep(&record);
    told.says(&[
        "the store cannot take the tracking",
        "1 package waits in the outbox",
        "cartdock outbox export --connection main",
    ]);
    told.scene.pass(HOUR * 3);
    told.says_nothing();
    let now = told.scene.clock.now();
    let parked =
        Parked { id: "x".into(), at: now, why: "secret words".into(), raw: b"a buyer's name".to_vec() };
    told.scene.ledger.with(&told.scene.connection.id, |books| {
        books.parked.insert("x".into(), (parked, Timestamp::MAX));
        books.circuit.away = Some(Away { since: now, probes: 1, probe_at: now });
    });
    let alert = told.says(&["1 notice is parked", "notices-parked.md"]);
    assert!(!alert.text.contains("buyer") && !alert.text.contains("secret words"), "{alert:?}");
    told.says(&["the warehouse does not answer", "cartdock check main"]);
    told.scene.ledger.with(&told.scene.connection.id, |books| {
        books.parked.clear();
        books.circuit.away = None;
    });
    told.says(&["2 closed", "CLOSED: the warehouse does not answer; its orders wait (after"]);
}

#[test]
fn a_daily_comparison_that_found_differences_is_told() {
    let told = Watched::new();
    told.compared(10, 7, 7);
    told.says(&["did not agree", "7 orders: 0, 1, 2, 3, 4 and 2 more", "cartdock reconcile main"]);
    told.compared(10, 7, 0);
    told.says(&["CLOSED: store, ledger and warehouse did not agree"]);
}

#[test]
fn that_nobody_imports_is_told_within_an_hour() {
    let told = Watched::new();
    told.says_nothing();
    let placed = told.scene.clock.now();
    told.scene.store.place(Order { ordered_at: Some(placed), ..build::order(7) });
    (0..11).for_each(|_| told.says_nothing());
    told.says(&["orders of the store are not imported", "1 order of the 1", "cartdock reconcile main --fix"]);
    told.says_nothing();
    told.scene.ready(7);
    told.says(&["closed: orders of the store are not imported"]);
}

#[test]
fn a_store_that_does_not_answer_is_told_at_the_third_time_and_not_before() {
    let told = Watched::new();
    told.scene.script.always("store.list", Fate::Fails(None));
    told.says_nothing();
    told.says_nothing();
    told.says(&["the store cannot be read", "cartdock check main"]);
    told.says_nothing();
    told.scene.script.heal();
    told.says(&["closed: the store cannot be read"]);
}

#[test]
fn no_order_for_an_unusual_time_is_told_until_one_comes() {
    for (listed, hours, is_told) in [
        (6, 500, false),
        (7, 239, false),
        (7, 241, true),
        (168, 9, false),
        (168, 11, true),
        (5000, 5, false),
        (5000, 7, true),
    ] {
        let told = Watched::new();
        told.compared(listed, 7, 0);
        told.last_order(HOUR * hours);
        assert_eq!(told.look().is_some(), is_told, "{listed} orders a week, none for {hours} hours");
    }
    let told = Watched::new();
    told.compared(168, 7, 0);
    told.last_order(HOUR * 11);
    told.says(&[
        "no order has come for an unusually long time",
        "usually one comes every 60 min",
        "cartdock check main",
    ]);
    told.compared(0, 7, 0);
    told.says_nothing();
    told.last_order(Duration::ZERO);
    told.says(&["closed: no order has come"]);
    told.says_nothing();
}

#[test]
fn on_a_deployment_commands_name_the_stack_and_nothing_of_a_shop_breaks_a_line() {
    let mut told = Watched::new();
    told.watch.stack = Some("cartdock-prod".into());
    told.scene.reconnect(|connection| connection.name = "Shop\r\n\u{202e}evil".into());
    told.unmapped(7, "LAMP");
    let alert = told.says(&["cartdock map import listings.csv --connection main --stack cartdock-prod\n"]);
    assert!(
        alert.text.contains("1 open now: cartdock status main --stack cartdock-prod\n"),
        "{}",
        alert.text
    );
    assert!(!alert.title.contains(['\r', '\n', '\u{202e}']), "{}", alert.title);
}

#[test]
fn more_than_can_be_told_one_by_one_is_one_thing_more() {
    let told = Watched::new();
    (0..310).for_each(|n| told.unmapped(1000 + n, &format!("SKU-{n}")));
    told.says(&["301 opened"]);
    let open = run(told.scene.notes.told(&told.scene.connection.id)).unwrap().unwrap().open;
    assert!(open.len() == 301 && open.contains_key("many"), "{}", open.len());
    told.says_nothing();
    told.unmapped(5000, "SKU-NEW");
    told.says_nothing();
}

#[test]
fn a_test_says_that_it_is_one() {
    let alert = test(build::noon());
    assert!(alert.title.contains("TEST") && alert.text.contains("nothing is to be done"), "{alert:?}");
}
