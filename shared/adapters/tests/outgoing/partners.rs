//! Every address that a setting can name, given every form of the corpus: the store, both warehouses, the token endpoint,
//! and the key set of webhooks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapters::http::Http;
use adapters::secret::{GivenSecrets, Vault};
use adapters::settings::Settings;
use adapters::{one_shopping_cart, wms};
use async_trait::async_trait;
use domain::policy::Policies;
use domain::ports::{Clock, Finding};
use domain::warehouse::{RawWebhook, Unverified};
use jiff::Timestamp;

use crate::corpus;
use crate::witness::{Answers, OK, Witness, client};

/// Time stands still; who waits has waited.
struct StillClock;

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_399_500).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let values: BTreeMap<_, _> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let given = GivenSecrets::new([("s".to_owned(), "a-fake-secret".to_owned())]);
    Settings::new("test", values, Arc::new(Vault::new(vec![Box::new(given)], Arc::new(StillClock))))
}

/// What became of one address: refused as a setting, or tried.
type Tried = Result<Vec<Finding>, String>;

async fn store(http: &Http, url: &str) -> Tried {
    let settings = settings(&[("merchant_id", "900001"), ("api_key", "@given:s"), ("base_url", url)]);
    let store =
        one_shopping_cart::connect(&settings, &Policies::default(), http.clone(), Arc::new(StillClock));
    Ok(store.map_err(|e| e.to_string())?.probe.check().await)
}

async fn warehouse(http: &Http, pairs: &[(&str, &str)]) -> Tried {
    let warehouse = wms::connect(&settings(pairs), http.clone(), Arc::new(StillClock));
    Ok(warehouse.map_err(|e| e.to_string())?.probe.check().await)
}

/// A webhook that could be genuine makes us look for the key that it names.
async fn key_set(http: &Http, url: &str) -> Tried {
    let settings = settings(&[
        ("kind", "http"),
        ("base_url", "https://wms.test"),
        ("auth", "none"),
        ("repeat", "refuses_duplicates"),
        ("webhook.scheme", "shipengine"),
        ("webhook.secret", "@given:s"),
        ("webhook.jwks_url", url),
    ]);
    let warehouse = wms::connect(&settings, http.clone(), Arc::new(StillClock)).map_err(|e| e.to_string())?;
    let header = |name: &str, value: &str| (format!("x-shipengine-{name}"), value.to_owned());
    let raw = RawWebhook {
        headers: vec![
            header("rsa-sha256-key-id", "k"),
            header("rsa-sha256-signature", "AAAA"),
            header("timestamp", "2026-11-23T02:05:00Z"),
        ],
        path_rest: "a-fake-secret".to_owned(),
        body: b"{}".to_vec(),
    };
    let verified = warehouse.notices.reader().unwrap().verify(raw, StillClock.now()).await;
    let detail = match verified.unwrap_err() {
        Unverified::Unsure(why) => why,
        Unverified::Stranger(why) => panic!("the keys were not asked for: {why}"),
    };
    Ok(vec![Finding { what: "keys".to_owned(), ok: Some(false), detail }])
}

/// The outcome of every setting that names an address, for this one.
async fn all(http: &Http, url: &str) -> [(&'static str, Tried); 5] {
    let generic = [("kind", "http"), ("repeat", "refuses_duplicates")];
    let base = [&generic[..], &[("base_url", url), ("auth", "none")]].concat();
    let token = [
        ("base_url", "https://wms.test"),
        ("auth", "oauth2"),
        ("auth.token_url", url),
        ("auth.client_id", "me"),
        ("auth.client_secret", "@given:s"),
    ];
    let shipbob = [("kind", "shipbob"), ("base_url", url), ("channel_id", "1"), ("token", "@given:s")];
    [
        ("store", store(http, url).await),
        ("warehouse", warehouse(http, &base).await),
        ("token endpoint", warehouse(http, &[&generic[..], &token].concat()).await),
        ("shipbob", warehouse(http, &shipbob).await),
        ("webhook keys", key_set(http, url).await),
    ]
}

#[tokio::test]
async fn no_setting_leads_to_a_forbidden_address() {
    let witness = Witness::answering(OK).await;
    let http = client(Answers::local());
    for (index, host) in corpus::hosts().into_iter().enumerate() {
        // A name is looked up only on the port of https; an address is refused on any.
        let url = match index % 2 {
            0 => format!("https://{host}:{}", witness.port),
            _ => format!("https://{host}"),
        };
        for (which, tried) in all(&http, &url).await {
            assert_eq!(witness.seen(), 0, "{which} at {url}");
            let Ok(findings) = tried else { continue };
            for Finding { what, ok, detail } in &findings {
                assert_eq!(*ok, Some(false), "{which} at {url}: {what}: {detail}");
                let guarded =
                    ["not a public address", "only port 443", "cannot be reached", "could not be fetched"];
                assert!(guarded.iter().any(|word| detail.contains(word)), "{which} at {url}: {detail}");
            }
        }
    }
    assert_eq!(witness.seen(), 0);
}

#[tokio::test]
async fn the_same_settings_reach_a_server_that_is_named() {
    let witness = Witness::answering(OK).await;
    let named = format!("127.0.0.1:{}", witness.port);
    let http = Http::with_resolver([named.clone()], Answers::local()).unwrap();
    let mut seen = 0;
    for (which, tried) in all(&http, &format!("http://{named}")).await {
        assert!(tried.is_ok(), "{which}: {tried:?}");
        assert!(witness.seen() >= seen, "{which}");
        seen = witness.seen();
    }
    assert!(seen >= 5, "each of the five asked: {seen}");
}
