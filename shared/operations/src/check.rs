//! Can a connection work? Asks the store and the warehouse, without changing anything there, and says what each can do.

use domain::Failure;
use domain::connection::Connection;
use domain::policy::UnknownMethod;
use domain::ports::{Finding, Mappings, Partners, SinkMode, Store};
use domain::warehouse::{Notices, Repeat, Warehouse};
use serde::Serialize;

use crate::text::{Cell, Style, Table, Tone, count, span};

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Where: `settings`, `store`, `warehouse` or `mapping`.
    pub side: &'static str,
    /// What was looked at.
    pub what: String,
    /// Is it as it should be? None where it cannot be known from here, or is only told.
    pub ok: Option<bool>,
    /// What was found, and the cure where it is not well.
    pub detail: String,
}

/// Everything that was found out about one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The connection.
    pub connection: String,
    /// What was found, in the order of asking.
    pub findings: Vec<Checked>,
    /// How many findings need attention.
    pub problems: usize,
}

/// Checks one connection. Never fails: what cannot be asked is a finding.
pub async fn check(partners: &dyn Partners, mappings: &dyn Mappings, connection: &Connection) -> CheckReport {
    let mut findings = settings(connection);
    match partners.store(connection).await {
        Err(failure) => findings.push(not_opened("store", &failure)),
        Ok(store) => findings.extend(check_store(&store).await),
    }
    match partners.warehouse(connection).await {
        Err(failure) => findings.push(not_opened("warehouse", &failure)),
        Ok(warehouse) => findings.extend(check_warehouse(&warehouse).await),
    }
    findings.push(check_mapping(mappings, connection).await);
    CheckReport::of(connection.id.to_string(), findings)
}

/// Do others read the same store? Each of its orders goes through all of them: to the same warehouse that is an order sent
/// twice, to another one it may be meant, where each ships its own SKUs.
#[must_use]
pub fn shares_its_store(connection: &Connection, all: &[Connection]) -> Option<Checked> {
    let reads_the_same = |other: &&Connection| {
        ["merchant_id", "base_url"].iter().all(|key| connection.store.get(*key) == other.store.get(*key))
    };
    let others: Vec<&Connection> = all
        .iter()
        .filter(|other| other.id != connection.id && other.enabled)
        .filter(reads_the_same)
        .collect();
    let first = others.first()?;
    let is_doubled = others.iter().any(|other| sends_to_the_same(connection, other));
    let detail = match is_doubled {
        true => format!(
            "{} reads the same store and sends to the same warehouse: every order would go out twice; pause one of them",
            first.id
        ),
        false => format!(
            "{} reads the same store: each order goes through both, and each ships what it maps",
            first.id
        ),
    };
    let is_wrong = is_doubled && connection.enabled;
    Some(Checked { ok: is_wrong.then_some(false), ..told("store", "shared", detail) })
}

/// The same warehouse by its address; where a kind has one address for all, by all that is set.
fn sends_to_the_same(one: &Connection, other: &Connection) -> bool {
    let address = |connection: &Connection| connection.warehouse.get("base_url").cloned();
    one.warehouse.get("kind") == other.warehouse.get("kind")
        && address(one) == address(other)
        && (address(one).is_some() || one.warehouse == other.warehouse)
}

fn told(side: &'static str, what: &str, detail: impl Into<String>) -> Checked {
    Checked { side, what: what.to_owned(), ok: None, detail: detail.into() }
}

fn not_opened(side: &'static str, failure: &Failure) -> Checked {
    Checked { side, what: "settings".to_owned(), ok: Some(false), detail: failure.to_string() }
}

fn found(side: &'static str, finding: Finding) -> Checked {
    Checked { side, what: finding.what, ok: finding.ok, detail: finding.detail }
}

fn settings(connection: &Connection) -> Vec<Checked> {
    let enabled = if connection.enabled {
        "yes".to_owned()
    } else {
        format!("no: nothing is imported or sent (cartdock connection enable {})", connection.id)
    };
    let start = connection.policies.start.map_or_else(
        || "none: every order of the store's history is imported".to_owned(),
        |start| format!("orders placed from {} on", crate::text::instant(start)),
    );
    let has_start = connection.policies.start.is_some();
    vec![
        told("settings", "enabled", enabled),
        Checked { ok: Some(has_start), ..told("settings", "start date", start) },
    ]
}

async fn check_store(store: &Store) -> Vec<Checked> {
    let mut findings: Vec<Checked> =
        store.probe.check().await.into_iter().map(|finding| found("store", finding)).collect();
    findings.push(match store.tracking.mode().await {
        Ok(SinkMode::Api) => told("store", "tracking", "is posted through the store's API and read back"),
        Ok(SinkMode::Off) => told("store", "tracking", "is not posted: write-back is off"),
        Ok(SinkMode::Outbox(why)) => {
            told("store", "tracking", format!("goes to the outbox ({why}); see: cartdock outbox export"))
        }
        Err(failure) => told("store", "tracking", format!("cannot be found out now: {failure}")),
    });
    findings
}

