//! A first mapping, how far it reaches, how it came to be, and what it would make of orders, beside the simulators.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::path::Path;

use jiff::SignedDuration;
use simulator::shop::Kind;
use simulator::store::{LineSpec, OrderSpec, ShipTo, ShippingSpec, WriteBack};
use support::{Answer, Shop, here_and_on_a_stack, terminate};

const BUYER: &str = "Unmistakable Buyer";
const STREET: &str = "17 Unmistakable Street";
const REMARK: &str = "unmistakable remark";

/// What a person reads, with everything in it that differs from run to run taken out.
fn steady(text: &str) -> String {
    let mut out: Vec<char> = text.chars().collect();
    for shape in ["0000-00-00T00:00:00Z", "127.0.0.1:00000"] {
        let shape: Vec<char> = shape.chars().collect();
        let is_it = |part: &[char]| {
            part.iter().zip(&shape).all(|(c, s)| if *s == '0' { c.is_ascii_digit() } else { c == s })
        };
        for at in 0..out.len().saturating_sub(shape.len() - 1) {
            if is_it(&out[at..at + shape.len()]) {
                out[at..at + shape.len()].copy_from_slice(&shape);
            }
        }
    }
    out.into_iter().collect()
}

/// Fails when a person reads something else than in `screens/NAME.txt`, or something that does not fit the screen.
fn reads(name: &str, text: &str) {
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    is_as_kept(name, text);
}

fn is_as_kept(name: &str, text: &str) {
    let text = steady(text);
    let file = format!("{name}.txt");
    let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&file);
    std::fs::write(&actual, &text).expect("a file");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(&file);
    let expected = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(expected == text, "{file} is another one; what it is now: {}\n{text}", actual.display());
}

/// An order of some products by some method, so many days ago.
fn sale(shop: &Shop, products: &[(Option<&str>, u32)], method: &str, days: i64) -> OrderSpec {
    let line = |(sku, quantity): &(Option<&str>, u32)| LineSpec {
        product: if sku.is_some() { 9_300_011 } else { 9_300_018 },
        name: sku.map_or_else(|| "Gift Box".to_owned(), |sku| format!("A thing called {sku}")),
        sku: sku.map(str::to_owned),
        quantity: *quantity,
        unit_price: "14.50".parse().expect("a price"),
        recurring: false,
    };
    let at = shop.store.local_now().checked_sub(SignedDuration::from_hours(days * 24)).expect("a time");
    OrderSpec {
        kind: Kind::Physical,
        shipping: Some(ShippingSpec { method: method.to_owned(), amount: None }),
        ship_to: Some(ShipTo {
            name: BUYER.to_owned(),
            line1: STREET.to_owned(),
            city: "Springfield".to_owned(),
            zip: "62701".to_owned(),
            state: "Illinois".to_owned(),
            country: "United States".to_owned(),
            ..ShipTo::default()
        }),
        comments: REMARK.to_owned(),
        ..OrderSpec::paid(at, products.iter().map(line).collect())
    }
}

impl Shop {
    fn sold(&self, products: &[(Option<&str>, u32)], method: &str, days: i64) -> u64 {
        self.store.add_order(sale(self, products, method, days))
    }

    /// What runs before anything is typed, without the connection being enabled.
    async fn not_enabled(&self) -> Option<tokio::process::Child> {
        self.write("cartdock.toml", &self.settings().replace("enabled = true", "enabled = false"));
        self.ahead().await
    }

    async fn at(&self, order: u64, stage: &str) {
        self.explained(order, |order| order["stage"] == stage).await;
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.join(file)).expect("it was written")
    }

    fn creates(&self, order: u64) -> usize {
        self.warehouse.creates_for(&format!("main-{order}"))
    }

    async fn skus(&self) -> Vec<String> {
        let listed = self.ask(&["map", "list", "--json"]).await.ended(0).json();
        let listings = listed["listings"].as_array().expect("listings");
        listings.iter().map(|listing| listing["sku"].as_str().expect("a SKU").to_owned()).collect()
    }
}

