//! The operator's commands, on a deployment on AWS: its stack, its tables, its secrets.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use domain::connection::History;
use domain::ports::{Inserted, Ledger};
use jiff::Timestamp;
use simulator::store::WriteBack;
use support::aws::{Aws, SECRETS, STACK};
use support::{Answer, Shop, WAREHOUSE_KEY, WEBHOOK_SECRET, finish};
use testkit::build;

/// A shop whose settings are those of a deployment, and the deployment.
struct Scene {
    shop: Shop,
    aws: Aws,
}

impl Scene {
    async fn open(name: &str) -> Self {
        let shop = Shop::open(name, WriteBack::Offered).await;
        let aws = Aws::start().await;
        let keys =
            serde_json::json!({ "store": shop.store.key(), "webhook": WEBHOOK_SECRET, "notify": "path" });
        aws.keep("main", &keys.to_string());
        aws.keep("warehouse", WAREHOUSE_KEY);
        let file = format!("@file:{}", shop.dir.join("warehouse-key").display());
        let settings = shop
            .settings()
            .replace("@env:TEST_STORE_KEY", &format!("@secret:{SECRETS}main#store"))
            .replace("@env:TEST_NOTIFY_SECRET", &format!("@secret:{SECRETS}main#notify"))
            .replace("@env:TEST_WEBHOOK_SECRET", &format!("@secret:{SECRETS}main#webhook"))
            .replace(&file, &format!("@secret:{SECRETS}warehouse"));
        shop.write("cartdock.toml", &settings);
        Self { shop, aws }
    }

    async fn ask(&self, args: &[&str]) -> Answer {
        let hosts = [self.shop.store.host(), self.shop.warehouse.host()];
        finish(self.aws.command(&self.shop.dir, args, &hosts)).await
    }

    /// The same, with a line typed.
    async fn type_in(&self, args: &[&str], line: &str) -> Answer {
        let hosts = [self.shop.store.host(), self.shop.warehouse.host()];
        support::type_in(self.aws.command(&self.shop.dir, args, &hosts), line).await
    }

