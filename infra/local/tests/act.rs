//! What a person does with single orders, beside a `cartdock run` that is at work on the same ledger.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use simulator::faults::When;
use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, WriteBack};
use simulator::warehouse::{Endpoint, Fault, FaultPlan, Status};
use support::{Answer, Shop, here_and_on_a_stack, in_time, terminate};

/// Another order each time, of a kind.
fn order(shop: &Shop, kind: Kind) -> OrderSpec {
    let mut day = shop::day_from(7, shop.morning).into_iter();
    let order = day.find(|order| order.kind == kind).expect("the day has all kinds");
    OrderSpec { id: None, ..order }
}

fn policies(shop: &Shop, more: &str) {
    let settings = shop.settings();
    let with = format!("[connection.policies]\n{more}");
    shop.write("cartdock.toml", &settings.replacen("[connection.policies]", &with, 1));
}

impl Shop {
    async fn sold(&self, kind: Kind, change: impl FnOnce(&mut OrderSpec)) -> u64 {
        let mut spec = order(self, kind);
        change(&mut spec);
        self.store.add_order(spec)
    }

    async fn stands(&self, order: u64, stage: &str) -> serde_json::Value {
        self.explained(order, |order| order["stage"] == stage).await
    }

    async fn held_for(&self, order: u64, why: &str) -> serde_json::Value {
        let is_held = |order: &serde_json::Value| {
            order["stage"] == "held" && order["meaning"].as_str().is_some_and(|text| text.contains(why))
        };
        self.explained(order, is_held).await
    }

    async fn act(&self, command: &str, order: u64, more: &[&str]) -> Answer {
        let order = order.to_string();
        self.ask(&[&[command, order.as_str()], more].concat()).await
    }

    fn creates(&self, order: u64) -> usize {
        self.warehouse.creates_for(&format!("main-{order}"))
    }
}

