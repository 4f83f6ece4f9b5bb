//! One setting changes, and every other byte stays: in every form that a file may have.

use domain::connection::{Connection, Schedule};
use domain::policy::Policies;
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::known;
use crate::settings::render;

fn read(text: &str) -> Config {
    known::read_text(std::path::Path::new("shop.toml"), text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn id(name: &str) -> ConnectionId {
    name.parse().unwrap()
}

const WHOLE: &str = r#"# The head.
data_dir = "data" # behind

[server]
listen = "127.0.0.1:8377"

# The first shop.
[[connection]]
id = "main"
name = "My shop"
enabled = false # not yet

[connection.store]
# In the admin pages.
merchant_id = 900001
api_key = "@env:STORE_KEY"
writeback.mode = "discover"

[connection.warehouse]
kind = "http"
base_url = "https://wms.example.com"
repeat = "cannot"
auth = { kind = "bearer", key = "@env:WMS" }

[connection.policies]
start = 2026-11-23 # the first order

# A remark of the buyer.
#: comment = "ship"
unpaid_days = 9

[[connection]]
id = "second"
store = { merchant_id = 2, api_key = "@env:SECOND" }
[connection.warehouse]
kind = "http"
base_url = "https://wms.example.com"
repeat = "cannot"
[connection.warehouse.auth]
kind = "header"
key = "@env:WMS"
[connection.policies]
start = 2026-11-24

# Only for tests.
#: [pace]
"#;

/// The whole file with one text in the place of another.
fn with(from: &str, to: &str) -> String {
    assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
    WHOLE.replacen(from, to, 1)
}

#[test]
fn a_setting_changes_in_its_place() {
    for (name, path, literal, expected) in [
        ("main", &["enabled"][..], "true", with("false # not yet", "true # not yet")),
        ("main", &["store", "merchant_id"], "7", with("900001", "7")),
        ("main", &["store", "writeback", "mode"], "\"off\"", with("\"discover\"", "\"off\"")),
        (
            "main",
            &["warehouse", "auth", "key"],
            "\"@env:NEW\"",
            with("key = \"@env:WMS\" }", "key = \"@env:NEW\" }"),
        ),
        ("main", &["policies", "start"], "2026-12-01", with("2026-11-23 #", "2026-12-01 #")),
        ("second", &["store", "merchant_id"], "3", with("merchant_id = 2,", "merchant_id = 3,")),
        ("second", &["warehouse", "auth", "kind"], "\"bearer\"", with("\"header\"", "\"bearer\"")),
        // What is new goes behind the last setting of its table.
        ("second", &["enabled"], "true", with("\"@env:SECOND\" }\n", "\"@env:SECOND\" }\nenabled = true\n")),
        (
            "main",
            &["policies", "comment"],
            "\"hold\"",
            with("unpaid_days = 9\n", "unpaid_days = 9\ncomment = \"hold\"\n"),
        ),
        (
            "main",
            &["store", "writeback", "verb"],
            "\"put\"",
            with("\"discover\"\n", "\"discover\"\nwriteback.verb = \"put\"\n"),
        ),
        (
            "main",
            &["schedule", "orders_minutes"],
            "2",
            with("unpaid_days = 9\n", "unpaid_days = 9\n\n[connection.schedule]\norders_minutes = 2\n"),
        ),
        (
            "second",
            &["store", "verb"],
            "\"get\"",
            with("\"@env:SECOND\" }", "\"@env:SECOND\", verb = \"get\" }"),
        ),
        (
            "second",
            &["warehouse", "auth", "header"],
            "\"X-Key\"",
            with(
                "key = \"@env:WMS\"\n[connection.policies]",
                "key = \"@env:WMS\"\nheader = \"X-Key\"\n[connection.policies]",
            ),
        ),
    ] {
        let changed = set(WHOLE, &id(name), path, literal).unwrap();
        assert_eq!(changed, expected, "{path:?}");
        read(&changed);
    }
    assert_eq!(set(WHOLE, &id("third"), &["enabled"], "true"), Err(Stuck));
    assert_eq!(set("[[connection", &id("main"), &["enabled"], "true"), Err(Stuck));
}

#[test]
fn a_setting_goes_with_its_line() {
    for (name, path, expected) in [
        ("main", &["policies", "unpaid_days"][..], with("unpaid_days = 9\n", "")),
        ("main", &["enabled"], with("enabled = false # not yet\n", "")),
        ("main", &["store", "writeback", "mode"], with("writeback.mode = \"discover\"\n", "")),
        ("main", &["policies", "comment"], WHOLE.to_owned()),
        ("main", &["schedule", "orders_minutes"], WHOLE.to_owned()),
        ("main", &["warehouse", "auth", "key"], with(", key = \"@env:WMS\" }", " }")),
        ("second", &["store", "merchant_id"], with("merchant_id = 2, ", "")),
    ] {
        assert_eq!(unset(WHOLE, &id(name), path).unwrap(), expected, "{path:?}");
    }
}

#[test]
fn a_connection_goes_with_its_comments_and_leaves_those_of_others() {
    let without_first = remove(WHOLE, &id("main")).unwrap();
    let (from, to) =
        (WHOLE.find("# The first shop.").unwrap(), WHOLE.find("[[connection]]\nid = \"second\"").unwrap());
    assert_eq!(without_first, format!("{}{}", &WHOLE[..from], &WHOLE[to..]));
    let without_second = remove(WHOLE, &id("second")).unwrap();
    let (from, to) = (to, WHOLE.find("# Only for tests.").unwrap());
    assert_eq!(without_second, format!("{}{}", &WHOLE[..from], &WHOLE[to..]));
    let neither = remove(&without_first, &id("second")).unwrap();
    assert!(neither.contains("# The head.") && neither.ends_with("#: [pace]\n"), "{neither}");
    assert!(read(&neither).connections.is_empty());
    let inline = "connection = [{ id = \"main\" }]\n";
    assert_eq!(remove(inline, &id("main")), Err(Stuck), "nothing is guessed");
}

#[test]
fn a_file_of_another_system_keeps_its_line_ends() {
    let windows = WHOLE.replace('\n', "\r\n");
    let changed = set(&windows, &id("second"), &["enabled"], "true").unwrap();
    assert_eq!(changed.replace("\r\n", "\n"), set(WHOLE, &id("second"), &["enabled"], "true").unwrap());
    assert_eq!(changed.matches('\n').count(), changed.matches("\r\n").count());
    let removed = remove(&windows, &id("main")).unwrap();
    assert_eq!(removed.replace("\r\n", "\n"), remove(WHOLE, &id("main")).unwrap());
}

#[test]
fn the_file_that_init_writes_can_be_changed() {
    let text =
        crate::init::starter().replace("<MERCHANT-ID>", "1").replace("<YOUR-WAREHOUSE>", "wms.example.com");
    let text = text.replace("<FIRST-ORDER-DATE>", "2026-11-23");
    let enabled = set(&text, &id("main"), &["enabled"], "true").unwrap();
    assert_eq!(enabled, text.replacen("enabled = false", "enabled = true", 1));
    let held = set(&text, &id("main"), &["policies", "comment"], "\"hold\"").unwrap();
    assert_eq!(held, text.replacen("start = 2026-11-23\n", "start = 2026-11-23\ncomment = \"hold\"\n", 1));
    assert_eq!(unset(&held, &id("main"), &["policies", "comment"]).unwrap(), text);
    let gone = remove(&text, &id("main")).unwrap();
    assert!(read(&gone).connections.is_empty());
    assert!(gone.contains("#: [pace]") && !gone.contains("id = \"main\""), "{gone}");
}

/// What may stand between two lines without a meaning.
fn decor() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        Just("# a remark with = and [brackets] and \"quotes\"".to_owned()),
        Just("  # {indented}".to_owned()),
        Just("\t".to_owned()),
        "# [a-zäöü\\]\\[=\"' ]{0,20}".prop_map(|text| text),
    ];
    proptest::collection::vec(line, 0..3)
        .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
}

