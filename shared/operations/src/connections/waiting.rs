//! What waits while a connection is paused, and what resuming it sets going.

use domain::Failure;
use domain::connection::Connection;
use domain::ports::{Ledger, Partners};
use jiff::Timestamp;
use serde::Serialize;

use super::listing;
use crate::status::books;
use crate::text::{Style, count, pairs};

/// Pages of the store's list that are asked for at most: it is to be cheap.
const PAGES: usize = 5;

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The connection.
    pub connection: String,
    /// Orders that are on their way to the warehouse: ready, being sent, in doubt.
    pub to_send: u64,
    /// Orders that wait for a payment or the end of their delay.
    pub later: u64,
    /// Packages whose tracking is to be posted.
    pub to_post: u64,
    /// Orders of the store that the ledger does not have yet; none when it was not asked or does not answer.
    pub new: Option<u64>,
    /// Are there more of those than were counted?
    pub more: bool,
    /// Why the store did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
}

/// Counts what waits in the ledger.
///
/// # Errors
/// Those of the ledger.
pub async fn waiting(ledger: &dyn Ledger, connection: &Connection) -> Result<Waiting, Failure> {
    let books = books(ledger, connection).await?;
    Ok(Waiting {
        connection: connection.id.to_string(),
        to_send: sum(&books.on_the_way),
        later: sum(&books.waiting),
        to_post: books.packages.due,
        new: None,
        more: false,
        unknown: None,
    })
}

/// The same, with what the store has meanwhile. A store that does not answer keeps nobody from resuming.
///
/// # Errors
/// Those of the ledger.
pub async fn waiting_and_new(
    partners: &dyn Partners,
    ledger: &dyn Ledger,
    connection: &Connection,
    now: Timestamp,
) -> Result<Waiting, Failure> {
    let waiting = waiting(ledger, connection).await?;
    let asked = async {
        let store = partners.store(connection).await?;
        let listing = listing::list(store.orders.as_ref(), ledger, connection, now, PAGES).await?;
        let unknown = listing::unknown(ledger, &connection.id, &listing.orders).await?;
        Ok::<_, Failure>((unknown.len() as u64, listing.more))
    };
    Ok(match asked.await {
        Ok((new, more)) => Waiting { new: Some(new), more, ..waiting },
        Err(failure) => Waiting { unknown: Some(failure.to_string()), ..waiting },
    })
}

fn sum(counts: &std::collections::BTreeMap<&'static str, u64>) -> u64 {
    counts.values().sum()
}

impl Waiting {
    /// What waits, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let orders = |number| count(number, "order", "orders");
        let mut rows = vec![
            ("to be sent", orders(self.to_send)),
            ("sent later", format!("{} (unpaid, or inside the delay)", orders(self.later))),
            ("to be posted", format!("tracking of {}", count(self.to_post, "package", "packages"))),
        ];
        match (&self.new, &self.unknown) {
            (Some(new), _) => {
                let least = if self.more { "at least " } else { "" };
                rows.push(("in the store", format!("{least}{} that the ledger does not have", orders(*new))));
            }
            (None, Some(why)) => rows.push(("in the store", format!("cannot be found out now: {why}"))),
            (None, None) => {}
        }
        pairs(&rows, style)
    }
}
