//! What a person does with connections, beside a `cartdock run` that is at work, and on a deployment.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use domain::connection::History;
use simulator::faults::When;
use simulator::shop::{self, Kind};
use simulator::store::{OrderSpec, WriteBack};
use simulator::warehouse::{Endpoint, Fault, FaultPlan};
use support::aws::{Aws, SECRETS};
use support::{Answer, Shop, WAREHOUSE_KEY, finish, in_time, terminate, type_in};

impl Shop {
    /// Another order each time, of a kind.
    fn sold(&self, kind: Kind, change: impl FnOnce(&mut OrderSpec)) -> u64 {
        let mut day = shop::day_from(7, self.morning).into_iter();
        let order = day.find(|order| order.kind == kind).expect("the day has all kinds");
        let mut order = OrderSpec { id: None, ..order };
        change(&mut order);
        self.store.add_order(order)
    }

    async fn stands(&self, order: u64, stage: &str) -> serde_json::Value {
        self.explained(order, |order| order["stage"] == stage).await
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.dir.join("cartdock.toml")).expect("the settings")
    }

    fn rewrite(&self, from: &str, to: &str) {
        let text = self.file();
        assert!(text.contains(from), "{from}");
        self.write("cartdock.toml", &text.replacen(from, to, 1));
    }

    /// Waits until the run has said something so many times.
    async fn says(&self, what: &str, times: usize) {
        let says = async {
            while self.log().matches(what).count() < times {
                tokio::task::yield_now().await;
            }
        };
        in_time(what, says).await;
    }

    async fn state(&self, connection: &str) -> String {
        let shown = self.ask(&["connection", "show", connection, "--json"]).await.ended(0).json();
        shown[0]["state"].as_str().expect("a state").to_owned()
    }

    fn creates(&self, reference: &str) -> usize {
        self.warehouse.creates_for(reference)
    }

    /// The shop's settings without any connection, and the arguments that describe its two sides but for their secrets.
    fn sides(&self) -> Vec<String> {
        let text = self.file();
        let (head, _) = text.split_once("[[connection]]").expect("a connection");
        self.write("cartdock.toml", &format!("{head}# Nothing yet.\n"));
        [
            format!("store.merchant_id={}", self.store.merchant_id()),
            format!("store.base_url={}", self.store.base_url()),
            "store.requests_per_second=50".to_owned(),
            "warehouse.kind=http".to_owned(),
            format!("warehouse.base_url={}", self.warehouse.base_url()),
            "warehouse.repeat=can_be_asked".to_owned(),
            "warehouse.lag_seconds=0".to_owned(),
            "warehouse.auth=header".to_owned(),
            "warehouse.requests_per_second=50".to_owned(),
        ]
        .into_iter()
        .flat_map(|set| ["--set".to_owned(), set])
        .collect()
    }
}

