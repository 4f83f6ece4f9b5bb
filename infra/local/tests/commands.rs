//! The operator's commands, against a simulated store and warehouse.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, Store, StoreOptions, WriteBack};
use simulator::warehouse::{Auth, Warehouse, WarehouseOptions};
use support::{Shop, WAREHOUSE_KEY, cartdock, directory, finish, in_time, terminate};

#[tokio::test]
async fn init_writes_a_private_file_and_never_overwrites_one() {
    use std::os::unix::fs::PermissionsExt;
    let dir = directory("init");
    let first = finish(cartdock(&dir, &["init"])).await.ended(0);
    assert!(first.out.contains("cartdock --config cartdock.toml check"), "{first:?}");
    let file = dir.join("cartdock.toml");
    let mode = std::fs::metadata(&file).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&file, "mine").expect("it is ours");
    let second = finish(cartdock(&dir, &["init"])).await.ended(2);
    assert!(second.err.contains("is there already"), "{second:?}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "mine");
}

/// The starting file as a person fills it in, for the simulators.
fn filled(starter: &str, store: &Store, warehouse: &Warehouse) -> String {
    let merchant = format!("{}\nbase_url = \"{}\"", store.merchant_id(), store.base_url());
    let hosts = format!("local_hosts = [\"{}\", \"{}\"]", store.host(), warehouse.host());
    [
        ("\"<MERCHANT-ID>\"", merchant.as_str()),
        ("https://<YOUR-WAREHOUSE>", &warehouse.base_url()),
        ("<FIRST-ORDER-DATE>", "2026-01-01"),
        ("#: local_hosts = []", &hosts),
        ("repeat = \"cannot\"", "repeat = \"can_be_asked\"\nlag_seconds = 0"),
    ]
    .into_iter()
    .fold(starter.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_starting_file_works_once_it_is_filled_in() {
    let dir = directory("starter");
    finish(cartdock(&dir, &["init"])).await.ended(0);
    let starter = std::fs::read_to_string(dir.join("cartdock.toml")).expect("it was written");
    let store = Store::start(StoreOptions::default()).await.expect("a loopback port");
    store.stock_shop();
    for (auth, kind) in [
        (Auth::Bearer(WAREHOUSE_KEY.to_owned()), "kind = \"bearer\""),
        (Auth::ApiKey(WAREHOUSE_KEY.to_owned()), "kind = \"header\""),
    ] {
        let options = WarehouseOptions { auth, ..WarehouseOptions::default() };
        let warehouse = Warehouse::start(options).await.expect("a loopback port");
        let text = filled(&starter, &store, &warehouse).replacen("kind = \"bearer\"", kind, 1);
        std::fs::write(dir.join("cartdock.toml"), text).expect("a file");
        std::fs::write(dir.join("rules.csv"), support::rules(shop::rules())).expect("a file");
        let run = |args: &'static [&'static str]| {
            let mut command = cartdock(&dir, args);
            command.env("CARTDOCK_STORE_KEY", store.key()).env("CARTDOCK_WAREHOUSE_KEY", WAREHOUSE_KEY);
            finish(command)
        };
        run(&["map", "import", "rules.csv"]).await.ended(0);
        let checked = run(&["check"]).await.ended(0);
        assert!(checked.out.contains("Nothing stands in the way."), "{checked:?}");
        assert!(checked.words().contains("http://127.0.0.1:8377/webhook/main"), "{checked:?}");
        assert_eq!(warehouse.orders().len(), 0, "a check changes nothing");
        assert_eq!(warehouse.counts().unauthorized, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_what_each_side_can_do_and_a_wrong_key_without_printing_it() {
    let shop = Shop::open("check", WriteBack::Offered).await;
    shop.map().await;
    let public =
        shop.settings().replacen("[server]", "[server]\npublic_url = \"https://hooks.example.com/\"", 1);
    shop.write("cartdock.toml", &public);
    let checked = shop.ask(&["check"]).await.ended(0);
    for part in [
        "takes the key",
        "is posted through the store's API",
        "https://hooks.example.com/webhook/main",
        "https://hooks.example.com/notify/main/<notify_secret>",
    ] {
        assert!(checked.words().contains(part), "{part}\n{}", checked.out);
    }
    let json = shop.ask(&["check", "--json"]).await.ended(0).json();
    assert_eq!(json[0]["problems"], 0, "{json}");

    let wrong = "ffffffffffffffffffffffffffffffff";
    let mut command = shop.command(&["check"]);
    command.env("TEST_STORE_KEY", wrong);
    let refused = finish(command).await.ended(1);
    assert!(refused.out.contains("NOT OK") && refused.words().contains("needs attention"), "{refused:?}");
    assert!(!refused.words().to_lowercase().contains(wrong), "{refused:?}");

    shop.write("warehouse-key", "another-key-of-nobody");
    let refused = shop.ask(&["check"]).await.ended(1);
    assert!(
        refused.out.contains("NOT OK") && !refused.words().contains("another-key-of-nobody"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_goes_out_and_in_again_and_a_wrong_file_changes_nothing() {
    let shop = Shop::open("mapping", WriteBack::Offered).await;
    shop.map().await;
    let mut tables = Vec::new();
    for table in ["listings", "rules"] {
        let file = format!("{table}-out.csv");
        shop.ask(&["map", "export", table, "--out", &file]).await.ended(0);
        shop.ask(&["map", "import", &file]).await.ended(0);
        let exported = std::fs::read_to_string(shop.dir.join(&file)).expect("it was written");
        assert_eq!(shop.ask(&["map", "export", table]).await.ended(0).out, exported);
        tables.push(exported);
    }
    assert!(
        tables[0].contains("KIT-STARTER,W-TEA-100G,2") && tables[0].contains("EBOOK-TEA,-"),
        "{}",
        tables[0]
    );

    shop.write("wrong.csv", "sku,warehouse_sku,quantity\nNEW-1,W-NEW,1\nNEW-2,W-NEW,many\nNEW-3,,1\n");
    let refused = shop.ask(&["map", "import", "wrong.csv"]).await.ended(2);
    for part in ["row 3, quantity:", "row 4, warehouse_sku:"] {
        assert!(refused.err.contains(part), "{part}\n{}", refused.err);
    }
    assert_eq!(shop.ask(&["map", "export", "listings"]).await.out, tables[0]);
}

fn some(shop: &Shop) -> Vec<OrderSpec> {
    let wanted = [Kind::Physical, Kind::Digital, Kind::StillPending, Kind::UnmappedSku, Kind::Unreadable];
    let day = shop::day_from(7, shop.morning);
    wanted.iter().filter_map(|kind| day.iter().find(|order| order.kind == *kind).cloned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_sums_explain_tells_and_the_outbox_gives_what_the_store_cannot_take() {
    let shop = Shop::open("status", WriteBack::NotOffered).await;
    shop.map().await;
    let orders: Vec<u64> = some(&shop).into_iter().map(|order| shop.store.add_order(order)).collect();
    let run = shop.run();
    in_time("it is sent", shop.warehouse.until(|warehouse| warehouse.orders().len() == 1)).await;
    shop.explained(orders[0], |order| order["stage"] == "accepted").await;
    let parcel = shop.warehouse.ship_everything().pop().expect("it leaves");
    let packed = |order: &serde_json::Value| {
        order["packages"][0]["post"].as_str().is_some_and(|post| post.contains("outbox"))
    };
    let explained = shop.explained(orders[0], packed).await;
    shop.explained(orders[4], |order| order["stage"] == "held").await;
    assert_eq!(terminate(run).await, Some(0));

    let story: Vec<&str> = explained["story"]
        .as_array()
        .expect("a story")
        .iter()
        .filter_map(|line| line["what"].as_str())
        .collect();
    for part in ["sending, attempt 1", "accepted as WO-1001", "package left"] {
        assert!(story.iter().any(|what| what.starts_with(part)), "{part} in {story:#?}");
    }
    let text = shop.ask(&["explain", &orders[0].to_string()]).await.ended(0);
    assert!(text.words().contains(&parcel.tracking_number), "{text:?}");
    let unreadable = shop.ask(&["explain", &orders[4].to_string()]).await.ended(1);
    assert!(unreadable.words().contains("cannot be read"), "{unreadable:?}");
    shop.ask(&["explain", "1"]).await.ended(2);

    // What was asked for is shown by the mapping of then, whatever is mapped since.
    shop.write("other.csv", &support::listings(shop::listings()).replace("W-", "OTHER-"));
    shop.ask(&["map", "import", "other.csv"]).await.ended(0);
    let asked = shop.ask(&["explain", &orders[0].to_string(), "--request"]).await.ended(0);
    for part in ["Request of attempt 1, mapping version 2, the buyer masked", "POST http", "\"***\""] {
        assert!(asked.words().contains(part), "{part} in {asked:?}");
    }
    let asked = shop.ask(&["explain", &orders[0].to_string(), "--request", "--json"]).await.ended(0).json();
    let body = asked["request"]["request"]["body"].as_str().expect("a body");
    let (body, sent): (serde_json::Value, _) =
        (serde_json::from_str(body).expect("JSON"), shop.warehouse.orders().remove(0).request);
    for field in ["reference", "service", "items", "total"] {
        assert!(!sent[field].is_null(), "{field} of {sent}");
        assert_eq!(body[field], sent[field], "{field}");
    }
    for field in ["name", "line1", "city", "postal_code", "email"] {
        assert_eq!(body["ship_to"][field], "***", "{field}");
    }
    shop.ask(&["explain", &orders[0].to_string(), "--bundle", "order.json"]).await.ended(0);
    let bundle = std::fs::read(shop.dir.join("order.json")).expect("it was written");
    let bundle: serde_json::Value = serde_json::from_slice(&bundle).expect("JSON");
    assert_eq!(bundle["order"]["request"], asked["request"]);
    let unsent = shop.ask(&["explain", &orders[3].to_string(), "--request"]).await.ended(1);
    assert!(unsent.words().contains("no attempt is known; cartdock plan main/"), "{unsent:?}");

    let status = shop.ask(&["status", "--json"]).await.ended(1).json();
    let books = &status[0]["books"];
    let parts = ["sent", "held", "excluded", "waiting", "on_the_way"].map(|part| support::sum(&books[part]));
    assert_eq!(parts, [1, 2, 1, 1, 0], "{status}");
    assert_eq!(books["orders"], 5);
    assert_eq!(status[0]["closes"], true);

    let outbox = shop.ask(&["outbox", "export"]).await.ended(0);
    assert!(outbox.out.starts_with("connection,order,package,carrier,tracking_number"), "{outbox:?}");
    let row = outbox.out.lines().nth(1).expect("one package");
    assert!(row.contains(&orders[0].to_string()) && row.contains(&parcel.tracking_number), "{row}");
    shop.ask(&["outbox", "list"]).await.ended(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn erase_removes_what_is_kept_on_this_machine_once_the_connection_is_disabled() {
    let shop = Shop::open("erase", WriteBack::Offered).await;
    shop.map().await;
    let enabled = shop.ask(&["erase", "main", "--yes", "main"]).await.ended(2);
    assert!(enabled.err.contains("is enabled; run: cartdock connection pause main"), "{enabled:?}");
    shop.write("cartdock.toml", &shop.settings().replace("enabled = true", "enabled = false"));
    let nobody = shop.ask(&["erase", "main"]).await.ended(2);
    assert!(nobody.words().contains("repeat it with --yes main"), "{nobody:?}");
    let erased = shop.ask(&["erase", "main", "--yes", "main"]).await.ended(0);
    assert!(erased.words().contains("mappings 2 versions"), "{erased:?}");
    assert!(erased.words().contains("a secret: the environment variable TEST_STORE_KEY"), "{erased:?}");
    let mapped = shop.ask(&["map", "export", "listings"]).await.ended(0);
    assert_eq!(mapped.out.lines().count(), 1, "its head alone");
    let again = shop.ask(&["erase", "main", "--yes", "main"]).await.ended(2);
    assert!(again.err.contains("nothing is kept of a connection main"), "{again:?}");
}

#[tokio::test]
async fn cost_needs_no_settings_and_tells_exact_amounts() {
    let dir = directory("cost");
    let bill = finish(cartdock(&dir, &["cost", "--orders", "0", "--json"])).await.ended(0).json();
    assert_eq!(bill["fixed"], bill["total"]);
    let busy = finish(cartdock(&dir, &["cost", "--orders", "1000", "--json"])).await.ended(0).json();
    assert_eq!(
        busy["variable"].as_str().map(|text| text.trim_end_matches('0')),
        busy["per_thousand"].as_str().map(|text| text.trim_end_matches('0'))
    );
    finish(cartdock(&dir, &["cost", "--interval", "0"])).await.ended(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_connections_that_would_send_every_order_twice_are_told_of_each_other() {
    let shop = Shop::open("shared-store", WriteBack::NotOffered).await;
    let settings = shop.settings();
    let (_, main) = settings.split_once("[[connection]]").expect("one connection");
    let second = main.replace("id = \"main\"", "id = \"second\"");
    shop.write("cartdock.toml", &format!("{settings}\n[[connection]]{second}"));
    for command in ["check", "doctor"] {
        let told = shop.ask(&[command, "second"]).await.ended(1);
        assert!(
            told.words().contains("main reads the same store and sends to the same warehouse"),
            "{told:?}"
        );
    }
}
