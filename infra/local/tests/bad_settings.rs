//! A settings file that is wrong is refused at start: where, what, and the cure, and never a secret.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::{Answer, cartdock, directory, finish};

const GOOD: &str = r#"data_dir = "data"
[server]
listen = "127.0.0.1:0"
[[connection]]
id = "main"
enabled = true
[connection.store]
merchant_id = 900001
api_key = "@env:TEST_STORE_KEY"
[connection.warehouse]
kind = "http"
base_url = "https://wms.example.com"
repeat = "cannot"
auth = { kind = "bearer", key = "@env:TEST_WAREHOUSE_KEY" }
[connection.policies]
start = 2026-11-01
"#;

/// A value that must not be printed.
const SECRET: &str = "unmistakable-secret-value";

/// What a command says to the good file with one text replaced. Only the warehouse's key is in its environment.
async fn told(name: &str, (from, to): (&str, &str), command: &str) -> Answer {
    let dir = directory(name);
    assert!(GOOD.contains(from), "{from}");
    std::fs::write(dir.join("cartdock.toml"), GOOD.replacen(from, to, 1)).expect("a file");
    let mut command = cartdock(&dir, &[command]);
    command.env("TEST_WAREHOUSE_KEY", SECRET);
    let answer = finish(command).await.ended(2);
    assert!(!answer.words().contains(SECRET), "{answer:?}");
    assert!(!dir.join("data").exists(), "something was started: {answer:?}");
    answer
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_line_and_its_cure() {
    let written_out = format!("api_key = \"{SECRET}\"");
    for (number, (from, to, message)) in [
        ("listen", "lisen", "cartdock.toml:3:1: the setting \"lisen\" is not known in server; did you mean \"listen\"?"),
        ("enabled = true", "enabled = \"yes\"", "cartdock.toml:6:11: connection main.enabled is a text; write true or false"),
        ("api_key = \"@env:TEST_STORE_KEY\"", written_out.as_str(), "cartdock.toml:9:11: connection main.store.api_key is a secret and must not stand here itself; put it into an environment variable"),
        ("start = 2026-11-01\n", "", "cartdock.toml:15:1: connection main.policies.start is missing"),
        ("[server]", "[server", "cartdock.toml:2:"),
    ]
    .into_iter()
    .enumerate()
    {
        for command in ["run", "check"] {
            let answer = told(&format!("bad-{number}"), (from, to), command).await;
            assert!(answer.err.contains(message), "{message}\n{}", answer.err);
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_refused_before_anything_starts() {
    for command in ["run", "check"] {
        let answer = told("bad-missing", ("", ""), command).await;
        let message = "cartdock.toml:9:11: connection main.store.api_key: the environment variable TEST_STORE_KEY is not \
                       set; set it to the secret";
        assert_eq!(answer.err.trim(), message);
    }
}

#[tokio::test]
async fn a_secret_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let path = directory("bad-file").join("key");
    std::fs::write(&path, SECRET).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    let named = format!("@file:{}", path.display());
    let answer = told("bad-file-settings", ("@env:TEST_STORE_KEY", &named), "run").await;
    assert!(answer.err.starts_with("cartdock.toml:9:11:"), "{answer:?}");
    assert!(answer.err.contains("run: chmod 600"), "{answer:?}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_refused_with_the_cure() {
    let answer = finish(cartdock(&directory("bad-none"), &["run"])).await.ended(2);
    assert!(answer.err.contains("cartdock init"), "{answer:?}");
}
