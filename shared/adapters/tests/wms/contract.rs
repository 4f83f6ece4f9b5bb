//! What every warehouse adapter promises, over every row of the table: a new row is tested the moment it exists.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{self, NAME, NOW, Replay, Reply, SKU, STREET, Spoken, StillClock};
use adapters::wms::{ALL, connect};
use domain::warehouse::{Creation, Heard, RawWebhook, Repeat, Warehouse, Webhook};
use domain::{Failure, Kind};
use jiff::{SignedDuration, Timestamp};

/// One folder of recordings with the warehouse that it is about.
struct Case {
    folder: PathBuf,
    replay: Replay,
    warehouse: Warehouse,
    spoken: Spoken,
    secrets: Vec<String>,
}

/// Every row's own folder, and further ones of the same kind: `http`, `http-xml`.
async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in ALL {
        assert!(support::fixtures().join(entry.name).is_dir(), "missing folder fixtures/wms/{}", entry.name);
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(support::fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in folders {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            if name == entry.name || name.starts_with(&format!("{}-", entry.name)) {
                cases.push(open(folder).await);
            }
        }
    }
    cases
}

async fn open(folder: PathBuf) -> Case {
    let replay = Replay::start().await;
    let values = support::read_settings(&folder, &replay.url);
    let secrets: Vec<String> =
        values.values().filter_map(|value| value.strip_prefix("@fixture:")).map(str::to_owned).collect();
    assert!(!secrets.is_empty(), "{}: a fixture without a secret proves nothing", folder.display());
    let (spoken, clock) = (Spoken::default(), Arc::new(StillClock::default()));
    let settings = support::settings(values, &spoken, &clock);
    let warehouse = connect(&settings, support::http(), clock).unwrap_or_else(|e| panic!("{e}"));
    Case { folder, replay, warehouse, spoken, secrets }
}

impl Case {
    fn name(&self) -> String {
        self.folder.file_name().unwrap().to_string_lossy().into_owned()
    }

    async fn create(&self, replies: Vec<Reply>) -> Creation {
        self.replay.play(replies);
        self.warehouse.orders.create(&support::order()).await
    }

    /// The failure printed with all its sources, which must hold none of our secrets and nothing of the buyer.
    fn printed(&self, failure: &Failure) -> String {
        let mut text = format!("{failure} {failure:?}");
        let mut source = failure.source();
        while let Some(error) = source {
            text.push_str(&format!(" / {error} {error:?}"));
            source = error.source();
        }
        self.clean(&text);
        text
    }

    fn clean(&self, text: &str) {
        for secret in self.secrets.iter().map(String::as_str).chain([NAME, STREET, "zoe@example.com"]) {
            assert!(!text.contains(secret), "{}: {secret} in {text}", self.name());
        }
    }

    fn webhook(&self, file: &str) -> RawWebhook {
        let seen = support::parse(&support::read(&self.folder.join(file)));
        let seen = seen.unwrap_or_else(|| panic!("{}: {file} is no request", self.name()));
        RawWebhook { headers: seen.headers, path_rest: String::new(), body: seen.body }
    }

    async fn verified(&self, raw: RawWebhook, after: i64) -> Option<Webhook> {
        let reader = self.warehouse.notices.reader().expect("the fixtures have webhooks");
        let now = Timestamp::from_second(NOW).unwrap() + SignedDuration::from_secs(after);
        match reader.verify(raw, now).await {
            Ok(webhook) => Some(webhook),
            Err(why) => {
                self.clean(&format!("{why:?}"));
                None
            }
        }
    }
}