const LINES: [&str; 22] = [
    "data_dir = \"data\"",
    "[server]",
    "listen   =   \"127.0.0.1:8377\"",
    "[[connection]]",
    "id = \"main\"",
    "  enabled=false   # here",
    "name = '''My [[connection]]\n  enabled = false\n# no remark\n'''",
    "[connection.store]",
    "merchant_id = 900001",
    "api_key = \"@env:STORE_KEY\"",
    "[connection.warehouse]",
    "kind = \"http\"",
    "base_url = \"https://wms.example.com\"",
    "repeat = \"cannot\"",
    "auth = { kind = \"bearer\", key = \"@env:WMS\" }",
    "[connection.policies]",
    "ship_statuses = [\n  \"accepted\", # one\n  \"authorized\",\n]",
    "start = 2026-11-23",
    "[connection.schedule]",
    "orders_minutes = 2",
    "[pace]",
    "poll_ms = 700",
];

fn between(decor: &[String]) -> String {
    LINES.iter().zip(decor).map(|(line, decor)| format!("{decor}{line}\n")).collect()
}

proptest! {
    #[test]
    fn every_other_byte_stays(decor in proptest::collection::vec(decor(), LINES.len()), windows: bool) {
        let ends = |text: String| if windows { text.replace('\n', "\r\n") } else { text };
        let text = ends(between(&decor));
        let before = read(&text);
        let enabled = set(&text, &id("main"), &["enabled"], "true").unwrap();
        prop_assert_eq!(&enabled, &text.replacen("enabled=false ", "enabled=true ", 1));
        let back = set(&enabled, &id("main"), &["enabled"], "false").unwrap();
        prop_assert_eq!(&back, &text);
        let line = if windows { "comment = \"hold\"\r\n" } else { "comment = \"hold\"\n" };
        let held = set(&text, &id("main"), &["policies", "comment"], "\"hold\"").unwrap();
        prop_assert_eq!(held.replacen(line, "", 1), text.clone());
        prop_assert_eq!(unset(&held, &id("main"), &["policies", "comment"]).unwrap(), text.clone());
        let second = Connection { id: id("second"), ..before.connections[0].clone() };
        let added = add(&text, &render::connection(&second));
        prop_assert!(added.starts_with(&text));
        let both = read(&added);
        prop_assert_eq!(&both.connections, &vec![before.connections[0].clone(), second]);
        let removed = remove(&added, &id("second")).unwrap();
        prop_assert_eq!(removed.trim_end(), text.trim_end());
        let gone = read(&remove(&text, &id("main")).unwrap());
        prop_assert!(gone.connections.is_empty());
        prop_assert_eq!(gone.tempo, before.tempo);
    }

    #[test]
    fn no_text_panics(text in "(\\[\\[connection\\]\\]\nid = \"main\"\n)?[\\[\\]{}=\",.#a-z0-9\n \r\té]{0,120}") {
        let main = id("main");
        for path in [&["enabled"][..], &["store", "verb"]] {
            let _either = set(&text, &main, path, "true");
            let _either = unset(&text, &main, path);
        }
        let _either = remove(&text, &main);
    }

    #[test]
    fn what_is_rendered_is_read_the_same(
        days in 0_u32..3000, cooling in 0_u32..40_000, minutes in 1_u32..1440, name in "\\PC{1,30}", body in "[ -~\n\t]{0,60}",
        sku in 0_usize..3, strict: bool,
    ) {
        use domain::policy::{Changed, Comment, NoSku, Targets, UnknownMethod, UnknownSku};
        let main = read(WHOLE).connections[0].clone();
        let policies = Policies {
            unknown_sku: [UnknownSku::Hold, UnknownSku::Pass, UnknownSku::Drop][sku],
            no_sku: if strict { NoSku::Hold } else { NoSku::Drop },
            comment: if strict { Comment::Hold } else { Comment::Ship },
            changed: if strict { Changed::Replace } else { Changed::Hold },
            targets: Targets { accept_minutes: minutes, ship_hours: 1 + cooling, post_minutes: 60 },
            test_skus: if strict { vec!["TEST-1".into(), "a \"b\"".into()] } else { Vec::new() },
            test_comments: if strict { Vec::new() } else { vec!["only a test".into()] },
            test_emails: if strict { vec!["qa@example.com".into()] } else { Vec::new() },
            unknown_method: if strict { UnknownMethod::Hold } else { UnknownMethod::Use(domain::mapping::Service::parse("UPSG").unwrap()) },
            cooling_off_minutes: cooling,
            unpaid_days: days,
            watch_days: days,
            retention_days: days + 1,
            ship_statuses: if strict { vec!["accepted".into(), "pending".into()] } else { vec!["accepted".into()] },
            currency: if strict { "EUR".parse().unwrap() } else { domain::money::Currency::USD },
            ..main.policies.clone()
        };
        let schedule = Schedule { orders_minutes: minutes, shipments_minutes: 5, overlap_minutes: 60 + minutes };
        let mut wanted = Connection { name, policies, schedule, enabled: strict, ..main };
        wanted.warehouse.insert("create.body".into(), body);
        for (key, value) in [("timeout_seconds", "007"), ("lag_seconds", "0"), ("create.success", "true")] {
            wanted.warehouse.insert(key.into(), value.into());
        }
        wanted.warehouse.insert("header.X-A_b".into(), "one".into());
        let text = render::connection(&wanted);
        prop_assert_eq!(&read(&text).connections[0], &wanted, "{}", text);
    }
}