fn told(order: &serde_json::Value, by: &str, what: &str) -> bool {
    let lines = order["story"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().any(|line| line["by"] == by && line["what"].as_str().is_some_and(|text| text.contains(what)))
}

here_and_on_a_stack!(a_person_releases_holds_excludes_and_cancels, "act", WriteBack::Offered);

async fn a_person_releases_holds_excludes_and_cancels(shop: Shop) {
    policies(&shop, "comment = \"hold\"");
    let run = shop.mapped().await;

    let remark = shop.sold(Kind::Physical, |order| order.comments = "leave it at the back".into()).await;
    shop.held_for(remark, "remark").await;
    let planned = shop.act("release", remark, &["--dry-run", "--json"]).await.ended(0).json();
    assert_eq!((&planned[0]["done"], &planned[0]["is"]), (&true.into(), &"held".into()), "{planned}");
    assert_eq!(shop.creates(remark), 0, "nothing was done yet");
    let released = shop.act("release", remark, &["--by", "ada", "--note", "it is fine"]).await.ended(0);
    assert!(released.words().contains("it is sent"), "{released:?}");
    let sent = shop.stands(remark, "accepted").await;
    assert!(told(&sent, "ada", "a person let it go (it is fine)"), "{sent:#}");
    let twice = shop.act("release", remark, &[]).await.ended(1);
    assert!(twice.words().contains("nothing holds it: the warehouse has it"), "{twice:?}");
    assert!(!twice.words().contains("instead:"), "who sends it twice does not want to cancel it: {twice:?}");
    assert_eq!(shop.creates(remark), 1, "a double press sends nothing twice");

    let cancelled = shop.act("cancel", remark, &["--note", "bought twice"]).await.ended(0);
    assert!(cancelled.words().contains("cancelled by the warehouse"), "{cancelled:?}");
    shop.stands(remark, "cancelled").await;
    assert_eq!(shop.warehouse.orders()[0].status, Status::Cancelled);

    let lamp = shop.sold(Kind::UnmappedSku, |order| order.comments.clear()).await;
    shop.held_for(lamp, "LAMP-NEW").await;
    let gap = shop.act("release", lamp, &[]).await.ended(1);
    assert!(gap.words().contains("LAMP-NEW") && gap.words().contains("cartdock map import"), "{gap:?}");
    shop.act("hold", lamp, &["--by", "ada"]).await.ended(0);
    shop.act("hold", lamp, &[]).await.ended(1);
    shop.write("missing.csv", &support::listings(shop::missing_listings()));
    shop.ask(&["map", "import", "missing.csv"]).await.ended(0);
    shop.ask(&["replay", "--cause", "by a person", "--yes", "1"]).await.ended(1);
    shop.held_for(lamp, "a person said so: ada").await;
    assert_eq!(shop.creates(lamp), 0, "a hold outlasts the cure of the mapping");
    shop.act("release", lamp, &[]).await.ended(0);
    shop.stands(lamp, "accepted").await;

    let left_out = shop.sold(Kind::Physical, |order| order.comments = "hello".into()).await;
    shop.held_for(left_out, "remark").await;
    shop.act("exclude", left_out, &["--note", "shipped by hand"]).await.ended(0);
    let excluded = shop.stands(left_out, "excluded").await;
    assert!(told(&excluded, "a person", "(shipped by hand)"), "{excluded:#}");
    shop.act("cancel", left_out, &[]).await.ended(1);
    shop.act("release", left_out, &[]).await.ended(0);
    shop.stands(left_out, "accepted").await;
    shop.act("hold", left_out, &[]).await.ended(1);

    assert_eq!(shop.warehouse.orders().len(), 3);
    shop.act("release", 1, &[]).await.ended(2);
    shop.act("release", lamp, &["--note", "two\nlines"]).await.ended(2);
    assert_eq!(terminate(run).await, Some(0));
}

here_and_on_a_stack!(what_was_refused_is_tried_again_once_it_is_put_right, "replay", WriteBack::NotOffered);

async fn what_was_refused_is_tried_again_once_it_is_put_right(shop: Shop) {
    let refuse = Fault::Refuse("dock closed".into());
    shop.warehouse.plan_faults(FaultPlan::new().and(Endpoint::Create, When::Always, refuse));
    let run = shop.mapped().await;
    let mut orders = Vec::new();
    for _ in 0..2 {
        orders.push(shop.sold(Kind::Physical, |_| ()).await);
    }
    for order in &orders {
        shop.held_for(*order, "dock closed").await;
    }
    let issue = shop.ask(&["status", "--json"]).await.ended(1).json()[0]["held"][0].clone();
    assert_eq!(issue["orders"], 2, "{issue}");
    shop.warehouse.clear_faults();
    let id = issue["issue"].as_str().expect("an id");
    let unsure = shop.ask(&["replay", "--issue", id]).await.ended(2);
    assert!(unsure.words().contains("repeat it with --yes 2"), "{unsure:?}");
    let wrong = shop.ask(&["replay", "--issue", id, "--yes", "3"]).await.ended(2);
    assert!(wrong.words().contains("2 orders are chosen"), "{wrong:?}");
    shop.ask(&["replay", "--issue", id, "--yes", "2"]).await.ended(0);
    for order in &orders {
        shop.stands(*order, "accepted").await;
        assert_eq!(shop.creates(*order), 1, "taken once");
    }
    let nothing = shop.ask(&["replay", "--issue", id, "--yes", "2"]).await.ended(2);
    assert!(nothing.words().contains("no order is chosen"), "{nothing:?}");
    shop.ask(&["replay"]).await.ended(2);

    shop.warehouse.ship_everything();
    let is_out = |order: &serde_json::Value| {
        order["packages"][0]["post"].as_str().is_some_and(|post| post.contains("outbox"))
    };
    shop.explained(orders[0], is_out).await;
    shop.store.set_write_back(WriteBack::Offered);
    shop.act("replay", orders[0], &[]).await.ended(0);
    let tried = |order: &serde_json::Value| told(order, "a person", "tracking is tried again");
    shop.explained(orders[0], tried).await;
    assert_eq!(terminate(run).await, Some(0));
}

here_and_on_a_stack!(what_nobody_can_be_asked_about_is_settled_by_a_person, "resolve", WriteBack::Offered);

async fn what_nobody_can_be_asked_about_is_settled_by_a_person(shop: Shop) {
    let cannot =
        shop.settings().replacen("repeat = \"can_be_asked\"\nlag_seconds = 0", "repeat = \"cannot\"", 1);
    shop.write("cartdock.toml", &cannot);
    let ahead = shop.ahead().await;
    shop.map().await;
    shop.ask(&["rebuild", "main", "--new"]).await.ended(0);
    let run = ahead.unwrap_or_else(|| shop.run());
    let plan = |fault| FaultPlan::new().and(Endpoint::Create, When::Next(1), fault);
    let mut orders = Vec::new();
    for fault in [Fault::DoneButHangUp, Fault::HangUp, Fault::HangUp, Fault::HangUp] {
        shop.warehouse.plan_faults(plan(fault));
        let order = shop.sold(Kind::Physical, |_| ()).await;
        shop.held_for(order, "the answer was lost").await;
        orders.push(order);
    }
    let [there, lost, dropped, refunded] = orders[..] else { panic!("four orders") };
    let released = shop.act("release", there, &[]).await.ended(1);
    assert!(released.words().contains(&format!("instead: cartdock resolve main/{there}")), "{released:?}");
    let pasted = shop.act("resolve", there, &[]).await.ended(2);
    assert!(pasted.words().contains("--not-there"), "what is shown settles nothing by itself: {pasted:?}");

    shop.act("resolve", there, &["--there=WO-1001", "--by", "ada"]).await.ended(0);
    let settled = shop.stands(there, "accepted").await;
    assert_eq!(settled["warehouse_order"], "WO-1001", "{settled:#}");
    shop.act("resolve", there, &["--not-there"]).await.ended(1);

    shop.act("resolve", lost, &["--not-there", "--note", "searched twice"]).await.ended(0);
    let sent = shop.stands(lost, "accepted").await;
    assert!(told(&sent, "a person", "does not have it (searched twice)"), "{sent:#}");

    shop.act("resolve", dropped, &["--cancelled"]).await.ended(0);
    shop.stands(dropped, "cancelled").await;

    shop.store.set_status(refunded, "Refunded");
    let gone = shop.act("resolve", refunded, &["--not-there"]).await.ended(1);
    assert!(gone.words().contains("its payment is refunded"), "{gone:?}");

    shop.store.change_order(there, |order| {
        order.ship_to =
            order.ship_to.clone().map(|to| simulator::store::ShipTo { line1: "2 New Street".into(), ..to });
    });
    let changed = shop.held_for(there, "changed in the store after it was sent").await;
    assert!(
        changed["changed"][0].as_str().is_some_and(|what| what.starts_with("address: another")),
        "{changed:#}"
    );
    shop.act("resolve", there, &["--anew", "--note", "cancelled there by phone"]).await.ended(0);
    let anew = shop.stands(there, "accepted").await;
    assert_eq!(anew["reference"], format!("main-{there}-r1"), "{anew:#}");
    in_time("it is sent anew", shop.warehouse.until(|warehouse| warehouse.orders().len() == 3)).await;
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_order_takes_the_place_of_the_sent_one_until_the_warehouse_says_no() {
    let shop = Shop::open("replace", WriteBack::Offered).await;
    policies(&shop, "changed = \"replace\"\n");
    let run = shop.mapped().await;
    let order = shop.sold(Kind::Physical, |_| ()).await;
    shop.stands(order, "accepted").await;
    let moves = |street: &str| {
        let line1 = street.to_owned();
        shop.store.change_order(order, move |order| {
            order.ship_to = order.ship_to.clone().map(|to| simulator::store::ShipTo { line1, ..to });
        });
    };
    moves("2 New Street");
    let anew = format!("main-{order}-r1");
    shop.explained(order, |order| order["stage"] == "accepted" && order["reference"] == anew).await;
    let there = shop.warehouse.orders();
    assert_eq!((there.len(), there[0].status, there[1].status), (2, Status::Cancelled, Status::Accepted));
    assert_eq!(there[1].reference, anew);
    assert!(there[1].request.to_string().contains("2 New Street"), "{:#}", there[1].request);

    let packed = Fault::Refuse("it is packed".into());
    shop.warehouse.plan_faults(FaultPlan::new().and(Endpoint::Cancel, When::Always, packed));
    moves("3 New Street");
    let held = shop.held_for(order, "changed in the store after it was sent").await;
    assert!(held["story"].to_string().contains("the warehouse did not cancel it"), "{held:#}");
    assert!(held["changed"][0].as_str().is_some_and(|what| what.starts_with("address")), "{held:#}");
    assert_eq!(shop.warehouse.orders().len(), 2, "nothing is sent beside it");
    assert_eq!(terminate(run).await, Some(0));
}