#[tokio::test]
async fn what_a_plan_shows_is_what_is_sent_and_shows_no_secret() {
    for case in cases().await {
        let request = support::order();
        let draft = case.warehouse.orders.draft(&request).await.expect("a draft").expect("it can be shown");
        assert!(case.replay.seen().is_empty(), "{}: a draft asks nobody", case.name());
        case.create(support::recorded(&case.folder, "accepted")).await;
        let sent = case.replay.seen().pop().expect("it was sent");
        let path = draft.url.strip_prefix(&case.replay.url).expect("the warehouse's address");
        assert_eq!((draft.method.as_str(), path), (sent.method.as_str(), sent.target.as_str()));
        assert_eq!(draft.body.as_bytes(), sent.body, "{}: byte for byte", case.name());
        for (name, value) in &draft.headers {
            let there = sent.headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name));
            let (_, there) = there.unwrap_or_else(|| panic!("{}: {name} is not sent", case.name()));
            assert!(value == there || value == "(not shown)", "{}: {name}", case.name());
        }
        let masked = case.warehouse.orders.draft(&request.masked()).await.expect("a draft").expect("a draft");
        case.clean(&format!("{masked:?}"));
    }
}

#[tokio::test]
async fn an_accepted_order_has_the_warehouses_id() {
    for case in cases().await {
        let created = case.create(support::recorded(&case.folder, "accepted")).await;
        let Creation::Accepted(id) = created else { panic!("{}: {created:?}", case.name()) };
        assert!(!id.as_str().is_empty());
        let seen = case.replay.seen();
        assert_eq!(seen.len(), 1, "{}: asked once", case.name());
        let known = Creation::Duplicate(Some(id));
        let again = case.create(support::recorded(&case.folder, "duplicate")).await;
        assert_eq!(format!("{again:?}"), format!("{known:?}"), "{}: the same id both times", case.name());
    }
}

#[tokio::test]
async fn a_refused_order_has_the_reason_without_the_buyer_and_without_secrets() {
    for case in cases().await {
        let created = case.create(support::recorded(&case.folder, "rejected")).await;
        let Creation::Refused(why) = created else { panic!("{}: {created:?}", case.name()) };
        assert!(why.contains("postal code not served: …"), "{}: {why}", case.name());
        case.clean(&why);
        assert!(!why.contains("99999") && why.chars().count() <= 300, "{}: {why}", case.name());
    }
}

#[tokio::test]
async fn what_certainly_did_not_happen_may_be_repeated_after_the_wait() {
    for case in cases().await {
        for (status, headers, wait) in [
            (429, vec![("Retry-After", "7")], Some(Duration::from_secs(7))),
            (429, vec![("Retry-After", "Mon, 23 Nov 2026 02:06:00 GMT")], Some(Duration::from_secs(60))),
            (503, vec![("Retry-After", "30")], Some(Duration::from_secs(30))),
            (503, vec![], None),
            (401, vec![], None),
            (403, vec![], None),
        ] {
            let created = case.create(vec![Reply::new(status, &headers, "no")]).await;
            let Creation::NotApplied(failure) = created else {
                panic!("{} {status}: {created:?}", case.name())
            };
            assert!(failure.is_retryable(), "{} {status}: {failure}", case.name());
            // A date is counted from our clock, which the pace of requests has moved on by milliseconds.
            let told = failure.wait().map(|wait| Duration::from_secs(wait.as_millis().div_ceil(1000) as u64));
            assert_eq!(told, wait, "{} {status}", case.name());
            case.printed(&failure);
        }
    }
}

#[tokio::test]
async fn a_refused_credential_is_fetched_anew() {
    for case in cases().await {
        let ok = support::recorded(&case.folder, "accepted");
        case.create(ok.clone()).await;
        let before = case.spoken.asked();
        case.create(ok.clone()).await;
        assert_eq!(case.spoken.asked(), before, "{}: a good one is kept", case.name());
        case.create(vec![Reply::new(401, &[], "")]).await;
        case.create(ok).await;
        assert!(case.spoken.asked() > before, "{}", case.name());
    }
}

