//! What slipped through is found, named, and taken in: by a person's command, and once a day by itself; and what orders wait
//! for is one issue for each cause.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use jiff::ToSpan as _;
use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, WriteBack};
use simulator::warehouse::Parcels;
use support::{Answer, Shop, here_and_on_a_stack, terminate};

/// An order of a kind, placed so many hours before now.
fn order(shop: &Shop, kind: Kind, hours: i64) -> OrderSpec {
    let mut day = shop::day_from(7, shop.morning).into_iter();
    let order = day.find(|order| order.kind == kind).expect("the day has all kinds");
    OrderSpec { id: None, ordered_at: shop.store.local_now() - hours.hours(), ..order }
}

impl Shop {
    /// A shop whose polls hardly overlap, so that an order which the store lists late slips through.
    fn forgetful(&self, pace: &str) {
        let settings =
            self.settings().replace("orders_minutes = 1\n", "orders_minutes = 1\noverlap_minutes = 60\n");
        self.write("cartdock.toml", &settings.replace("[pace]\n", &format!("[pace]\n{pace}")));
    }

    async fn stands(&self, order: u64, stage: &str) {
        self.explained(order, |order| order["stage"] == stage).await;
    }

    async fn reconciled(&self, more: &[&str]) -> Answer {
        self.ask(&[&["reconcile"], more].concat()).await
    }
}

here_and_on_a_stack!(an_order_that_slipped_through_is_named_and_imported, "reconcile", WriteBack::Offered);

