//! What the settings file takes and what it refuses, with the exact lines.

use super::alerts::Channel;
use super::*;
use domain::policy::{UnknownMethod, UnknownSku};
use proptest::prelude::*;

const STORE: Known =
    Known { keys: &["merchant_id", "api_key", "writeback.mode", "base_url"], secrets: &["api_key"] };
const HTTP: Known =
    Known { keys: &["kind", "base_url", "auth", "auth.*", "create.*"], secrets: &["auth.token"] };

fn read(text: &str) -> Result<Config, Vec<String>> {
    let warehouse = |kind: &str| (kind == "http").then_some(HTTP);
    let adapters = Adapters { store: STORE, kinds: &["http"], warehouse: &warehouse };
    parse("shop.toml", text, &adapters)
        .map_err(|mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

const WHOLE: &str = r#"data_dir = "/var/lib/cartdock"
[server]
listen = "127.0.0.1:9999"
public_url = "https://hooks.example.com/"
[network]
local_hosts = ["127.0.0.1:9000", "Localhost"]
[[connection]]
id = "main"
name = "My shop"
enabled = true
[connection.store]
merchant_id = 900001
api_key = "@env:CARTDOCK_STORE_KEY"
writeback.mode = "discover"
[connection.warehouse]
kind = "http"
base_url = "https://wms.example.com"
auth = { kind = "x", token = "@file:/etc/wms-token", style = "basic" }
[connection.warehouse.create]
path = "/orders"
check = true
[connection.policies]
start = 2026-11-01
unknown_sku = "pass"
unknown_method = { use = "UPSG" }
cooling_off_minutes = 30
ship_statuses = ["Accepted", "Authorize"]
[connection.schedule]
orders_minutes = 2
"#;

/// The whole file with one text replaced, and what is then wrong with it.
fn wrong(from: &str, to: &str) -> Vec<String> {
    assert!(WHOLE.contains(from), "{from}");
    read(&WHOLE.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn a_whole_file_is_read() {
    let config = read(WHOLE).unwrap();
    assert_eq!(config.listen.port(), 9999);
    assert_eq!(config.public_url.as_deref(), Some("https://hooks.example.com"));
    assert_eq!(
        config.local_hosts.iter().map(String::as_str).collect::<Vec<_>>(),
        ["127.0.0.1:9000", "localhost"]
    );
    let main = &config.connections[0];
    assert_eq!(main.store["merchant_id"], "900001");
    assert_eq!(main.store["writeback.mode"], "discover");
    assert_eq!(main.warehouse["auth"], "x");
    assert_eq!(main.warehouse["auth.style"], "basic");
    assert_eq!(main.warehouse["create.check"], "true");
    assert_eq!(main.policies.start, Some("2026-11-01T00:00:00Z".parse().unwrap()));
    assert_eq!(main.policies.unknown_sku, UnknownSku::Pass);
    assert!(
        matches!(&main.policies.unknown_method, UnknownMethod::Use(service) if service.as_str() == "UPSG")
    );
    assert_eq!(main.policies.ship_statuses, ["accepted", "authorized"]);
    assert_eq!((main.schedule.orders_minutes, main.schedule.shipments_minutes), (2, 5));
    let secrets: Vec<(&str, &str, usize)> =
        config.secrets.iter().map(|s| (s.reference.as_str(), s.setting.as_str(), s.place.line)).collect();
    assert_eq!(
        secrets,
        [
            ("env:CARTDOCK_STORE_KEY", "connection main.store.api_key", 13),
            ("file:/etc/wms-token", "connection main.warehouse.auth.token", 18),
        ]
    );
}

#[test]
fn the_start_may_be_a_date_or_an_instant_and_must_be_there() {
    for (start, instant) in [
        ("2026-11-01T08:00:00-05:00", "2026-11-01T13:00:00Z"),
        ("2026-11-01 08:00:00Z", "2026-11-01T08:00:00Z"),
        ("\"2026-11-01\"", "2026-11-01T00:00:00Z"),
    ] {
        let config = read(&WHOLE.replace("start = 2026-11-01", &format!("start = {start}"))).unwrap();
        assert_eq!(config.connections[0].policies.start, Some(instant.parse().unwrap()), "{start}");
    }
    let missing = wrong("start = 2026-11-01\n", "");
    assert!(
        missing[0].starts_with("shop.toml:22:1: connection main.policies.start is missing"),
        "{missing:?}"
    );
    for start in ["2026-11-01T08:00:00", "\"soon\"", "08:00:00", "5"] {
        assert!(wrong("start = 2026-11-01", &format!("start = {start}"))[0].starts_with("shop.toml:23:9:"));
    }
}

#[test]
fn every_kind_of_mistake_names_line_problem_and_cure() {
    for (from, to, mistake) in [
        (
            "listen =",
            "lisen =",
            "shop.toml:3:1: the setting \"lisen\" is not known in server; did you mean \"listen\"?",
        ),
        ("\"127.0.0.1:9999\"", "9999", "shop.toml:3:10: server.listen is a whole number; write a text"),
        ("\"127.0.0.1:9999\"", "\"here\"", "shop.toml:3:10: server.listen cannot be read"),
        ("https://hooks", "hooks", "shop.toml:4:14: public_url is no web address"),
        ("\"Localhost\"", "\"http://x\"", "shop.toml:6:34: \"http://x\" is no host"),
        ("\"main\"", "\"Main\"", "shop.toml:8:6: the id \"Main\" cannot be used"),
        ("id = \"main\"\n", "", "shop.toml:7:1: this connection has no id"),
        (
            "enabled = true",
            "enabled = 1",
            "shop.toml:10:11: connection main.enabled is a whole number; write true or false",
        ),
        (
            "merchant_id",
            "merchantid",
            "shop.toml:12:1: the setting \"merchantid\" is not known in connection main.store; did you mean \"merchant_id\"?",
        ),
        (
            "@env:CARTDOCK_STORE_KEY",
            "abc123",
            "shop.toml:13:11: connection main.store.api_key is a secret and must not stand here itself",
        ),
        (
            "@file:/etc/wms-token",
            "@:",
            "shop.toml:18:30: connection main.warehouse.auth.token names no secret",
        ),
        (
            "kind = \"http\"",
            "kind = \"htp\"",
            "shop.toml:16:8: there is no warehouse kind \"htp\"; known are: http",
        ),
        ("kind = \"http\"\n", "", "shop.toml:15:1: connection main.warehouse has no kind"),
        ("check = true", "check = [1]", "shop.toml:21:9: connection main.warehouse.create.check is a list"),
        (
            "\"pass\"",
            "\"skip\"",
            "shop.toml:24:15: connection main.policies.unknown_sku cannot be \"skip\"; write \"hold\" or \"pass\" or \"drop\"",
        ),
        (
            "{ use = \"UPSG\" }",
            "\"UPSG\"",
            "shop.toml:25:18: connection main.policies.unknown_method cannot be \"UPSG\"; write \"hold\", or { use",
        ),
        (
            "{ use = \"UPSG\" }",
            "{ usse = \"UPSG\" }",
            "shop.toml:25:18: connection main.policies.unknown_method names no service",
        ),
        (
            "= 30",
            "= -5",
            "shop.toml:26:23: connection main.policies.cooling_off_minutes is out of bounds; write a whole number from 0",
        ),
        (
            "\"Authorize\"",
            "\"refunded\"",
            "shop.toml:27:30: connection main.policies.ship_statuses: \"refunded\" is no status that may ship",
        ),
        (
            "orders_minutes = 2",
            "orders_minutes = 0",
            "shop.toml:29:18: connection main.schedule.orders_minutes is out of bounds",
        ),
        ("[server]", "[server", "shop.toml:2:8: is not TOML"),
    ] {
        let mistakes = wrong(from, to);
        assert!(mistakes.iter().any(|m| m.starts_with(mistake)), "{mistake}\nin {mistakes:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_lines() {
    let text = WHOLE.replace("listen", "lisen").replace("\"main\"", "\"-\"").replace("\"pass\"", "\"x\"");
    let lines: Vec<String> =
        read(&text).unwrap_err().iter().map(|m| m.split(':').nth(1).unwrap().to_owned()).collect();
    assert_eq!(lines, ["3", "8", "24"]);
}

#[test]
fn two_connections_with_one_id_are_refused_at_the_second() {
    let second = &WHOLE[WHOLE.find("[[connection]]").unwrap()..];
    let mistakes = read(&format!("{WHOLE}{second}")).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].starts_with("shop.toml:31:6: there is another connection \"main\" above"));
}

#[test]
fn a_file_without_connection_is_refused() {
    for text in ["", "connection = 5", "[connection]\nid = \"main\"", "connection = [1]"] {
        assert!(read(text).unwrap_err().iter().any(|m| m.contains("[[connection]]")), "{text}");
    }
    let bare = read("[[connection]]\nid = \"main\"\n").unwrap_err();
    for part in ["add a table [connection.store]", "add a table [connection.warehouse]", "start is missing"] {
        assert!(bare.iter().any(|m| m.contains(part)), "{part} in {bare:#?}");
    }
}

#[test]
fn a_secret_that_stands_in_the_file_is_not_repeated() {
    for to in ["hunter2-hunter2", "@hunter2-hunter2"] {
        let mistakes = wrong("@env:CARTDOCK_STORE_KEY", to);
        assert!(mistakes.iter().all(|m| !m.contains("hunter2")), "{mistakes:?}");
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_named_at_its_line() {
    let config = read(&WHOLE.replace("CARTDOCK_STORE_KEY", "CARTDOCK_NO_SUCH_VARIABLE")).unwrap();
    let vault = adapters::secret::Vault::new(
        vec![Box::new(adapters::secret::LocalSecrets)],
        std::sync::Arc::new(adapters::clock::SystemClock),
    );
    let missing = missing_secrets(Path::new("shop.toml"), &config, &vault).await.unwrap_err().0;
    assert_eq!(
        missing[0].to_string(),
        "shop.toml:13:11: connection main.store.api_key: the environment variable CARTDOCK_NO_SUCH_VARIABLE is not \
         set; set it to the secret"
    );
    assert!(
        missing[1]
            .to_string()
            .starts_with("shop.toml:18:30: connection main.warehouse.auth.token: /etc/wms-token")
    );
}

#[test]
fn a_pace_is_for_tests_and_its_lease_must_outlast_an_attempt() {
    use std::time::Duration;
    assert_eq!(read(WHOLE).unwrap().tempo, Tempo::default());
    let fast = read(&format!("{WHOLE}[pace]\nsend_within_ms = 1000\nlease_ms = 2000\npoll_ms = 500\n"))
        .unwrap()
        .tempo;
    assert_eq!(fast.pace.lease, Duration::from_secs(2));
    assert_eq!(fast.poll_every, Some(Duration::from_millis(500)));
    assert_eq!(fast.sweep_every, Tempo::default().sweep_every);
    let mistake = read(&format!("{WHOLE}[pace]\nlease_ms = 60000\n")).unwrap_err();
    assert!(mistake[0].starts_with("shop.toml:30:1: pace.lease_ms (60000) is not longer"), "{mistake:?}");
    let mistake = read(&format!("{WHOLE}[pace]\nlease = 60000\n")).unwrap_err();
    assert!(mistake[0].contains("did you mean") || mistake[0].contains("known are"), "{mistake:?}");
}

#[test]
fn columns_count_letters_and_not_bytes() {
    let mistakes =
        wrong("name = \"My shop\"\nenabled = true", "name = \"Bücher\"\n\"ü\".x = 1\nenabled = true");
    assert!(mistakes[0].starts_with("shop.toml:10:1: the setting \"ü\""), "{mistakes:?}");
    let mistakes = wrong("\"Localhost\"", "\"ü\", \"a/b\"");
    assert!(mistakes[0].starts_with("shop.toml:6:39: \"a/b\""), "{mistakes:?}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _either = read(&text);
    }

    #[test]
    fn no_damaged_file_panics(from in 0..WHOLE.len(), length in 0_usize..40, text in "[\\[\\]{}=\".,a-z0-9\n é-]{0,20}") {
        let end = (from + length).min(WHOLE.len());
        let _either = read(&format!("{}{text}{}", &WHOLE[..from], &WHOLE[end..]));
    }
}

/// The whole file with a table `[alerts]`.
fn alerting(alerts: &str) -> Result<Config, Vec<String>> {
    read(&WHOLE.replacen("[[connection]]\n", &format!("{alerts}\n[[connection]]\n"), 1))
}

const MAIL: &str =
    "[alerts.mail]\nhost = \"smtp.example.com\"\nfrom = \"cartdock@example.com\"\nto = [\"ops@example.com\"]";

#[test]
fn who_is_told_is_read() {
    assert_eq!(read(WHOLE).unwrap().alerts, Alerts::default());
    let slack = "[alerts]\nslack_url = \"@env:SLACK\"\nevery_minutes = 2\n";
    let login = "user = \"@env:USER\"\npassword = \"@file:/etc/mail\"";
    let config = alerting(&format!("{slack}{MAIL}\n{login}")).unwrap();
    assert_eq!(config.alerts.every, std::time::Duration::from_secs(120));
    let [Channel::Slack(url), Channel::Mail(mail)] = config.alerts.channels.as_slice() else {
        panic!("{:?}", config.alerts)
    };
    assert_eq!((url.as_str(), mail.port), ("env:SLACK", 587));
    assert_eq!(mail.login, Some(("env:USER".into(), "file:/etc/mail".into())));
    let named: Vec<&str> = config.secrets.iter().map(|secret| secret.setting.as_str()).collect();
    assert!(named.contains(&"alerts.slack_url") && named.contains(&"alerts.mail.password"), "{named:?}");
    for (tls, port) in [("connect", 465), ("starttls", 587)] {
        let config = alerting(&format!("{MAIL}\ntls = \"{tls}\"")).unwrap();
        assert!(matches!(&config.alerts.channels[..], [Channel::Mail(mail)] if mail.port == port), "{tls}");
    }
    let local = MAIL.replace("smtp.example.com", "localhost");
    assert!(alerting(&format!("{local}\ntls = \"none\"")).is_ok(), "a local host is named");
}

#[test]
fn mistakes_in_who_is_told_are_named_with_their_cure() {
    let slack = "[alerts]\nslack_url = \"https://hooks.slack.com/unmistakable\"";
    for (alerts, said) in [
        (
            slack.to_owned(),
            "shop.toml:8:13: alerts.slack_url is a secret and must not stand here itself; write",
        ),
        ("[alerts]\nslack_url = \"@env:\"".to_owned(), "write slack_url = \"@env:NAME\""),
        ("[alerts]\nevery_minutes = 5".to_owned(), "alerts names no channel; add slack_url"),
        ("[alerts]\nslak_url = \"@env:A\"".to_owned(), "did you mean \"slack_url\"?"),
        (format!("{MAIL}\ntls = \"none\""), "would speak to smtp.example.com in plain text"),
        (format!("{MAIL}\ntls = \"ssl\""), "write \"starttls\" or \"connect\" or \"none\""),
        (format!("{MAIL}\nuser = \"@env:A\""), "user or password alone"),
        (MAIL.replace("ops@", "ops at "), "\"ops at example.com\" is no mail address"),
        (MAIL.replace("[\"ops@example.com\"]", "[]"), "alerts.mail has no to"),
        ("[alerts.mail]\nport = 25".to_owned(), "alerts.mail has no host"),
    ] {
        let mistakes = alerting(&alerts).unwrap_err().join("\n");
        assert!(mistakes.contains(said) && !mistakes.contains("unmistakable"), "{said} in\n{mistakes}");
    }
}

#[test]
fn the_data_directory_is_beside_the_settings_file_wherever_a_command_is_typed() {
    for (data_dir, path) in [("data", "/etc/shop/data"), ("/var/lib/cartdock", "/var/lib/cartdock")] {
        let text = format!("data_dir = \"{data_dir}\"\n");
        let config = crate::known::read_text(std::path::Path::new("/etc/shop/cartdock.toml"), &text).unwrap();
        assert_eq!(config.data_dir, std::path::Path::new(path));
    }
}

#[test]
fn what_is_not_filled_in_is_told_by_its_name() {
    let mistakes = wrong("[server]", "start = <FIRST-ORDER-DATE>\n[server]");
    assert!(
        mistakes.iter().any(|told| told.contains("is not filled in: <FIRST-ORDER-DATE>")),
        "{mistakes:#?}"
    );
}
