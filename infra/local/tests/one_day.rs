//! One full day at the command line, from the first mapping to the evening's comparison. What was typed and what was
//! answered is left in `one-day.txt`, so that a person can read the day.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::sync::Mutex;

use jiff::ToSpan as _;
use simulator::faults::When;
use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, WriteBack};
use simulator::warehouse::{Endpoint, Fault, FaultPlan};
use support::{Answer, Shop, terminate};

/// A shop, and what was typed and answered.
struct Day {
    shop: Shop,
    written: Mutex<String>,
}

impl Day {
    /// Types a command; it has to end so.
    async fn types(&self, line: &str, code: i32) -> Answer {
        let args: Vec<&str> = line.split_whitespace().collect();
        let answer = self.shop.ask(&args).await.ended(code);
        let text = format!("$ cartdock {line}\n{}{}[exit code {code}]\n\n", answer.out, answer.err);
        self.written.lock().expect("nobody panics").push_str(&text);
        answer
    }

    fn remarks(&self, remark: &str) {
        self.written.lock().expect("nobody panics").push_str(&format!("# {remark}\n"));
    }

    fn sells(&self, kind: Kind, hours_ago: i64) -> u64 {
        let mut day = shop::day_from(7, self.shop.morning).into_iter();
        let order = day.find(|order| order.kind == kind).expect("the day has all kinds");
        let ordered_at = self.shop.store.local_now() - hours_ago.hours();
        self.shop.store.add_order(OrderSpec { id: None, ordered_at, ..order })
    }

    async fn stands(&self, order: u64, stage: &str) {
        self.shop.explained(order, |order| order["stage"] == stage).await;
    }

    /// Writes `text` in place of another one in the settings.
    fn settles(&self, from: &str, to: &str) {
        let file = self.shop.dir.join("cartdock.toml");
        let text = std::fs::read_to_string(&file).expect("the settings");
        assert!(text.contains(from), "{from}");
        self.shop.write("cartdock.toml", &text.replace(from, to));
    }

    fn keep(&self) {
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-day.txt");
        std::fs::write(file, self.written.lock().expect("nobody panics").as_str()).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_from_the_first_mapping_to_the_evenings_comparison() {
    let day = Day { shop: Shop::open("one-day", WriteBack::Offered).await, written: Mutex::default() };
    day.settles("enabled = true", "enabled = false");
    day.settles("repeat = \"can_be_asked\"\nlag_seconds = 0", "repeat = \"cannot\"");
    day.settles("orders_minutes = 1\n", "orders_minutes = 1\noverlap_minutes = 60\n");
    let first = day.sells(Kind::Physical, 1);

    day.remarks("Before the first order: what is there to map?");
    day.types("check", 1).await;
    day.types("map seed --last 30d", 1).await;
    day.shop.map().await;
    let covered = day.types("map coverage --last 30d", 0).await;
    assert!(covered.out.contains("main"), "{}", covered.out);
    let planned = day.types(&format!("plan main/{first} --connection main"), 0).await;
    assert!(planned.out.contains("main"), "{}", planned.out);
    day.types("plan --last 20", 0).await;

    day.remarks("Go-live.");
    let run = day.shop.run();
    day.types("connection enable main --new --yes", 0).await;
    day.stands(first, "accepted").await;
    day.remarks("This warehouse cannot be asked about an order, and doctor says so; nothing else is found.");
    day.types("doctor", 0).await;

    day.remarks("A product that nobody has mapped.");
    let lamp = day.sells(Kind::UnmappedSku, 0);
    day.stands(lamp, "held").await;
    let issues = day.types("issues --json", 1).await.json();
    let of_lamp = issues
        .as_array()
        .into_iter()
        .flatten()
        .find(|issue| issue["cause"].as_str().is_some_and(|cause| cause.contains("LAMP-NEW")));
    let id = of_lamp.and_then(|issue| issue["issue"].as_str()).expect("the lamp's issue").to_owned();
    day.types(&format!("issues assign {id} ada --by bob"), 0).await;
    day.types(&format!("explain {lamp}"), 1).await;
    day.shop.write("missing.csv", &support::listings(shop::missing_listings()));
    let preview = day.types("map import missing.csv --dry-run", 0).await;
    assert!(preview.words().contains("1"), "{}", preview.out);
    day.types("map import missing.csv", 0).await;
    day.stands(lamp, "accepted").await;
    day.types("issues", 0).await;

    day.remarks("The warehouse hangs up, and nobody knows whether it has the order.");
    let hang_up = FaultPlan::new().and(Endpoint::Create, When::Next(1), Fault::DoneButHangUp);
    day.shop.warehouse.plan_faults(hang_up);
    let doubtful = day.sells(Kind::Physical, 0);
    day.stands(doubtful, "held").await;
    day.types(&format!("explain {doubtful}"), 1).await;
    let there = day.shop.warehouse.orders().last().expect("it has it").id.clone();
    day.types(&format!("resolve {doubtful} --there={there} --by ada --note seen_there"), 0).await;
    day.stands(doubtful, "accepted").await;

    day.remarks("Evening: everything leaves. The store listed one order late.");
    day.shop.warehouse.ship_everything();
    for order in [first, lamp, doubtful] {
        day.stands(order, "posted").await;
    }
    day.shop.cursor_moved().await;
    day.shop.store.notify_to(None);
    let late = day.sells(Kind::Physical, 5);
    day.shop.polled().await;
    let missing = day.types("reconcile", 1).await;
    assert!(missing.words().contains(&format!("main/{late} the store has it, the ledger does not")));
    day.types("reconcile --fix", 0).await;
    day.stands(late, "accepted").await;
    day.types("status", 0).await;
    let local = day.types("status --zone America/New_York", 0).await;
    assert!(local.out.contains("-05:00") || local.out.contains("-04:00"), "{}", local.out);
    assert_eq!(terminate(run).await, Some(0));
    day.keep();
}
