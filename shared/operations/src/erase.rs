//! Deletion of a merchant's data on request: what there is, what is refused, what remains elsewhere.

use domain::connection::Connection;
use domain::ports::Kept;
use domain::record::{Record, Stage};
use serde::Serialize;

use crate::text::{Style, count, pairs};

/// What was removed, and what is not in our hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// The connection.
    pub connection: String,
    /// What there was.
    pub removed: Kept,
    /// What there is now: nothing, unless somebody was still at work.
    pub left: Kept,
    /// What remains elsewhere, and how it goes.
    pub elsewhere: Vec<String>,
}

impl Erased {
    /// Did somebody write meanwhile, so that it has to be done once more?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.left.items > 0
    }

    /// The outcome for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut text = style.heading(&format!("{}: removed", self.connection));
        text.push_str(&listed(&self.removed, style));
        if self.needs_attention() {
            let items = count(self.left.items, "item was", "items were");
            let cure = "somebody was still at work; erase it once more in a quarter of an hour";
            text.push_str(&format!("\n{items} written meanwhile: {cure}.\n"));
        }
        text.push_str("\nWhat remains elsewhere:\n");
        self.elsewhere.iter().for_each(|what| text.push_str(&format!("  - {what}\n")));
        text
    }
}

/// What is kept of a connection, for people.
#[must_use]
pub fn preview(connection: &str, kept: &Kept, style: Style) -> String {
    style.heading(&format!("{connection}: this is kept of it")) + &listed(kept, style)
}

fn listed(kept: &Kept, style: Style) -> String {
    let rows = [
        ("orders", format!("{}, {} of them with name and address", kept.orders, kept.bodies)),
        ("dates", kept.dates.to_string()),
        ("parked notices", kept.parked.to_string()),
        ("mappings", count(kept.mappings, "version", "versions")),
        ("items in all", kept.items.to_string()),
    ];
    pairs(&rows, style)
}

/// What remains of a connection elsewhere. `is_cloud` tells a deployment from a data directory; of a connection that is
/// gone already the secrets are not known any more.
#[must_use]
pub fn elsewhere(connection: Option<&Connection>, is_cloud: bool) -> Vec<String> {
    let mut rest = Vec::new();
    if is_cloud {
        rest.push("point-in-time recovery of the tables: gone by itself after 35 days at most".to_owned());
        rest.push("backups and exports that somebody made of the tables: delete those by hand".to_owned());
        rest.push("messages on queues hold ids only, and are gone after 14 days at most".to_owned());
    } else {
        rest.push("copies that somebody made of data_dir: delete those by hand".to_owned());
        rest.push(
            "the settings file: remove its [[connection]], or the next start knows it again".to_owned(),
        );
    }
    rest.push("logs hold ids and no personal data; they expire by their own retention".to_owned());
    rest.push("the store and the warehouse have their own copies".to_owned());
    let settings = connection.iter().flat_map(|known| known.store.values().chain(known.warehouse.values()));
    let mut secrets: Vec<String> = settings.filter_map(|value| secret(value)).collect();
    secrets.sort();
    secrets.dedup();
    rest.extend(secrets);
    rest
}

/// How the secret goes that a setting names.
fn secret(value: &str) -> Option<String> {
    let (source, name) = value.trim().strip_prefix('@')?.split_once(':')?;
    match source {
        "secret" => {
            let name = name.split('#').next().unwrap_or(name);
            Some(format!("a secret: aws secretsmanager delete-secret --secret-id {name}"))
        }
        "file" => Some(format!("a secret: remove the file {name}")),
        "env" => Some(format!("a secret: the environment variable {name}")),
        _ => None,
    }
}

/// Why the body of an order cannot be removed now.
#[must_use]
pub fn still_needed(record: &Record) -> Option<&'static str> {
    match record.stage {
        Stage::Accepted
        | Stage::PartlyShipped
        | Stage::Shipped
        | Stage::Posted
        | Stage::Cancelled
        | Stage::Excluded(_) => None,
        _ => Some(
            "it is still to be sent and cannot be without an address; cancel it in the store first, or wait until the \
             warehouse has it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use domain::record::Wait;

    #[test]
    fn each_secret_is_named_once_with_the_command_that_deletes_it() {
        let mut connection = fake::connection("main");
        connection.store.insert("api_key".to_owned(), "@secret:cartdock/prod/main#store".to_owned());
        connection.warehouse.insert("auth.key".to_owned(), "@secret:cartdock/prod/main#wms".to_owned());
        let rest = elsewhere(Some(&connection), true);
        let secrets: Vec<&String> = rest.iter().filter(|line| line.contains("a secret")).collect();
        assert_eq!(secrets, ["a secret: aws secretsmanager delete-secret --secret-id cartdock/prod/main"]);
        assert!(rest.iter().any(|line| line.contains("35 days")));
    }

    #[test]
    fn only_an_order_that_is_still_to_be_sent_needs_its_body() {
        for (stage, is_needed) in [
            (Stage::Ready { not_before: None }, true),
            (Stage::Waiting(Wait::CoolingOff), true),
            (Stage::Accepted, false),
            (Stage::Posted, false),
        ] {
            assert_eq!(still_needed(&fake::record(7, stage.clone(), 0)).is_some(), is_needed, "{stage:?}");
        }
    }
}
