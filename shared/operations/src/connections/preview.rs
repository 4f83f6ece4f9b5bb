//! What enabling a connection would do: its orders read in the store and decided by the same rules, and nothing written.

use domain::admission::{Admission, look_again};
use domain::connection::Connection;
use domain::intake::{admit, body_of, judge};
use domain::life::Stamp;
use domain::mapping::{Mapped, Mapping};
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::{Ledger, Mappings, Partners, Read, Store};
use domain::record::{Cause, Exclusion, Record};
use domain::{Failure, OrderId, OrderKey, Token};
use jiff::Timestamp;
use serde::Serialize;

use super::listing::{self, Listing};
use crate::status::{Books, HeldGroup, HeldGroups, held_text};
use crate::text::{Style, count, instant, pairs};

/// Pages of the store's list that are asked for at most: ten thousand orders.
const PAGES: usize = 100;

/// After so many failed reads in a row the store is down; before that, it is the order that is broken. As when it is polled.
const STORE_IS_DOWN: usize = 3;

/// What would become of the orders that the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The connection.
    pub connection: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// The order date from which on the store was asked (start date or cursor, less the overlap); none for all of history.
    pub from: Option<Timestamp>,
    /// How many orders it lists.
    pub listed: u64,
    /// Does it list more than were asked for?
    pub more: bool,
    /// How many of them are in the ledger already.
    pub known: u64,
    /// How many of the others were read for this: the oldest.
    pub read: u64,
    /// How many of the others were not.
    pub unread: u64,
    /// What would become of those that were read.
    pub books: Books,
    /// What would be held, by cause, and the cure.
    pub held: Vec<HeldGroup>,
    /// About how many of those that would be sent the warehouse is asked first, because an earlier ledger may have sent them.
    pub asked_first: u64,
}

/// Who looks.
pub struct Look<'a> {
    /// Opens the two sides.
    pub partners: &'a dyn Partners,
    /// The truth so far.
    pub ledger: &'a dyn Ledger,
    /// Shop words to warehouse words.
    pub mappings: &'a dyn Mappings,
    /// The instant now.
    pub now: Timestamp,
    /// How many orders are read at most.
    pub limit: usize,
    /// Told how many of how many orders have been read.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl Look<'_> {
    /// Looks at what enabling this connection would do.
    ///
    /// # Errors
    /// Those of the store and of the ledger. An order that alone cannot be read is held, as when it is imported.
    pub async fn preview(&self, connection: &Connection) -> Result<Preview, Failure> {
        let store = self.partners.store(connection).await?;
        let listing = listing::list(store.orders.as_ref(), self.ledger, connection, self.now, PAGES).await?;
        let unknown = listing::unknown(self.ledger, &connection.id, &listing.orders).await?;
        let mapping = self.mappings.current(&connection.id).await?;
        let enabled = Connection { enabled: true, ..connection.clone() };
        let (mut books, mut held, mut asked_first) = (Books::default(), HeldGroups::default(), 0);
        let chosen = &unknown[..unknown.len().min(self.limit)];
        let mut failing = 0;
        for (read, order) in chosen.iter().enumerate() {
            let document = read_one(&store, *order, &mut failing).await?;
            let (record, is_asked) = self.imagine(&enabled, &mapping, *order, &document);
            asked_first += u64::from(is_asked);
            books.count(&record);
            held.count(&record);
            (self.progress)(read + 1, chosen.len());
        }
        let told = told(connection, &listing, &unknown, books);
        Ok(Preview { at: self.now, held: held.groups(), asked_first, ..told })
    }

    /// The order as it would stand in the ledger once it has been imported, asked about and mapped; and whether it is asked
    /// about before it is sent.
    fn imagine(
        &self,
        connection: &Connection,
        mapping: &Mapping,
        order: OrderId,
        read: &Read,
    ) -> (Record, bool) {
        let is_doubtful = matches!(admit(connection, read, self.now), Admission::AskFirst(_));
        let admission = match (judge(read, &connection.policies, self.now, self.now), body_of(read)) {
            (Admission::Ready, Some(body)) => mapped(mapping, body, &connection.policies, self.now),
            (other, _) => other,
        };
        let stamp = Stamp { by: "preview", at: self.now, token: Token(0) };
        let key = OrderKey::new(connection.id.clone(), order);
        let wake = admission.wake().unwrap_or(self.now);
        let record = Record::imported(key, &admission, body_of(read).map(Order::digest), wake, stamp);
        (record, is_doubtful && admission == Admission::Ready)
    }
}

/// Reads an order. One that alone cannot be read is one that is held.
async fn read_one(store: &Store, order: OrderId, failing: &mut usize) -> Result<Read, Failure> {
    match store.orders.read(&order.to_string()).await {
        Ok(read) => {
            *failing = 0;
            Ok(read)
        }
        Err(failure) if *failing + 1 >= STORE_IS_DOWN => Err(failure),
        Err(failure) => {
            *failing += 1;
            Ok(Read::Unreadable { order: Some(order), why: failure.to_string() })
        }
    }
}

/// What the mapping makes of an order that is ready.
fn mapped(mapping: &Mapping, order: &Order, policies: &Policies, now: Timestamp) -> Admission {
    match mapping.resolve(order, policies) {
        Ok(Mapped::Ship { .. }) => Admission::Ready,
        Ok(Mapped::NothingToShip) => Admission::Exclude(Exclusion::Digital),
        Err(gaps) => Admission::Hold(Cause::Unmapped(gaps), look_again(now, now, Policies::days(1))),
    }
}

fn told(connection: &Connection, listing: &Listing, unknown: &[OrderId], books: Books) -> Preview {
    let (listed, missing) = (listing.orders.len() as u64, unknown.len() as u64);
    Preview {
        connection: connection.id.to_string(),
        at: Timestamp::UNIX_EPOCH,
        from: listing.from,
        listed,
        more: listing.more,
        known: listed - missing,
        read: books.orders,
        unread: missing - books.orders,
        books,
        held: Vec::new(),
        asked_first: 0,
    }
}

impl Preview {
    /// Would something be held for a person?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many of the orders that were read would be on their way to the warehouse.
    #[must_use]
    pub fn to_send(&self) -> u64 {
        self.books.on_the_way.values().sum()
    }

    /// The preview for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut text = style.heading(&format!("{}: what enabling it would do", self.connection));
        text.push_str(&pairs(&self.rows(), style));
        if !self.held.is_empty() {
            text.push('\n');
            text.push_str(&style.heading("Would be held, by cause"));
            text.push_str(&held_text(&self.held, self.at, style));
        }
        text
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let from = self.from.map_or("the beginning".to_owned(), instant);
        let least = if self.more { "at least " } else { "" };
        let listed = count(self.listed, "order", "orders");
        let imported = self.listed - self.known;
        let mut rows = vec![
            ("store", format!("lists {least}{listed} from {from} on")),
            ("import", format!("{imported} of them; {} are in the ledger already", self.known)),
        ];
        if self.unread > 0 {
            let what = format!("the oldest {}, and not the other {} (--limit)", self.read, self.unread);
            rows.push(("read", what));
        }
        rows.push(("would be", self.books.line()));
        rows.extend(self.books.details());
        if self.asked_first > 0 {
            rows.push(("asked first", format!("{}: {ASKS_FIRST}", self.asked_first)));
        }
        rows
    }
}

const ASKS_FIRST: &str = "the ledger is new, so the warehouse is asked whether it has them; where it cannot be asked they are \
    held for a person. --new says that nothing was ever sent for this merchant";

#[cfg(test)]
mod tests;