fn nobody_is_named(answer: &Answer) {
    for personal in [BUYER, STREET, REMARK, "Springfield", "62701"] {
        assert!(!answer.words().contains(personal), "{personal} in {answer:?}");
    }
}

here_and_on_a_stack!(
    a_first_mapping_is_proposed_and_a_guess_is_never_applied_by_itself,
    "seed",
    WriteBack::Offered
);

async fn a_first_mapping_is_proposed_and_a_guess_is_never_applied_by_itself(shop: Shop) {
    for sku in ["MUG-12-BLU", "tea\u{a0}tin 01", "PEN SET", "pen-set"] {
        shop.warehouse.set_stock(sku, 5);
    }
    shop.sold(&[(Some("TEA-TIN-01"), 2), (Some("MUG-12-BLU"), 1)], "UPS Ground", 1);
    shop.sold(&[(Some("TEA-TIN-01"), 1), (None, 1)], "ups 2nd-day", 2);
    shop.sold(&[(Some("PEN-SET"), 1)], "Drone to the Door", 20);
    shop.sold(&[(Some("OLD-THING"), 1)], "Pigeon", 40);
    shop.write("services.txt", "UPS Ground\nUPS 2nd Day\n");
    let _run = shop.not_enabled().await;
    let seeded = shop.ask(&["map", "seed", "--services", "services.txt"]).await.ended(1);
    nobody_is_named(&seeded);
    reads("map-seed", &seeded.out);
    let (listings, rules) = (shop.read("listings-seed.csv"), shop.read("rules-seed.csv"));
    is_as_kept("map-seed-rules", &rules.replace("\r\n", "\n"));
    assert!(!listings.contains("OLD-THING"), "sold too long ago: {listings}");
    assert_eq!(shop.ask(&["map", "list", "--json"]).await.json()["version"], 0, "nothing was imported");

    let again = shop.ask(&["map", "seed"]).await.ended(2);
    assert!(again.words().contains("listings-seed.csv is there already"), "{again:?}");
    let imported = shop.ask(&["map", "import", "listings-seed.csv"]).await.ended(0);
    assert!(imported.words().contains("no in the column apply and were left"), "{imported:?}");
    assert_eq!(shop.skus().await, ["MUG-12-BLU"], "only what is certain");
    let guess = "TEA-TIN-01,tea\u{a0}tin 01,1,no";
    assert!(listings.contains(guess), "{listings}");
    shop.write("agreed.csv", &listings.replace(guess, &guess.replace(",no", ",yes")));
    shop.ask(&["map", "import", "agreed.csv"]).await.ended(0);
    assert_eq!(shop.skus().await, ["MUG-12-BLU", "TEA-TIN-01"], "what a person agreed to");
    shop.write("wrong.csv", &listings.replace(guess, &guess.replace(",no", ",maybe")));
    let wrong = shop.ask(&["map", "import", "wrong.csv"]).await.ended(2);
    assert!(wrong.words().contains("apply: \"maybe\" is not known; write yes"), "{wrong:?}");

    shop.write("skus.csv", "SKU;Name\nPEN-SET;Pens\nLAMP NEW;Lamp\n");
    let more = [
        "map",
        "seed",
        "--warehouse-skus",
        "skus.csv",
        "--orders-only",
        "--last",
        "3",
        "--out",
        "b",
        "--json",
    ];
    let seeded = shop.ask(&more).await.ended(1).json();
    let of = |sku: &str| {
        let all = seeded["listings"].as_array().expect("listings").iter();
        all.filter(|l| l["sku"] == sku).map(|l| l["certainty"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((of("PEN-SET"), of("LAMP-NEW")), (vec!["exact".into()], Vec::new()), "{seeded:#}");
    assert!(shop.dir.join("b/listings-seed.csv").exists());
    let missing = shop.ask(&["map", "seed", "--out", "c", "--warehouse-skus", "nowhere.csv"]).await.ended(2);
    assert!(missing.words().contains("nowhere.csv cannot be read"), "{missing:?}");
}

here_and_on_a_stack!(coverage_says_what_lacks_and_the_row_that_closes_it, "coverage", WriteBack::Offered);

async fn coverage_says_what_lacks_and_the_row_that_closes_it(shop: Shop) {
    let _run = shop.not_enabled().await;
    shop.map().await;
    shop.sold(&[(Some("MUG-12-BLU"), 1), (Some("LAMP-NEW"), 3)], "UPS Ground", 1);
    // Not two days ago to the second, which is where the shortest look for the last orders ends.
    shop.sold(&[(Some("LAMP-NEW"), 1)], "Drone to the Door", 3);
    shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 3);
    shop.sold(&[(Some("MUG-12-BLU"), 1), (None, 2)], "UPS Ground", 3);
    let refunded = shop.sold(&[(Some("NEVER"), 1)], "UPS Ground", 3);
    shop.store.set_status(refunded, "Refunded");
    let covered = shop.ask(&["map", "coverage"]).await.ended(1);
    nobody_is_named(&covered);
    reads("map-coverage", &covered.out);
    let told = shop.ask(&["map", "coverage", "--json"]).await.ended(1).json();
    assert_eq!((&told["orders"]["translated"], &told["orders"]["all"]), (&1.into(), &4.into()), "{told:#}");
    assert_eq!(told["gaps"][0]["cure"]["row"], "LAMP-NEW,<warehouse SKU>,1", "the heaviest first");
    shop.write("lamp.csv", "sku,warehouse_sku,quantity\nLAMP-NEW,W-LAMP-01,1\n");
    shop.ask(&["map", "import", "lamp.csv"]).await.ended(0);
    let told = shop.ask(&["map", "coverage", "--json"]).await.ended(1).json();
    assert_eq!(told["orders"]["translated"], 2, "the row has closed the gap");
    let two = shop.ask(&["map", "coverage", "--last", "2", "--json"]).await.json();
    assert_eq!((&two["orders"]["all"], &two["not_shipped"]), (&1.into(), &1.into()), "{two:#}");
}

here_and_on_a_stack!(
    a_wrong_import_is_seen_in_the_history_and_taken_back_and_its_orders_go_on,
    "rollback",
    WriteBack::Offered
);

async fn a_wrong_import_is_seen_in_the_history_and_taken_back_and_its_orders_go_on(shop: Shop) {
    let ahead = shop.ahead().await;
    let nothing = shop.ask(&["map", "rollback"]).await.ended(2);
    assert!(nothing.words().contains("no version to go back to"), "{nothing:?}");
    shop.map().await;
    shop.write("wrong.csv", "sku,warehouse_sku,quantity\nTEA-TIN-01,W-TEA-100G,5\n");
    shop.ask(&["map", "import", "wrong.csv", "--replace", "--by", "eve", "--note", "new year"])
        .await
        .ended(0);
    let history = shop.ask(&["map", "history"]).await.ended(0);
    reads("map-history", &history.out);
    let run = ahead.unwrap_or_else(|| shop.run());
    let mug = shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 0);
    shop.at(mug, "held").await;

    shop.write("mug.csv", "sku,warehouse_sku,quantity\nMUG-12-BLU,W-MUG-BLUE,1\n");
    let told = shop.ask(&["map", "import", "mug.csv", "--dry-run"]).await.ended(0);
    reads("map-import-dry-run", &told.out);
    let told = shop.ask(&["map", "rollback", "--dry-run"]).await.ended(0);
    reads("map-rollback-dry-run", &told.out);
    let unsure = shop.ask(&["map", "rollback"]).await.ended(2);
    assert!(unsure.words().contains("repeat it with --yes"), "{unsure:?}");
    let unknown = shop.ask(&["map", "rollback", "--to", "9", "--yes"]).await.ended(2);
    assert!(unknown.words().contains("cartdock map history"), "{unknown:?}");
    shop.at(mug, "held").await;
    assert_eq!(shop.creates(mug), 0, "nothing was changed yet");

    let done = shop.ask(&["map", "rollback", "--yes", "--by", "ada"]).await.ended(0);
    assert!(done.words().contains("now at version 4, with the content of version 2"), "{done:?}");
    assert!(done.words().contains("1 held order is released"), "{done:?}");
    shop.at(mug, "accepted").await;
    let history = shop.ask(&["map", "history", "--limit", "1", "--json"]).await.ended(0).json();
    let newest = &history["versions"][0];
    assert_eq!((&newest["version"], &newest["by"]), (&4.into(), &"ada".into()), "{history:#}");
    assert_eq!((&newest["note"], &history["more"]), (&"back to version 2".into(), &true.into()));
    let same = shop.ask(&["map", "rollback", "--to", "2", "--yes"]).await.ended(0);
    assert!(same.words().contains("Nothing changes"), "{same:?}");
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_planned_down_to_its_request_and_nothing_is_sent() {
    let shop = Shop::open("plan", WriteBack::Offered).await;
    shop.map().await;
    let order = shop.sold(&[(Some("KIT-STARTER"), 2), (Some("EBOOK-TEA"), 1)], "UPS Ground", 0);
    let name = order.to_string();
    let planned = shop.ask(&["plan", &name]).await.ended(0);
    nobody_is_named(&planned);
    assert!(!planned.words().contains(support::WAREHOUSE_KEY) && !planned.words().contains(shop.store.key()));
    reads("plan", &planned.out);
    let shown = shop.ask(&["plan", &name, "--show-personal-data", "--json"]).await.ended(0).json();
    let request = &shown["request"];
    let body: serde_json::Value =
        serde_json::from_str(request["body"].as_str().expect("a body")).expect("JSON");
    assert_eq!((&body["ship_to"]["name"], &body["comments"]), (&BUYER.into(), &REMARK.into()), "{body:#}");
    assert_eq!(shop.warehouse.orders().len(), 0, "nothing was sent");
    assert_eq!(shop.creates(order), 0, "nothing was tried");
    shop.ask(&["explain", &name]).await.ended(2);
    let unknown = shop.ask(&["plan", "4711"]).await.ended(2);
    assert!(unknown.words().contains("has no order 4711"), "{unknown:?}");

    let lamp = shop.sold(&[(Some("LAMP-NEW"), 1)], "Drone to the Door", 0);
    let held = shop.ask(&["plan", &lamp.to_string()]).await.ended(1);
    reads("plan-held", &held.out);
    shop.write("lamp.csv", "sku,warehouse_sku,quantity\nLAMP-NEW,W-LAMP-01,1\n");
    shop.write("drone.csv", "match,method,service\nis,drone to the door,UPS-2DAY\nany,,UPS-GROUND\n");
    let tried = ["plan", &format!("main/{lamp}"), "--with", "lamp.csv", "--with", "drone.csv"];
    let tried = shop.ask(&tried).await.ended(0);
    assert!(tried.words().contains("1 x W-LAMP-01 by UPS-2DAY"), "{tried:?}");

    let run = shop.run();
    shop.at(order, "accepted").await;
    shop.at(lamp, "held").await;
    assert_eq!(terminate(run).await, Some(0));
    let sent = shop.ask(&["plan", &name]).await.ended(0);
    assert!(
        sent.words().contains("is accepted") && sent.words().contains("nothing is sent twice"),
        "{sent:?}"
    );
    assert_eq!(shop.creates(order), 1, "and it was not");
}

here_and_on_a_stack!(
    a_go_live_is_rehearsed_and_a_new_file_shows_what_it_changes,
    "rehearse",
    WriteBack::Offered
);

async fn a_go_live_is_rehearsed_and_a_new_file_shows_what_it_changes(shop: Shop) {
    let _run = shop.not_enabled().await;
    shop.map().await;
    // Before the start date of the settings: as if they came in now.
    shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 100);
    shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 12);
    shop.sold(&[(Some("LAMP-NEW"), 1)], "UPS 2nd Day", 11);
    let declined = shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 10);
    shop.store.set_status(declined, "Declined");
    let rehearsed = shop.ask(&["plan", "--last", "3"]).await.ended(1);
    nobody_is_named(&rehearsed);
    reads("plan-last", &rehearsed.out);
    shop.write("new.csv", "sku,warehouse_sku,quantity\nLAMP-NEW,W-LAMP-01,2\nMUG-12-BLU,-,\n");
    let changed = shop.ask(&["plan", "--last", "30d", "--with", "new.csv"]).await.ended(1);
    reads("plan-with", &changed.out);
    let none = shop.ask(&["plan", "--last", "30d", "--with", "listings.csv"]).await.ended(0);
    assert!(none.words().contains("No outcome would change"), "{none:?}");
    let all = shop.ask(&["plan", "--last", "365d", "--json"]).await.ended(1).json();
    assert_eq!(all["orders"].as_array().map(Vec::len), Some(4), "{all:#}");
    shop.write("bad.csv", "sku,warehouse_sku\nA,\n");
    let bad = shop.ask(&["plan", "--last", "30d", "--with", "bad.csv"]).await.ended(2);
    assert!(bad.words().contains("bad.csv: row 2, warehouse_sku"), "{bad:?}");
    assert_eq!(shop.ask(&["map", "list", "--json"]).await.json()["version"], 2, "nothing was imported");
    assert_eq!(shop.warehouse.orders().len(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_order_goes_nowhere_while_live_orders_go_on() {
    let shop = Shop::open("test-orders", WriteBack::Offered).await;
    let with = |policies: &str| {
        let settings = shop.settings().replacen(
            "[connection.policies]",
            &format!("[connection.policies]\n{policies}"),
            1,
        );
        shop.write("cartdock.toml", &settings);
        settings
    };
    with("test_comments = [\"  \"]");
    let blank = shop.ask(&["status"]).await.ended(2);
    assert!(blank.words().contains("test_comments has an empty text"), "{blank:?}");
    let emails = with("test_emails = [\"buyer0@example.com\"]");
    shop.write(
        "cartdock.toml",
        &emails.replacen("[connection.store]", "[connection.store]\ncontact = \"skip\"", 1),
    );
    let unseen = shop.ask(&["status"]).await.ended(2);
    assert!(unseen.words().contains("test orders would be sent"), "{unseen:?}");

    with(
        "test_skus = [\"test-item\"]\ntest_comments = [\"cartdock test\"]\ntest_emails = [\"buyer5@example.com\"]",
    );
    shop.map().await;
    let mut tests = vec![shop.sold(&[(Some("MUG-12-BLU"), 1), (Some("TEST-ITEM"), 1)], "UPS Ground", 0)];
    let mut remark = sale(&shop, &[(Some("MUG-12-BLU"), 1)], "UPS Ground", 0);
    remark.comments = "A Cartdock test, please ignore".to_owned();
    tests.push(shop.store.add_order(remark));
    let mut buyer = sale(&shop, &[(Some("MUG-12-BLU"), 1)], "UPS Ground", 0);
    buyer.client = 700_200_006;
    tests.push(shop.store.add_order(buyer));
    let live = shop.sold(&[(Some("MUG-12-BLU"), 1)], "UPS Ground", 0);
    let run = shop.run();
    shop.at(live, "accepted").await;
    for (order, marker) in tests.iter().zip(["SKU", "remark", "e-mail address"]) {
        let told = shop.explained(*order, |order| order["stage"] == "excluded").await;
        let meaning = told["meaning"].as_str().unwrap_or_default();
        assert!(meaning.contains(&format!("a test order, by its {marker}")), "{told:#}");
        let refused = shop.ask(&["release", &order.to_string()]).await.ended(1);
        assert!(refused.words().contains("a test order"), "{refused:?}");
    }
    let planned = shop.ask(&["plan", &tests[1].to_string(), "--json"]).await.ended(0).json();
    assert_eq!(planned["outcome"]["word"], "excluded", "{planned:#}");
    assert!(
        planned["request"]["body"].as_str().is_some_and(|body| body.contains("W-MUG-BLUE")),
        "{planned:#}"
    );
    assert_eq!(terminate(run).await, Some(0));
    assert_eq!(shop.warehouse.orders().len(), 1, "the live one, and no test");
    assert!(tests.iter().all(|order| shop.creates(*order) == 0), "not even tried");
}