    fn rewrite(&self, from: &str, to: &str) {
        let file = self.shop.dir.join("cartdock.toml");
        let text = std::fs::read_to_string(&file).expect("the settings");
        assert!(text.contains(from), "{from}");
        self.shop.write("cartdock.toml", &text.replace(from, to));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_applied_after_it_was_shown_and_every_command_finds_it() {
    let scene = Scene::open("deployment").await;
    let shown = scene.ask(&["connection", "apply", "--dry-run"]).await.ended(1);
    assert!(shown.words().contains(&format!("store.api_key - @secret:{SECRETS}main#store")), "{shown:?}");
    let refused = scene.type_in(&["connection", "apply"], "no\n").await.ended(2);
    assert!(refused.err.contains("nothing was changed"), "{refused:?}");
    assert_eq!(scene.aws.items().await, 0, "nothing is written before somebody says so");
    scene.type_in(&["connection", "apply"], "yes\n").await.ended(0);
    let written = scene.aws.connection("main").await.expect("it is there");
    assert_eq!(
        written.history,
        History::Rebuilding { lost_at: None },
        "the store is read before anything is sent"
    );
    let again = scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    assert!(again.out.contains("as in the settings"), "{again:?}");

    for file in ["listings.csv", "rules.csv"] {
        scene.ask(&["map", "import", file]).await.ended(0);
    }
    let listed = scene.ask(&["map", "export", "listings"]).await.ended(0);
    assert_eq!(listed.out.lines().count(), support::listings(simulator::shop::listings()).lines().count());
    let checked = scene.ask(&["check"]).await.ended(0);
    assert!(
        checked.out.contains("https://abc.execute-api.eu-central-1.amazonaws.com/webhook/main"),
        "{checked:?}"
    );
    assert_eq!(scene.shop.warehouse.counts().unauthorized, 0, "with the secrets of the deployment");
    let status = scene.ask(&["status", "--json"]).await.ended(0);
    assert_eq!(status.json()[0]["connection"], "main");
    scene.ask(&["outbox", "list"]).await.ended(0);
    assert!(!scene.shop.dir.join("data").exists(), "nothing is opened on this machine");

    scene.rewrite("enabled = true", "enabled = false");
    let shown = scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    assert!(shown.words().contains("enabled true false"), "{shown:?}");
    assert!(!scene.aws.connection("main").await.expect("it is there").enabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_the_functions_cannot_read_are_refused_at_their_lines_with_the_cure() {
    let scene = Scene::open("deployment-secrets").await;
    scene.rewrite(&format!("@secret:{SECRETS}main#store"), "@env:TEST_STORE_KEY");
    scene.rewrite(&format!("@secret:{SECRETS}warehouse"), "@secret:other/warehouse");
    let refused = scene.ask(&["connection", "apply", "--yes"]).await.ended(2);
    let words = refused.words();
    assert!(
        words.contains("cartdock.toml:21:11: connection main.store.api_key: @env:TEST_STORE_KEY"),
        "{words}"
    );
    assert!(words.contains(&format!("aws secretsmanager create-secret --name {SECRETS}NAME")), "{words}");
    assert!(words.contains("may not read other/warehouse; name it so that it begins with"), "{words}");
    assert_eq!(scene.aws.items().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_is_begun_and_a_new_merchant_needs_none() {
    let scene = Scene::open("deployment-rebuild").await;
    let none = scene.ask(&["rebuild", "main"]).await.ended(2);
    assert!(none.err.contains(&format!("in the ledger of stack {STACK}: none")), "{none:?}");
    scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    let begun = scene.ask(&["rebuild", "main", "--lost-at", "2026-11-20T10:00:00Z"]).await.ended(0);
    assert!(begun.words().contains("nothing is sent before its end"), "{begun:?}");
    let lost_at = Some("2026-11-20T10:00:00Z".parse().expect("an instant"));
    let known = scene.aws.connection("main").await.expect("it is there");
    assert_eq!(known.history, History::Rebuilding { lost_at });
    scene.ask(&["rebuild", "main", "--lost-at", "2999-01-01T00:00:00Z"]).await.ended(2);
    scene.ask(&["rebuild", "main", "--new"]).await.ended(0);
    let known = scene.aws.connection("main").await.expect("it is there");
    assert_eq!(known.history, History::Known { since: Timestamp::UNIX_EPOCH });
    let complete = scene.ask(&["rebuild"]).await.ended(0);
    assert!(complete.out.contains("the ledger is rebuilt"), "{complete:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_erased_only_when_it_is_disabled_and_its_name_was_typed_back() {
    let scene = Scene::open("deployment-erase").await;
    scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    let ledger = scene.aws.ledger();
    let (ready, sent) = (build::ready(&build::key("main", 7), 7), sent_order(8));
    for record in [&ready, &sent] {
        let body = build::order(record.key.order.0);
        let inserted = ledger.insert(record, Some(&body), Timestamp::MAX).await.expect("it is written");
        assert_eq!(inserted, Inserted::New);
    }
    // One order: while it is to be sent it needs its address.
    let refused = scene.ask(&["erase", "main", "--order", "7", "--yes", "main"]).await.ended(2);
    assert!(refused.err.contains("still to be sent"), "{refused:?}");
    scene.ask(&["erase", "main", "--order", "8", "--yes", "main"]).await.ended(0);
    assert_eq!(ledger.open(&sent.key, true).await.expect("it is read"), Some((sent, None)));
    let explained = scene.ask(&["explain", "8", "--json"]).await.ended(0);
    assert_eq!(explained.json()["stage"], "accepted");
    scene.ask(&["erase", "main", "--order", "9", "--yes", "main"]).await.ended(2);

    let enabled = scene.ask(&["erase", "main", "--yes", "main"]).await.ended(2);
    assert!(
        enabled.err.contains("is enabled; run: cartdock connection pause main --stack shop-prod"),
        "{enabled:?}"
    );
    scene.rewrite("enabled = true", "enabled = false");
    scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    for typed in ["", "yes\n", "mian\n"] {
        let before = scene.aws.items().await;
        let refused = scene.type_in(&["erase", "main"], typed).await.ended(2);
        assert!(refused.words().contains("orders 2, 1 of them with name and address"), "{refused:?}");
        assert_eq!(scene.aws.items().await, before);
    }
    scene.ask(&["erase", "main", "--yes", "other"]).await.ended(2);
    let erased = scene.type_in(&["erase", "main"], "main\n").await.ended(0);
    assert!(erased.words().contains("point-in-time recovery"), "{erased:?}");
    let delete = format!("aws secretsmanager delete-secret --secret-id {SECRETS}main");
    assert!(erased.words().contains(&delete), "{erased:?}");
    assert_eq!(scene.aws.items().await, 0, "nothing of it remains");
    scene.ask(&["erase", "main", "--yes", "main"]).await.ended(2);
}

fn sent_order(order: u64) -> domain::record::Record {
    let record = build::ready(&build::key("main", order), order);
    domain::record::Record { stage: domain::record::Stage::Accepted, ..record }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_counts_what_is_on_the_queues_and_what_was_given_up() {
    let scene = Scene::open("deployment-doctor").await;
    scene.ask(&["connection", "apply", "--yes"]).await.ended(0);
    let ill = scene.ask(&["doctor"]).await.ended(1);
    let words = ill.words();
    assert!(words.contains("NOT OK queues orders dead letters 2 messages given up"), "{words}");
    assert!(words.contains("ok queues orders 7 messages"), "{words}");
    assert!(words.contains("ledger state the ledger is being filled"), "{words}");
    assert!(words.contains("NOT OK alerts channels nobody is alerted: the mail of AWS"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_alerts_goes_to_the_topic_of_the_stack() {
    let scene = Scene::open("deployment-alert").await;
    let taken = scene.ask(&["alert", "test"]).await.ended(0);
    assert!(taken.words().contains("SNS topic shop-prod-Alarms: taken"), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_deployment_is_named() {
    let scene = Scene::open("deployment-unknown").await;
    let status = support::cartdock(&scene.shop.dir, &["status", "--profile", "shop"]);
    assert!(finish(status).await.ended(2).err.contains("add --stack NAME"));
    let run = support::cartdock(&scene.shop.dir, &["run", "--stack", STACK]);
    assert!(finish(run).await.ended(2).err.contains("does not look at a deployment"));
    let apply = support::cartdock(&scene.shop.dir, &["connection", "apply"]);
    assert!(finish(apply).await.ended(2).err.contains("add --stack NAME"));
    let unknown = finish(scene.aws.command_on("other", &scene.shop.dir, &["status"], &[])).await.ended(2);
    assert!(unknown.err.contains("there is no stack other in eu-central-1"), "{unknown:?}");
    let half = finish(scene.aws.command_on("half", &scene.shop.dir, &["status"], &[])).await.ended(2);
    assert!(half.err.contains("stack half has no output LedgerTable"), "{half:?}");
}