async fn check_warehouse(warehouse: &Warehouse) -> Vec<Checked> {
    let mut findings: Vec<Checked> =
        warehouse.probe.check().await.into_iter().map(|finding| found("warehouse", finding)).collect();
    findings.extend(abilities(warehouse));
    findings
}

/// What a warehouse can do, as its adapter and its settings say.
fn abilities(warehouse: &Warehouse) -> Vec<Checked> {
    let can = |yes: bool, yes_text: &str, no_text: &str| if yes { yes_text } else { no_text }.to_owned();
    let notices = match &warehouse.notices {
        Notices::Pushed(_) => "told to us by webhook",
        Notices::Polled(_) => "asked for on schedule",
        Notices::Both(..) => "told to us by webhook, and asked for on schedule",
    };
    let cancel = can(
        warehouse.cancel.is_some(),
        "yes",
        "no: an order that is taken back after sending is held for a person",
    );
    let stock = can(warehouse.stock.is_some(), "can be read", "cannot be read");
    [
        ("repeats", repeats(&warehouse.repeat)),
        ("shipments", notices.to_owned()),
        ("cancelling", cancel),
        ("stock", stock),
    ]
    .into_iter()
    .map(|(what, detail)| told("warehouse", what, detail))
    .collect()
}

fn repeats(repeat: &Repeat) -> String {
    match repeat {
        Repeat::CanBeAsked { lag, .. } => {
            format!("{} (its answers may lag by {})", repeat.sentence(), span(lag.as_secs()))
        }
        _ => repeat.sentence().to_owned(),
    }
}

async fn check_mapping(mappings: &dyn Mappings, connection: &Connection) -> Checked {
    let mapping = match mappings.current(&connection.id).await {
        Ok(mapping) => mapping,
        Err(failure) => {
            return Checked { ok: Some(false), ..told("mapping", "mapping", failure.to_string()) };
        }
    };
    let listings = count(mapping.listings.len() as u64, "listing", "listings");
    let rules = count(mapping.rules.len() as u64, "shipping rule", "shipping rules");
    let ships = !mapping.rules.is_empty() || connection.policies.unknown_method != UnknownMethod::Hold;
    let cure = if ships {
        String::new()
    } else {
        format!(
            "; without any shipping rule every order is held (cartdock map import rules.csv --connection {})",
            connection.id
        )
    };
    let detail = format!("version {}: {listings}, {rules}{cure}", mapping.version);
    Checked { ok: Some(ships), ..told("mapping", "mapping", detail) }
}

impl CheckReport {
    /// A report of these findings.
    #[must_use]
    pub fn of(connection: String, findings: Vec<Checked>) -> Self {
        let problems = findings.iter().filter(|finding| finding.ok == Some(false)).count();
        Self { connection, findings, problems }
    }