async fn an_order_that_slipped_through_is_named_and_imported(shop: Shop) {
    shop.forgetful("");
    let run = shop.mapped().await;
    let sold = shop.store.add_order(order(&shop, Kind::Physical, 0));
    shop.stands(sold, "accepted").await;
    shop.warehouse.ship(&format!("main-{sold}"), &Parcels::One);
    shop.stands(sold, "posted").await;
    let agreed = shop.reconciled(&[]).await.ended(0);
    for line in [
        "orders 1 = 1 agree + 0 on the way + 0 differ",
        "store 1 listed = 1 in the ledger + 0 not polled yet + 0 missing",
        "1 left = 1 shown by the store",
        "All sides agree.",
    ] {
        assert!(agreed.words().contains(line), "{line} in\n{}", agreed.out);
    }

    shop.cursor_moved().await;
    shop.store.notify_to(None);
    let late = shop.store.add_order(order(&shop, Kind::Physical, 5));
    shop.polled().await;
    shop.ask(&["explain", &late.to_string()]).await.ended(2);
    let found = shop.reconciled(&["--json"]).await.ended(1).json();
    assert_eq!(found[0]["orders"][0]["order"], format!("main/{late}"), "{found:#}");
    assert_eq!(found[0]["line"], "2 = 1 agree + 0 on the way + 1 DIFFER");
    let told = shop.reconciled(&["main"]).await.ended(1);
    for part in
        ["the store has it, the ledger does not", "cure: cartdock reconcile main --fix", "1 order differs."]
    {
        assert!(told.words().contains(part), "{part} in\n{}", told.out);
    }
    let fixed = shop.reconciled(&["--since", "1d", "--fix"]).await.ended(0);
    assert!(fixed.words().contains("1 order was put right."), "{}", fixed.out);
    shop.stands(late, "accepted").await;
    shop.reconciled(&[]).await.ended(0);
    assert_eq!(shop.reconciled(&["--since", "1h", "--json"]).await.ended(0).json()[0]["found"]["listed"], 1);
    shop.reconciled(&["nobody"]).await.ended(2);
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_day_it_happens_by_itself() {
    let shop = Shop::open("reconcile-daily", WriteBack::NotOffered).await;
    shop.forgetful("reconcile_ms = 1500\n");
    shop.map().await;
    let run = shop.run();
    let sold = shop.store.add_order(order(&shop, Kind::Physical, 0));
    shop.stands(sold, "accepted").await;
    shop.cursor_moved().await;
    shop.store.notify_to(None);
    let late = shop.store.add_order(order(&shop, Kind::Physical, 5));
    shop.stands(late, "accepted").await;
    let found = shop.explained(late, |order| order["story"][0]["by"] == "reconcile").await;
    assert_eq!(found["stage"], "accepted");
    let status = shop.ask(&["status", "--json"]).await.json();
    assert!(status[0]["reconciled"]["listed"].as_u64() >= Some(1), "{status:#}");
    assert!(shop.ask(&["status"]).await.words().contains("reconciled 20"), "the line is told");
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_that_all_is_well_when_nothing_was_compared() {
    let shop = Shop::open("reconcile-disabled", WriteBack::NotOffered).await;
    shop.write("cartdock.toml", &shop.settings().replace("enabled = true", "enabled = false"));
    let refused = shop.reconciled(&[]).await.ended(2);
    assert!(
        refused.words().contains("nothing was compared (cartdock connection enable main)"),
        "{refused:?}"
    );
}

here_and_on_a_stack!(what_orders_wait_for_is_one_issue_with_its_cure, "issues", WriteBack::NotOffered);

async fn what_orders_wait_for_is_one_issue_with_its_cure(shop: Shop) {
    let run = shop.mapped().await;
    shop.ask(&["issues"]).await.ended(0);
    let lamps: Vec<u64> = (0..2).map(|_| shop.store.add_order(order(&shop, Kind::UnmappedSku, 0))).collect();
    for lamp in &lamps {
        shop.stands(*lamp, "held").await;
    }
    let all = shop.ask(&["issues", "--json"]).await.ended(1).json();
    let of_lamp = all.as_array().and_then(|all| {
        all.iter().find(|issue| issue["cause"].as_str().is_some_and(|c| c.contains("LAMP-NEW")))
    });
    let id = of_lamp.and_then(|issue| issue["issue"].as_str()).expect("the lamp's issue").to_owned();
    assert_eq!(of_lamp.expect("it")["orders"], 2, "{all:#}");
    assert!(shop.ask(&["issues"]).await.words().contains(&id));

    let assigned = shop.ask(&["issues", "assign", &id[..5], "ada"]).await.ended(0);
    assert!(assigned.words().contains("taken care of ada"), "{}", assigned.out);
    shop.ask(&["issues", "note", &id, "supplier asked", "--by", "ada"]).await.ended(0);
    let shown = shop.ask(&["issues", "show", &id]).await.ended(0);
    for part in [
        "LAMP-NEW",
        "ada: supplier asked",
        "2 orders wait",
        "LAMP-NEW,<warehouse SKU>,1",
        "cartdock map import",
    ] {
        assert!(shown.words().contains(part), "{part} in\n{}", shown.out);
    }
    assert!(shop.ask(&["status"]).await.words().contains("(assigned to ada)"));
    let others: Vec<String> =
        all.as_array().into_iter().flatten().filter_map(|i| i["issue"].as_str()).map(str::to_owned).collect();
    for issue in &others {
        shop.ask(&["issues", "ignore", issue]).await.ended(0);
    }
    shop.ask(&["issues"]).await.ended(0);
    assert!(!shop.ask(&["issues"]).await.words().contains(&id));
    assert!(shop.ask(&["issues", "--all"]).await.words().contains("ignored"));
    shop.ask(&["issues", "ignore", &id, "--undo"]).await.ended(0);
    shop.ask(&["issues"]).await.ended(1);

    shop.write("missing.csv", &support::listings(shop::missing_listings()));
    shop.ask(&["map", "import", "missing.csv"]).await.ended(0);
    for lamp in &lamps {
        shop.stands(*lamp, "accepted").await;
    }
    let gone = shop.ask(&["issues", "show", &id]).await.ended(2);
    assert!(gone.words().contains("cartdock issues lists those that are open"), "{}", gone.err);
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_whether_everything_is_at_work() {
    let shop = Shop::open("doctor", WriteBack::Offered).await;
    shop.map().await;
    let run = shop.run();
    let sold = shop.store.add_order(order(&shop, Kind::Physical, 0));
    shop.stands(sold, "accepted").await;
    let well = shop.ask(&["doctor"]).await.ended(0);
    for part in [
        "cartdock run is at work",
        "clock agrees with the store's",
        "1 order of the last day, all in the ledger",
        "Everything is at work.",
    ] {
        assert!(well.words().contains(part), "{part} in\n{}", well.out);
    }
    assert!(well.out.lines().all(|line| line.chars().count() <= 80 || line.contains("http")), "{}", well.out);
    let lamp = shop.store.add_order(order(&shop, Kind::UnmappedSku, 0));
    shop.stands(lamp, "held").await;
    shop.ask(&["explain", &lamp.to_string(), "--bundle", "lamp.json"]).await.ended(1);
    let bundle = std::fs::read_to_string(shop.dir.join("lamp.json")).expect("it was written");
    let buyer = shop.store.order(lamp).and_then(|order| order.ship_to).expect("it is shipped");
    assert!(bundle.contains("LAMP-NEW") && bundle.contains("@env:TEST_STORE_KEY"), "{bundle}");
    assert!(!bundle.contains(&buyer.line1), "{bundle}");
    assert_eq!(terminate(run).await, Some(0));
    let ill = shop.ask(&["doctor", "--json"]).await.ended(1).json();
    let bad: Vec<&str> = ill
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|report| report["findings"].as_array().into_iter().flatten())
        .filter(|finding| finding["ok"] == false)
        .filter_map(|finding| finding["what"].as_str())
        .collect();
    assert_eq!(bad, ["process", "issues", "coverage"], "{ill:#}");
}