/// A text with what differs from run to run taken out, so that a person's view can be compared.
fn steady(text: &str) -> String {
    let is_time = |word: &str| word.contains('T') && word.ends_with('Z') && word.starts_with("20");
    let lines = text.lines().map(|line| {
        let words: Vec<&str> =
            line.split(' ').map(|word| if is_time(word) { "TIME" } else { word }).collect();
        words.join(" ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn fits_a_screen(answer: &Answer) {
    for line in answer.out.lines().chain(answer.err.lines()) {
        let is_copied_whole = line.contains("http://") || line.trim_start().starts_with("@file:");
        assert!(line.chars().count() <= 80 || is_copied_whole, "{line}");
    }
}

/// What a person reads before a connection is enabled.
const WOULD_DO: &str = "\
main: what enabling it would do
  store       lists 2 orders from TIME on
  import      2 of them; 0 are in the ledger already
  would be    2 = 0 sent + 1 held + 0 excluded + 0 waiting + 1 on the way + 0
              cancelled
  held        1 unmapped
  on the way  1 ready

Would be held, by cause
  1 order: SKU LAMP-NEW has no listing
    orders  700100202
    oldest  main/700100202 since TIME (now)
    cure    Add a listing for it (warehouse SKU - if it is not shipped).
    row     LAMP-NEW,<warehouse SKU>,1
    then    cartdock map import listings.csv --connection main
    issue   d8cfbbeb";

/// What a person reads once it is paused.
const PAUSED: &str = "\
main: written: the cartdock run that is at work sees it within seconds
  paused: nothing is imported, sent or posted; webhooks are taken (cartdock
  connection resume main)
  to be sent    0 orders
  sent later    0 orders (unpaid, or inside the delay)
  to be posted  tracking of 0 packages";

/// What a person reads before it is resumed.
const WAITS: &str = "\
main: this waits
  to be sent    0 orders
  sent later    0 orders (unpaid, or inside the delay)
  to be posted  tracking of 1 package
  in the store  1 order that the ledger does not have
Import and send it (main)? Type yes:
nothing was changed: nobody answered; repeat it with --yes";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_enabled_paused_and_resumed_beside_a_run_that_goes_on() {
    let shop = Shop::open("switch", WriteBack::Offered).await;
    shop.rewrite("enabled = true", "enabled = false # my own remark");
    let before = shop.file();
    shop.map().await;
    let first = shop.sold(Kind::Physical, |_| ());
    let lamp = shop.sold(Kind::UnmappedSku, |_| ());
    assert_eq!(shop.state("main").await, "new");
    let unknown = shop.ask(&["connection", "resume", "main"]).await.ended(2);
    assert!(unknown.words().contains("was never enabled; cartdock connection enable main"), "{unknown:?}");
    let run = shop.run();
    shop.says("running 0 connections", 1).await;

    // What would happen is shown, and nothing happens.
    let shown = shop.ask(&["connection", "enable", "main", "--new", "--dry-run"]).await.ended(1);
    fits_a_screen(&shown);
    assert_eq!(steady(&shown.out), WOULD_DO);
    let doubtful = shop.ask(&["connection", "enable", "main", "--dry-run", "--json"]).await.ended(1).json();
    assert_eq!((&doubtful["asked_first"], &doubtful["books"]["on_the_way"]["ready"]), (&1.into(), &1.into()));
    let refused = shop.type_in(&["connection", "enable", "main", "--new"], "no\n").await.ended(2);
    assert!(refused.err.contains("nothing was changed"), "{refused:?}");
    assert_eq!(shop.file(), before);
    assert_eq!(shop.warehouse.orders().len(), 0);

    shop.type_in(&["connection", "enable", "main", "--new"], "yes\n").await.ended(1);
    assert_eq!(shop.file(), before.replacen("enabled = false #", "enabled = true #", 1), "nothing else");
    shop.stands(first, "accepted").await;
    shop.stands(lamp, "held").await;
    assert_eq!(shop.state("main").await, "enabled");
    let again = shop.ask(&["connection", "enable", "main"]).await.ended(0);
    assert!(again.out.contains("main: nothing to do"), "{again:?}");

    // Paused: nothing is imported, sent or posted; what the warehouse tells is taken.
    let paused = shop.ask(&["connection", "pause", "main"]).await.ended(0);
    fits_a_screen(&paused);
    assert_eq!(steady(&paused.out), PAUSED);
    assert_eq!(shop.file(), before);
    shop.says("has stopped", 1).await;
    let read = shop.ask(&["status", "--json"]).await.json()[0]["read_up_to"].clone();
    let meanwhile = shop.sold(Kind::Physical, |_| ());
    let told = shop.store.until(|store| store.deliveries().len() > 2);
    in_time("the store has told of its new order", told).await;
    shop.warehouse.ship_everything();
    shop.stands(first, "shipped").await;
    let (polls, posts) = (shop.store.counts(), shop.store.tracking(first));
    assert!(posts.is_empty(), "{posts:?}");

    // A restart agrees.
    assert_eq!(terminate(run).await, Some(0));
    let run = shop.run();
    shop.says("running 0 connections", 2).await;
    assert_eq!(shop.state("main").await, "paused");
    shop.ask(&["explain", &meanwhile.to_string()]).await.ended(2);
    assert_eq!(shop.store.counts(), polls, "nobody has asked the store");
    let twice = shop.ask(&["connection", "pause", "main"]).await.ended(0);
    assert!(twice.out.contains("main: nothing to do"), "{twice:?}");

    // Resumed: it goes on where it was.
    let unsure = shop.ask(&["connection", "resume", "main"]).await.ended(2);
    fits_a_screen(&unsure);
    assert_eq!(steady(&unsure.err), WAITS);
    assert_eq!(shop.ask(&["status", "--json"]).await.json()[0]["read_up_to"], read, "the cursor is kept");
    let resumed = shop.type_in(&["connection", "resume", "main", "--json"], "yes\n").await.ended(0).json();
    assert_eq!((&resumed["before"], &resumed["after"]), (&"paused".into(), &"enabled".into()), "{resumed}");
    shop.stands(meanwhile, "accepted").await;
    shop.stands(first, "posted").await;
    assert_eq!(shop.creates(&format!("main-{first}")), 1);
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_when_it_is_paused_waits_and_is_sent_once_it_is_resumed() {
    let shop = Shop::open("switch-queued", WriteBack::Offered).await;
    shop.map().await;
    shop.ask(&["rebuild", "main", "--new"]).await.ended(0);
    shop.warehouse.plan_faults(FaultPlan::new().and(Endpoint::Create, When::Always, Fault::HangUp));
    let run = shop.run();
    let order = shop.sold(Kind::Physical, |_| ());
    shop.explained(order, |order| order["attempts"].as_u64().is_some_and(|attempts| attempts > 0)).await;
    shop.ask(&["connection", "pause", "main"]).await.ended(0);
    shop.says("has stopped", 1).await;
    shop.warehouse.clear_faults();
    let waits = shop.ask(&["connection", "resume", "main"]).await.ended(2);
    assert!(waits.words().contains("to be sent 1 order"), "{waits:?}");
    assert_eq!(shop.warehouse.orders().len(), 0, "not while it is paused");
    shop.ask(&["connection", "resume", "main", "--yes"]).await.ended(0);
    shop.stands(order, "accepted").await;
    assert_eq!(shop.warehouse.orders().len(), 1);
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_added_once_its_credentials_work_and_the_next_one_takes_two_values() {
    let shop = Shop::open("add", WriteBack::Offered).await;
    let sides = shop.sides();
    let before = shop.file();
    let add: Vec<&str> =
        ["connection", "add", "main"].into_iter().chain(sides.iter().map(String::as_str)).collect();
    let store_key = shop.store.key().to_owned();

    // Nobody is there, a secret as an argument, a key that is refused: nothing is saved.
    let nobody = shop.ask(&add).await.ended(2);
    assert!(nobody.words().contains("store.api_key (is not shown)"), "{nobody:?}");
    assert!(nobody.words().contains("--set store.api_key=@env:NAME"), "{nobody:?}");
    let open = [&add[..], &["--set", "store.api_key=hunter2"]].concat();
    let open = shop.ask(&open).await.ended(2);
    assert!(open.err.contains("everybody on this machine sees arguments") && !open.err.contains("hunter2"));
    let wrong = shop.type_in(&add, &format!("{store_key}\nunmistakable-wrong\n\n")).await.ended(2);
    assert!(wrong.words().contains("nothing was saved"), "{wrong:?}");
    assert!(wrong.words().contains("NOT OK warehouse"), "{wrong:?}");
    assert_eq!(shop.file(), before);
    assert!(!shop.dir.join("cartdock.secrets").exists());

    let typed = format!("{store_key}\n{WAREHOUSE_KEY}\n2026-11-23\n");
    let tried = shop.type_in(&[&add[..], &["--dry-run"]].concat(), &typed).await.ended(0);
    assert!(tried.words().contains("ok store store") && tried.words().contains("takes the key"), "{tried:?}");
    assert_eq!(shop.file(), before);
    let added = shop.type_in(&add, &typed).await.ended(0);
    fits_a_screen(&Answer { out: added.out.clone(), err: String::new(), code: None });
    let words = added.words();
    for part in [
        "main: added, disabled",
        "main.store.api_key",
        "repeats",
        "cancelling",
        "tracking",
        "cartdock map import listings.csv --connection main",
        "cartdock connection enable main",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    let file = shop.file();
    assert!(file.starts_with(&before) && file.contains("enabled = false"), "{file}");
    assert!(
        file.contains("start = \"2026-11-23T00:00:00Z\"") || file.contains("start = \"2026-11-23\""),
        "{file}"
    );
    kept_private(&shop, "main.store.api_key", &store_key);
    kept_private(&shop, "main.warehouse.auth.key", WAREHOUSE_KEY);
    let twice = shop.ask(&add).await.ended(2);
    assert!(twice.err.contains("there is a connection main; cartdock connection edit main"), "{twice:?}");

    // The same 3PL once more: a merchant and its key.
    for file in ["listings.csv", "rules.csv"] {
        shop.ask(&["map", "import", file, "--connection", "main"]).await.ended(0);
    }
    let run = shop.run();
    shop.says("running 0 connections", 1).await;
    let like = ["connection", "add", "second", "--like", "main", "--with-mapping"];
    let second = format!("{}\n{store_key}\n", shop.store.merchant_id());
    let second = shop.type_in(&like, &second).await.ended(0);
    assert!(second.words().contains("rows copied"), "{second:?}");
    for asked in ["store.merchant_id: ", "store.api_key (is not shown): "] {
        assert!(second.err.contains(asked), "{asked} {second:?}");
    }
    assert_eq!(second.err.matches(": ").count(), 2, "two values, and no more: {second:?}");
    kept_private(&shop, "second.store.api_key", &store_key);
    let shown = shop.ask(&["connection", "show", "second", "--json"]).await.ended(0).json()[0].clone();
    assert_eq!(shown["state"], "new");
    assert_eq!(shown["settings"]["warehouse.auth"], "header");
    let shared = shown["settings"]["warehouse.auth.key"].as_str().expect("a place");
    assert!(shared.ends_with("main.warehouse.auth.key"), "{shared}");
    let exported = shop.ask(&["map", "export", "listings", "--connection", "second"]).await.ended(0);
    assert_eq!(exported.out, shop.ask(&["map", "export", "listings", "--connection", "main"]).await.out);

    // It works at once.
    shop.ask(&["connection", "edit", "second", "--set", "policies.start=2020-01-01", "--yes"]).await.ended(0);
    let order = shop.sold(Kind::Physical, |_| ());
    shop.ask(&["connection", "enable", "second", "--new", "--yes"]).await.ended(0);
    shop.stands(order, "accepted").await;
    assert_eq!(shop.creates(&format!("second-{order}")), 1);
    assert_eq!(shop.creates(&format!("main-{order}")), 0, "the other one is as it was");
    assert_eq!(terminate(run).await, Some(0));
    for shown in ["show", "show --json"] {
        let args: Vec<&str> = std::iter::once("connection").chain(shown.split(' ')).collect();
        let shown = shop.ask(&args).await.ended(0);
        for secret in [&store_key, WAREHOUSE_KEY] {
            assert!(
                !shown.out.contains(secret) && !shop.log().contains(secret) && !shop.file().contains(secret)
            );
        }
    }
}

fn kept_private(shop: &Shop, name: &str, value: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = shop.dir.join("cartdock.secrets").join(name);
    assert_eq!(std::fs::read_to_string(&path).expect("it is kept"), value);
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    let dir = path.parent().expect("a directory");
    assert_eq!(std::fs::metadata(dir).expect("it is there").permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_changed_in_its_line_and_a_run_follows() {
    let shop = Shop::open("edit", WriteBack::Offered).await;
    shop.rewrite("[connection.policies]", "# Mine.\n[connection.policies] # and this");
    shop.map().await;
    shop.ask(&["rebuild", "main", "--new"]).await.ended(0);
    let before = shop.file();
    let run = shop.run();
    shop.says("begins", 1).await;
    let hold = ["connection", "edit", "main", "--set", "policies.comment=hold"];
    let shown = shop.ask(&[&hold[..], &["--dry-run"]].concat()).await.ended(1);
    assert!(shown.words().contains("policies.comment ship hold"), "{shown:?}");
    shop.ask(&hold).await.ended(2);
    assert_eq!(shop.file(), before);
    for (wrong, why) in [
        ("policies.comment=later", "cannot be \"later\"; write \"ship\" or \"hold\""),
        ("store.colour=red", "the setting \"colour\" is not known"),
        ("warehouse.repeat=sometimes", "must be one of"),
        ("enabled=false", "use cartdock connection enable, pause or resume"),
    ] {
        let refused = shop.ask(&["connection", "edit", "main", "--set", wrong, "--yes"]).await.ended(2);
        assert!(refused.words().contains(why), "{wrong}: {refused:?}");
    }
    assert_eq!(shop.file(), before);
    shop.type_in(&hold, "yes\n").await.ended(0);
    let start = before.lines().find(|line| line.starts_with("start = ")).expect("a start");
    assert_eq!(shop.file(), before.replacen(start, &format!("{start}\ncomment = \"hold\""), 1));
    shop.says("begins", 2).await;
    let remark = shop.sold(Kind::Physical, |order| order.comments = "leave it at the back".into());
    shop.stands(remark, "held").await;
    shop.ask(&["connection", "edit", "main", "--unset", "policies.comment", "--yes"]).await.ended(0);
    assert_eq!(shop.file(), before);
    let none = shop.ask(&["connection", "edit", "main", "--unset", "policies.comment"]).await.ended(0);
    assert!(none.out.contains("as in the settings"), "{none:?}");

    // A secret goes to where the setting says, or to a place of ours where that is the environment.
    let rotated =
        shop.type_in(&["connection", "edit", "main", "--secret", "warehouse.auth.key", "--yes"], "n3w\n");
    rotated.await.ended(0);
    let key = std::fs::read_to_string(shop.dir.join("warehouse-key")).expect("a file");
    assert_eq!((key.as_str(), shop.file()), ("n3w", before.clone()));
    shop.type_in(&["connection", "edit", "main", "--secret", "store.api_key", "--yes"], "n3w\n")
        .await
        .ended(0);
    kept_private(&shop, "main.store.api_key", "n3w");
    let place = shop.dir.join("cartdock.secrets").join("main.store.api_key");
    let moved = format!("@file:{}", place.canonicalize().expect("a path").display());
    assert_eq!(shop.file(), before.replacen("@env:TEST_STORE_KEY", &moved, 1));
    assert_eq!(terminate(run).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_removed_with_everything_once_it_is_paused_and_its_name_typed_back() {
    let shop = Shop::open("remove", WriteBack::Offered).await;
    let (before, second) = (shop.file(), shop.settings());
    let (head, _) = before.split_once("[[connection]]").expect("a connection");
    let block = &second[second.find("[[connection]]").expect("a connection")..];
    let other = block.replacen("\"main\"", "\"other\"", 1).replacen("enabled = true", "enabled = false", 1);
    shop.write("cartdock.toml", &format!("{head}# The first.\n{block}\n# The other.\n{other}"));
    for file in ["listings.csv", "rules.csv"] {
        shop.ask(&["map", "import", file, "--connection", "main"]).await.ended(0);
    }
    let run = shop.run();
    let order = shop.sold(Kind::Physical, |_| ());
    shop.stands(order, "accepted").await;
    let running = shop.ask(&["connection", "remove", "main", "--yes", "main"]).await.ended(2);
    assert!(running.words().contains("run: cartdock connection pause main"), "{running:?}");
    shop.ask(&["connection", "pause", "main"]).await.ended(0);
    shop.says("has stopped", 1).await;
    let wrong = shop.type_in(&["connection", "remove", "main"], "yes\n").await.ended(2);
    assert!(wrong.words().contains("orders 1, 1 of them with name and address"), "{wrong:?}");
    assert!(shop.file().contains("# The first."));
    let removed = shop.type_in(&["connection", "remove", "main"], "main\n").await.ended(0);
    assert!(removed.words().contains("main: removed"), "{removed:?}");
    assert!(!removed.words().contains("remove its [[connection]]"), "that is done: {removed:?}");
    assert!(!removed.words().contains("TEST_STORE_KEY"), "the other one needs it: {removed:?}");
    assert_eq!(shop.file(), format!("{head}\n# The other.\n{other}"));
    let gone = shop.ask(&["connection", "show", "main"]).await.ended(2);
    assert!(gone.err.contains("there is no connection main; in the settings: other"), "{gone:?}");
    shop.ask(&["explain", &order.to_string()]).await.ended(2);
    shop.ask(&["connection", "remove", "main", "--yes", "main"]).await.ended(2);
    assert_eq!(terminate(run).await, Some(0));
    shop.ask(&["connection", "remove", "other", "--yes", "other"]).await.ended(0);
    let none = shop.ask(&["status"]).await.ended(2);
    assert!(none.err.contains("there is no connection; run cartdock connection add NAME"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_deployment_the_ledger_is_changed_and_secrets_go_to_secrets_manager() {
    let shop = Shop::open("connection-cloud", WriteBack::Offered).await;
    let sides = shop.sides();
    std::fs::remove_file(shop.dir.join("cartdock.toml")).expect("it was there");
    let aws = Aws::start().await;
    let hosts = [shop.store.host(), shop.warehouse.host()];
    let ask = async |args: &[&str]| finish(aws.command(&shop.dir, args, &hosts)).await;
    let typed = async |args: &[&str], lines: &str| type_in(aws.command(&shop.dir, args, &hosts), lines).await;
    let add: Vec<&str> =
        ["connection", "add", "main"].into_iter().chain(sides.iter().map(String::as_str)).collect();
    let store_key = shop.store.key();
    typed(&add, &format!("{store_key}\nwrong\n\n")).await.ended(2);
    assert_eq!((aws.items().await, aws.kept("main")), (0, None), "nothing is saved before it works");
    let added = typed(&add, &format!("{store_key}\n{WAREHOUSE_KEY}\n2026-11-01\n")).await.ended(0);
    assert!(added.words().contains("cartdock connection enable main --stack shop-prod"), "{added:?}");
    let kept: serde_json::Value = serde_json::from_str(&aws.kept("main").expect("it is kept")).expect("JSON");
    assert_eq!(
        (&kept["store.api_key"], &kept["warehouse.auth.key"]),
        (&store_key.into(), &WAREHOUSE_KEY.into())
    );
    let main = aws.connection("main").await.expect("it is there");
    assert_eq!((main.enabled, main.history), (false, History::Rebuilding { lost_at: None }));
    assert_eq!(main.store["api_key"], format!("@secret:{SECRETS}main#store.api_key"));
    assert!(!shop.dir.join("cartdock.toml").exists(), "the ledger is the truth there");

    ask(&["map", "import", "listings.csv"]).await.ended(0);
    ask(&["map", "import", "rules.csv"]).await.ended(0);
    shop.sold(Kind::Physical, |_| ());
    let shown = ask(&["connection", "enable", "main", "--new", "--dry-run", "--json"]).await.ended(0).json();
    assert_eq!((&shown["listed"], &shown["books"]["on_the_way"]["ready"]), (&1.into(), &1.into()), "{shown}");
    ask(&["connection", "enable", "main", "--new", "--yes"]).await.ended(0);
    let main = aws.connection("main").await.expect("it is there");
    assert!(main.runs(), "{main:?}");
    let change =
        ["connection", "edit", "main", "--set", "schedule.orders_minutes=2", "--set", "name=Our shop"];
    typed(&change, "yes\n").await.ended(0);
    let edited = aws.connection("main").await.expect("it is there");
    let expected = domain::connection::Connection {
        name: "Our shop".to_owned(),
        schedule: domain::connection::Schedule { orders_minutes: 2, ..main.schedule.clone() },
        ..main
    };
    assert_eq!(edited, expected, "and nothing else");
    ask(&["connection", "edit", "main", "--set", "policies.comment=later", "--yes"]).await.ended(2);
    typed(&["connection", "edit", "main", "--secret", "store.api_key", "--yes"], "n3w\n").await.ended(0);
    let kept: serde_json::Value = serde_json::from_str(&aws.kept("main").expect("it is kept")).expect("JSON");
    assert_eq!((&kept["store.api_key"], &kept["warehouse.auth.key"]), (&"n3w".into(), &WAREHOUSE_KEY.into()));
    typed(&["connection", "edit", "main", "--secret", "store.api_key", "--yes"], &format!("{store_key}\n"))
        .await
        .ended(0);

    let paused = ask(&["connection", "pause", "main"]).await.ended(0);
    assert!(paused.words().contains("functions see it within half a minute"), "{paused:?}");
    assert_eq!(aws.connection("main").await.map(|main| main.enabled), Some(false));
    let second = ["connection", "add", "second", "--like", "main", "--with-mapping"];
    typed(&second, &format!("{}\n{store_key}\n", shop.store.merchant_id())).await.ended(0);
    let copy = aws.connection("second").await.expect("it is there");
    assert_eq!(copy.warehouse, edited.warehouse);
    let removed = ask(&["connection", "remove", "main", "--yes", "main"]).await.ended(0);
    assert!(
        !removed.words().contains("delete-secret"),
        "the other one needs the warehouse's key: {removed:?}"
    );
    assert_eq!(aws.connection("main").await, None);
    assert!(!shop.dir.join("data").exists() && !shop.dir.join("cartdock.secrets").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_complete_every_command_and_man_has_a_page_for_each() {
    let dir = support::directory("shell");
    for (shell, word) in
        [("bash", "_cartdock()"), ("zsh", "#compdef cartdock"), ("fish", "complete -c cartdock")]
    {
        let script = finish(support::cartdock(&dir, &["completions", shell])).await.ended(0);
        assert!(script.out.contains(word) && script.out.contains("resume"), "{shell}");
    }
    let powershell = finish(support::cartdock(&dir, &["completions", "powershell"])).await.ended(0);
    assert!(powershell.out.contains("Register-ArgumentCompleter"));
    finish(support::cartdock(&dir, &["completions", "cmd"])).await.ended(2);
    let page = finish(support::cartdock(&dir, &["man"])).await.ended(0);
    assert!(page.out.contains(".TH cartdock 1") && page.out.contains("Exit codes"), "{}", page.out);
    finish(support::cartdock(&dir, &["man", "--dir", "man1"])).await.ended(0);
    let enable = std::fs::read_to_string(dir.join("man1/cartdock-connection-enable.1")).expect("a page");
    assert!(enable.contains("no order was ever sent"), "{enable}");
    let stack = finish(support::cartdock(&dir, &["completions", "bash", "--stack", "x"])).await.ended(2);
    assert!(stack.err.contains("does not look at a deployment"), "{stack:?}");
}