#[tokio::test]
async fn what_may_have_happened_is_unclear_and_never_repeated_by_itself() {
    for case in cases().await {
        for (what, reply) in [
            ("silence", Reply::Silence),
            ("unreadable 200", Reply::new(200, &[], "<html>Welcome!</html>")),
            ("empty 201", Reply::new(201, &[], "")),
            ("200 without id", Reply::new(200, &[], "{\"ok\":true}")),
            ("half an answer", Reply::new(200, &[], "{\"id\":\"WO-1\"")),
            ("500", Reply::new(500, &[], "oops")),
            ("502", Reply::new(502, &[], "")),
            ("504", Reply::new(504, &[], "")),
            ("302", Reply::new(302, &[("Location", "https://elsewhere.example/")], "")),
        ] {
            let created = case.create(vec![reply]).await;
            let Creation::Unclear(failure) = created else { panic!("{} {what}: {created:?}", case.name()) };
            assert!(failure.is_retryable(), "{} {what}: {failure}", case.name());
            case.printed(&failure);
            assert_eq!(case.replay.seen().len(), 1, "{} {what}: asked once", case.name());
        }
    }
}

#[tokio::test]
async fn nobody_listening_means_that_nothing_happened() {
    for case in cases().await {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let (spoken, clock) = (Spoken::default(), Arc::new(StillClock::default()));
        let settings = support::settings(support::read_settings(&case.folder, &address), &spoken, &clock);
        let warehouse = connect(&settings, support::http(), clock).unwrap();
        let created = warehouse.orders.create(&support::order()).await;
        let Creation::NotApplied(failure) = created else { panic!("{}: {created:?}", case.name()) };
        assert!(failure.is_retryable(), "{failure}");
        case.printed(&failure);
    }
}

#[tokio::test]
async fn every_text_of_the_order_arrives_exactly() {
    for case in cases().await {
        case.create(support::recorded(&case.folder, "accepted")).await;
        let body = case.replay.seen().remove(0).body;
        let texts = if body.starts_with(b"<") { xml_texts(&body) } else { json_texts(&body) };
        for wanted in [NAME, SKU, STREET, "Besançon", "main-700100201", "Ground & Air", "Mug \"red\" & <hot>"]
        {
            assert!(texts.iter().any(|text| text == wanted), "{}: {wanted} in {texts:?}", case.name());
        }
    }
}