    /// Puts more findings behind those that there are.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Checked>) {
        self.findings.extend(findings);
        self.problems = self.findings.iter().filter(|finding| finding.ok == Some(false)).count();
    }

    /// Did a check find something that needs attention?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.problems > 0
    }

    /// The findings for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut table = Table::new(&["", "SIDE", "WHAT", "FOUND"]);
        for finding in &self.findings {
            let (word, tone) = match finding.ok {
                Some(true) => ("ok", Tone::Good),
                Some(false) => ("NOT OK", Tone::Bad),
                None => ("-", Tone::Faint),
            };
            table.row([
                Cell::toned(word, tone),
                finding.side.into(),
                finding.what.as_str().into(),
                finding.detail.as_str().into(),
            ]);
        }
        let verdict = match self.problems {
            0 => style.paint(Tone::Good, "Nothing stands in the way."),
            n => style.paint(Tone::Bad, &count(n as u64, "thing needs attention.", "things need attention.")),
        };
        format!("{}{}  {verdict}\n", style.heading(&self.connection), table.text(style))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeMappings, connection};
    use async_trait::async_trait;
    use domain::OrderId;
    use domain::carrier::Tracking;
    use domain::fulfillment::FulfillmentRequest;
    use domain::ports::{HintReader, ListPage, OrderSource, PostAnswer, Probe, Read, TrackingSink, Window};
    use domain::shipment::ShipmentNotice;
    use domain::warehouse::{
        Creation, FeedPage, Limits, OrderDesk, RawWebhook, ShipmentFeed, Unverified, Webhook,
    };
    use jiff::Timestamp;
    use std::sync::Arc;

    #[test]
    fn who_reads_a_store_that_another_one_reads_is_told_and_warned_when_each_order_would_go_out_twice() {
        let main = connection("main");
        let second = Connection { id: "second".parse().unwrap(), ..main.clone() };
        let found = shares_its_store(&second, &[main.clone(), second.clone()]).unwrap();
        assert_eq!(found.ok, Some(false));
        assert!(
            found.detail.starts_with("main reads the same store and sends to the same"),
            "{}",
            found.detail
        );
        let paused = Connection { enabled: false, ..second.clone() };
        assert_eq!(
            shares_its_store(&paused, std::slice::from_ref(&main)).unwrap().ok,
            None,
            "that is the cure"
        );
        let mut elsewhere = second.clone();
        elsewhere.warehouse.insert("base_url".to_owned(), "https://elsewhere.example".to_owned());
        assert_eq!(shares_its_store(&elsewhere, std::slice::from_ref(&main)).unwrap().ok, None);
        let mut another = second.clone();
        another.store.insert("merchant_id".to_owned(), "77".to_owned());
        assert_eq!(shares_its_store(&another, std::slice::from_ref(&main)), None);
        assert_eq!(shares_its_store(&second, &[Connection { enabled: false, ..main }]), None);
    }

    /// Both sides of a connection that answers a probe with these findings, and nothing else.
    struct Side(Vec<Finding>);

    fn unused<T>() -> Result<T, Failure> {
        Err(Failure::permanent("fake", "a check changes and reads nothing but the probe"))
    }

    #[async_trait]
    impl Probe for Side {
        async fn check(&self) -> Vec<Finding> {
            self.0.clone()
        }
    }
    #[async_trait]
    impl OrderSource for Side {
        async fn list(&self, _: Window, _: u32) -> Result<ListPage, Failure> {
            unused()
        }
        async fn read(&self, _: &str) -> Result<Read, Failure> {
            unused()
        }
    }
    #[async_trait]
    impl TrackingSink for Side {
        async fn mode(&self) -> Result<SinkMode, Failure> {
            Ok(SinkMode::Outbox("the store names no such call".into()))
        }
        async fn shown(&self, _: OrderId) -> Result<Vec<String>, Failure> {
            unused()
        }
        async fn post(&self, _: OrderId, _: &Tracking, _: Timestamp) -> Result<PostAnswer, Failure> {
            unused()
        }
        fn verifies(&self) -> bool {
            true
        }
    }
    #[async_trait]
    impl HintReader for Side {
        async fn verify(&self, _: RawWebhook) -> Result<Webhook, Unverified> {
            Err(Unverified::Stranger("no".into()))
        }
        fn read(&self, _: &Webhook) -> Result<Vec<String>, Failure> {
            unused()
        }
    }
    #[async_trait]
    impl OrderDesk for Side {
        async fn create(&self, _: &FulfillmentRequest) -> Creation {
            Creation::Refused("a check must not create".into())
        }
    }
    #[async_trait]
    impl ShipmentFeed for Side {
        async fn page(&self, _: Option<&str>) -> Result<FeedPage, Failure> {
            unused()
        }
        async fn acknowledge(&self, _: &[ShipmentNotice]) -> Result<(), Failure> {
            unused()
        }
    }

    struct FakePartners {
        store: Option<bool>,
    }

    fn side(ok: Option<bool>) -> Arc<Side> {
        let detail = "the credentials were refused; look at api_key".to_owned();
        Arc::new(Side(vec![Finding { what: "reading orders".into(), ok, detail }]))
    }

    #[async_trait]
    impl Partners for FakePartners {
        async fn store(&self, _: &Connection) -> Result<Store, Failure> {
            let side = side(self.store);
            Ok(Store {
                orders: side.clone(),
                tracking: side.clone(),
                hints: side.clone(),
                probe: side,
                products: None,
            })
        }
        async fn warehouse(&self, _: &Connection) -> Result<Arc<Warehouse>, Failure> {
            let side = side(Some(true));
            Ok(Arc::new(Warehouse {
                name: "fake",
                limits: Limits { reference: 40, name: 40, street: 40, place: 40, sku: 40 },
                repeat: Repeat::Cannot,
                orders: side.clone(),
                cancel: None,
                notices: Notices::Polled(side.clone()),
                shipments: None,
                stock: None,
                probe: side,
            }))
        }
    }

    async fn checked(store: Option<bool>) -> CheckReport {
        let mut connection = connection("main");
        connection.policies.start = Some(crate::fake::now());
        let mapping: domain::mapping::Mapping = serde_json::from_str(
            r#"{"version":1,"listings":{},"rules":[{"method":"any","decision":{"book":"STD"}}]}"#,
        )
        .unwrap();
        let mappings = FakeMappings { mapping: mapping.into(), ..FakeMappings::default() };
        check(&FakePartners { store }, &mappings, &connection).await
    }

    #[tokio::test]
    async fn a_refused_key_needs_attention_and_an_unknown_does_not() {
        assert!(checked(Some(false)).await.needs_attention());
        for ok in [Some(true), None] {
            let report = checked(ok).await;
            assert!(!report.needs_attention(), "{report:?}");
        }
    }

    #[tokio::test]
    async fn the_report_says_what_each_side_can_do() {
        let report = checked(Some(false)).await;
        let text = report.text(Style::PLAIN);
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in
            ["NOT OK", "waits for a person", "asked for on schedule", "cannot be read", "outbox", "1 thing"]
        {
            assert!(joined.contains(part), "{part} in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(serde_json::to_value(&report).unwrap()["problems"], 1);
    }

    #[tokio::test]
    async fn no_start_date_and_no_rule_need_attention() {
        let report =
            check(&FakePartners { store: Some(true) }, &FakeMappings::default(), &connection("main")).await;
        assert_eq!(report.problems, 2, "{report:?}");
    }
}