fn json_texts(body: &[u8]) -> Vec<String> {
    fn gather(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(entries) => entries.iter().for_each(|entry| gather(entry, found)),
            serde_json::Value::Object(fields) => fields.values().for_each(|field| gather(field, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(&serde_json::from_slice(body).expect("the order sent is JSON"), &mut found);
    found
}

fn xml_texts(body: &[u8]) -> Vec<String> {
    use quick_xml::events::Event;
    let text = std::str::from_utf8(body).unwrap();
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut found, mut current) = (Vec::new(), String::new());
    loop {
        match reader.read_event().expect("the order sent is XML") {
            Event::Eof => return found,
            Event::Text(text) => current.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let whole = format!("&{};", entity.xml10_content());
                current.push_str(&quick_xml::escape::unescape(&whole).unwrap());
            }
            Event::Start(start) | Event::Empty(start) => {
                let values = start.attributes().map(|a| {
                    a.unwrap().normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned()
                });
                found.extend(values);
                current.clear();
            }
            Event::End(_) => found.push(std::mem::take(&mut current)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_genuine_webhook_is_believed_and_reads_the_same_twice() {
    for case in cases().await {
        let webhook = case.verified(case.webhook("shipment.http"), 0).await;
        let webhook = webhook.unwrap_or_else(|| panic!("{}: not believed", case.name()));
        let reader = case.warehouse.notices.reader().unwrap();
        let (once, twice) = (reader.read(&webhook).unwrap(), reader.read(&webhook).unwrap());
        assert_eq!(once, twice, "{}", case.name());
        assert!(!once.is_empty(), "{}", case.name());
        for heard in once {
            let reference = match heard {
                Heard::Shipped(notice) => notice.reference,
                Heard::Changed(reference) => reference,
            };
            assert_eq!(reference, support::reference(), "{}", case.name());
        }
    }
}

#[tokio::test]
async fn a_webhook_without_its_credentials_is_not_believed() {
    for case in cases().await {
        let raw = case.webhook("shipment.http");
        let proofs = ["authorization", "webhook-id", "webhook-timestamp", "webhook-signature"];
        let given: Vec<&str> = proofs.into_iter().filter(|name| raw.header(name).is_some()).collect();
        assert!(!given.is_empty(), "{}: name its proof here", case.name());
        for name in given {
            let mut bare = raw.clone();
            bare.headers.retain(|(header, _)| header != name);
            assert!(case.verified(bare, 0).await.is_none(), "{} without {name}", case.name());
        }
    }
}

#[tokio::test]
async fn a_signed_webhook_is_not_believed_once_touched_or_stale() {
    for case in cases().await {
        let raw = case.webhook("shipment.http");
        if raw.header("authorization").is_some() {
            continue;
        }
        for at in 0..raw.body.len() {
            let mut touched = raw.clone();
            touched.body[at] ^= 1;
            assert!(case.verified(touched, 0).await.is_none(), "{} at byte {at}", case.name());
        }
        for (after, believed) in [(-301, false), (-299, true), (299, true), (301, false)] {
            let webhook = case.verified(raw.clone(), after).await;
            assert_eq!(webhook.is_some(), believed, "{} after {after} s", case.name());
        }
    }
}

#[tokio::test]
async fn a_genuine_webhook_that_cannot_be_read_is_poison() {
    for case in cases().await {
        let webhook = case.verified(case.webhook("unreadable.http"), 0).await.expect("it is genuine");
        let failure = case.warehouse.notices.reader().unwrap().read(&webhook).unwrap_err();
        assert_eq!(failure.kind, Kind::Poison, "{}: {failure}", case.name());
        case.printed(&failure);
    }
}

#[tokio::test]
async fn a_page_of_shipments_reads_the_same_twice_and_the_last_says_so() {
    for case in cases().await {
        let Some(feed) = case.warehouse.notices.feed() else { continue };
        case.replay.play(support::recorded(&case.folder, "shipments"));
        let (once, twice) = (feed.page(Some("1")).await.unwrap(), feed.page(Some("1")).await.unwrap());
        assert_eq!(once, twice, "{}", case.name());
        assert!(!once.more && once.bookmark.is_some(), "{}", case.name());
        assert!(!once.notices.is_empty(), "{}", case.name());
        for notice in &once.notices {
            assert_eq!(notice.reference, support::reference());
            assert!(notice.tracking.is_some() && notice.shipped_at.is_some(), "{}: {notice:?}", case.name());
        }
        for (what, reply) in [
            ("silence", Reply::Silence),
            ("unreadable", Reply::new(200, &[], "Welcome!")),
            ("another document", Reply::new(200, &[], "{\"hello\":1}")),
            ("429", Reply::new(429, &[("Retry-After", "7")], "")),
            ("503", Reply::new(503, &[], "")),
            ("401", Reply::new(401, &[], "")),
        ] {
            case.replay.play(vec![reply]);
            let failure = feed.page(None).await.unwrap_err();
            assert!(failure.is_retryable(), "{} {what}: {failure}", case.name());
            assert_eq!(failure.wait().is_some(), what == "429", "{} {what}", case.name());
            case.printed(&failure);
        }
    }
}

#[tokio::test]
async fn a_look_up_that_fails_is_never_an_absent_order() {
    for case in cases().await {
        let Some(lookup) = case.warehouse.repeat.lookup().cloned() else { continue };
        assert!(!matches!(case.warehouse.repeat, Repeat::HonoursKey | Repeat::Cannot));
        for reply in [
            Reply::Silence,
            Reply::new(200, &[], "Welcome!"),
            Reply::new(200, &[], ""),
            Reply::new(200, &[], "{\"error\":\"later\"}"),
            Reply::new(404, &[], ""),
            Reply::new(500, &[], "[]"),
        ] {
            case.replay.play(vec![reply]);
            let failure = lookup.find(&support::reference()).await.unwrap_err();
            case.printed(&failure);
        }
    }
}

#[tokio::test]
async fn check_changes_nothing_and_prints_no_secret() {
    for case in cases().await {
        case.replay.play(vec![Reply::new(401, &[], "who are you?")]);
        for finding in case.warehouse.probe.check().await {
            case.clean(&format!("{finding:?}"));
        }
        let seen = case.replay.seen();
        assert!(!seen.is_empty() && seen.iter().all(|request| request.method == "GET"), "{}", case.name());
    }
}
