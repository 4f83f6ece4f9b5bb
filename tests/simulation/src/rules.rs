//! The invariants that hold after every step. Each write that lands in the ledger is held against them at once, and only
//! what it touches.
//!
//! Checked here: I4 (causes, and news of packages in sequence), I5 (the cursor), I6 (somebody will look), I7 (connections)
//! and I10 (personal data). I2 is checked where the warehouse takes an order ([`crate::wms`]), I3 where the store is
//! written to ([`crate::cart`]), the rest when all has come to rest ([`crate::judge`]).

use std::sync::Arc;

use domain::fulfillment::{order_of, reference};
use domain::ports::Due;
use domain::record::{Cause, Record, Stage};
use domain::shipment::{Package, Post};
use domain::{ConnectionId, OrderId};
use jiff::Timestamp;
use testkit::model::{Books, ModelLedger};

use crate::coverage::{Fault, Sometimes};
use crate::desk::Told;
use crate::executor::{BEGINNING, Process};
use crate::people::People;
use crate::scene::CANARY;
use crate::site::Site;
use crate::watch::Watch;
use crate::wms::{Class, LAG};

/// So many orders before the cursor are looked for in the ledger each time it moves.
const LOOKED_BACK: usize = 200;

/// The rules of one history.
#[derive(Clone)]
pub(crate) struct Rules {
    /// Who is told.
    pub(crate) watch: Watch,
    /// The truth outside; none where a scenario judges itself at its end.
    pub(crate) sites: Arc<Vec<Site>>,
    /// The people at work.
    pub(crate) people: People,
}

impl Rules {
    fn site(&self, connection: &ConnectionId) -> Option<&Site> {
        self.sites.iter().find(|site| site.connection.id == *connection)
    }

    /// A record came into the ledger.
    pub(crate) fn inserted(&self, model: &ModelLedger, record: &Record) {
        if self.sites.is_empty() {
            return;
        }
        if self
            .site(&record.key.connection)
            .is_none_or(|site| !site.cart.truth().orders.contains_key(&record.key.order))
        {
            self.watch.wrong(format!("I4/I7 imported without cause: {} is not in its store", record.key));
        }
        self.covered(model, record);
        self.no_canary(record);
    }

    /// A record was replaced.
    pub(crate) fn saved(&self, model: &ModelLedger, writer: Process, before: &Record, after: &Record) {
        if self.sites.is_empty() {
            return;
        }
        self.covered(model, after);
        self.no_canary(after);
        self.packages_go_on(before, after);
        self.acceptance_has_a_cause(before, after);
        self.sending_has_a_cause(before, after);
        self.refusal_has_a_cause(before, after);
        self.good_things(before, after);
        self.posts(writer, before, after);
        self.people.saved(writer, before, after, &self.watch);
    }

    /// I6: an unfinished order has a date on which somebody looks again, and a reason for people.
    fn covered(&self, model: &ModelLedger, record: &Record) {
        if record.is_finished() {
            return;
        }
        let order = record.key.order;
        let dated = model.with(&record.key.connection, |books| has_date(books, order));
        if !dated {
            self.watch.wrong(format!("I6 silent: {} is {} and has no date", record.key, record.stage.word()));
        }
        if record.story.last().is_none_or(|entry| entry.what.trim().is_empty()) {
            self.watch.wrong(format!("I6 silent: {} has no reason", record.key));
        }
    }

    /// I6: who takes a date off has given its unfinished orders another one.
    pub(crate) fn settled(&self, model: &ModelLedger, connection: &ConnectionId, due: &Due) {
        if self.sites.is_empty() {
            return;
        }
        model.with(connection, |books| {
            for order in &due.orders {
                let open = books.records.get(order).is_some_and(|record| !record.is_finished());
                if open && !has_date(books, *order) {
                    self.watch
                        .wrong(format!("I6 silent: the last date of {connection}/{order} was taken off"));
                }
            }
        });
    }

    /// I5: what the cursor has passed is in the ledger.
    pub(crate) fn cursor_moved(&self, model: &ModelLedger, connection: &ConnectionId) {
        let Some(site) = self.site(connection) else { return };
        let overlap = i64::from(site.connection.schedule.overlap_minutes) * 60_000;
        let truth = site.cart.truth();
        model.with(connection, |books| {
            for order in books.cursor.seen.iter().filter(|order| !books.records.contains_key(order)) {
                self.watch.wrong(format!("I5 the cursor has seen {connection}/{order}, the ledger has not"));
            }
            let Some(position) = books.cursor.position else { return };
            let Ok(passed) = Timestamp::from_millisecond(position.as_millisecond() - overlap) else { return };
            let before = truth.by_date.range(..(passed, OrderId(0))).rev().take(LOOKED_BACK);
            for (at, order) in before {
                let listed =
                    truth.orders.get(order).is_some_and(|sold| !sold.vanished && sold.unlisted_until == 0);
                if listed && !books.records.contains_key(order) {
                    let at = at.as_millisecond() - BEGINNING * 1000;
                    self.watch.wrong(format!("I5 the cursor has passed {connection}/{order} of {at} ms"));
                }
            }
        });
    }

    /// I10: nothing personal in what is written often and read by people. The whole record is looked through at rest.
    fn no_canary(&self, record: &Record) {
        let told = record.story.last().is_some_and(|entry| entry.what.contains(CANARY));
        let held = matches!(&record.stage, Stage::Held(cause) if cause.to_string().contains(CANARY));
        if told || held {
            self.watch.wrong(format!("I10 personal data in the record of {}", record.key));
        }
    }

    /// I4: no package is forgotten, what is posted stays posted, and what was taken back stays so.
    fn packages_go_on(&self, before: &Record, after: &Record) {
        let wrong = |package: &Package, what: &str| {
            self.watch.wrong(format!("I4 package {} of {} {what}", package.id, after.key));
        };
        for was in &before.packages {
            let Some(is) = after.packages.iter().find(|is| is.id == was.id) else {
                wrong(was, "was forgotten");
                continue;
            };
            let same_number = is.number() == was.number();
            if was.post == Post::Posted && is.post != Post::Posted && same_number {
                wrong(was, "was posted and is not any more");
            }
            if was.voided && !is.voided && same_number {
                wrong(was, "was taken back and is not any more");
            }
            if was.voided && matches!(is.post, Post::Claimed { .. }) && was.post != is.post {
                wrong(was, "is posted though it was taken back");
            }
        }
    }

    /// I4: nothing is called accepted that the warehouse did not take, and no package left that did not.
    fn acceptance_has_a_cause(&self, before: &Record, after: &Record) {
        let Some(site) = self.site(&after.key.connection) else { return };
        let Ok(reference) = reference(&after.key, after.revision, 40) else { return };
        if let Some(id) = after.warehouse_order.as_ref().filter(|_| before.warehouse_order.is_none())
            && !site.wms.has_taken(&reference, id)
        {
            self.watch.wrong(format!("I4/I7 {} is accepted as {id}, which is not there", after.key));
        }
        if after.packages.len() > before.packages.len() {
            let truth = site.wms.truth();
            let left = |package: &Package| {
                truth.shipped.iter().rev().any(|n| n.package == package.id && n.reference == reference)
            };
            for package in after.packages.iter().filter(|package| !left(package)) {
                self.watch
                    .wrong(format!("I4/I7 {} has package {}, which did not leave", after.key, package.id));
            }
        }
    }

    /// I4: nothing is sent that was never paid, and that no person has let go.
    fn sending_has_a_cause(&self, before: &Record, after: &Record) {
        let begins = matches!(after.stage, Stage::Sending(_)) && !matches!(before.stage, Stage::Sending(_));
        let Some(site) = self.site(&after.key.connection).filter(|_| begins) else { return };
        if self.people.let_go(&after.key) {
            return;
        }
        if site.cart.truth().orders.get(&after.key.order).is_none_or(|sold| !sold.ever_paid) {
            self.watch.wrong(format!("I4 {} is sent and was never paid", after.key));
        }
    }

    /// I4: nothing is called refused that the warehouse has.
    fn refusal_has_a_cause(&self, before: &Record, after: &Record) {
        let is_called = matches!(after.stage, Stage::Held(Cause::Refused(_))) && before.stage != after.stage;
        let Some(site) = self.site(&after.key.connection).filter(|_| is_called) else { return };
        let Ok(reference) = reference(&after.key, after.revision, 40) else { return };
        if site.wms.truth().known(&reference, site.wms.time.millis()).any(|order| !order.cancelled) {
            self.watch.wrong(format!("I4 {} is called refused, and the warehouse has it", after.key));
        }
    }

    /// I6: what a webhook said that was answered with 200 is in the ledger, or parked where people see it.
    pub(crate) fn answered(&self, model: &ModelLedger, site: usize, body: &[u8]) {
        let Some(site) = self.sites.get(site) else { return };
        let (reference, package) = match Told::read(body) {
            Some(Told::Package(place)) => match site.wms.truth().shipped.get(place) {
                Some(notice) => (notice.reference.clone(), Some(notice.package.clone())),
                None => return,
            },
            Some(Told::Stranger(reference)) => (reference, None),
            Some(Told::Changed(_)) | None => return,
        };
        let id = &site.connection.id;
        let is_kept = model.with(id, |books| {
            let record = order_of(&reference, id).and_then(|order| books.records.get(&order));
            let has =
                |record: &Record| record.packages.iter().any(|known| Some(&known.id) == package.as_ref());
            let is_parked = || books.parked.keys().any(|parked| parked.starts_with(reference.as_str()));
            record.is_some_and(has) || is_parked()
        });
        if !is_kept {
            self.watch
                .wrong(format!("I6 silent: a notice for {reference} was answered with 200 and is nowhere"));
        }
    }

    fn good_things(&self, before: &Record, after: &Record) {
        use Stage::{Accepted, Held, InDoubt, Ready, Sending};
        let what = after.story.last().map_or("", |entry| entry.what.as_str());
        let seen = match (&before.stage, &after.stage) {
            (Sending(_), InDoubt { .. }) if what.contains("an attempt ended") => Some(Sometimes::Takeover),
            (Sending(claim), InDoubt { ask_at }) => {
                let lag = i64::try_from(LAG.as_millis()).unwrap_or(0);
                let put_off = ask_at.as_millisecond() - claim.until.as_millisecond() >= lag;
                let lags = self.site(&after.key.connection).is_some_and(|site| site.wms.class == Class::D);
                if lags && self.is_hidden(after) {
                    self.watch.fault(Fault::LateLookup);
                }
                (put_off && lags).then_some(Sometimes::LookupPutOff)
            }
            (Sending(_), Ready { .. }) if what.contains("held up") => Some(Sometimes::HeldUp),
            (Sending(_) | InDoubt { .. }, _) if after.packages.len() > before.packages.len() => {
                Some(Sometimes::NoticeProved)
            }
            (InDoubt { .. }, Accepted) if what.contains("found there") => Some(Sometimes::FoundThere),
            (InDoubt { .. }, Ready { .. } | Sending(_)) => Some(Sometimes::SentAgain),
            (InDoubt { .. }, Held(Cause::InDoubt)) => Some(Sometimes::GaveUp),
            (Held(Cause::Unmapped(_)), Ready { .. }) => Some(Sometimes::Cured),
            (_, Held(Cause::ChangedAfterSending)) => Some(Sometimes::ChangeSeen),
            (Accepted, _) if after.revision > before.revision => Some(Sometimes::Replaced),
            _ => None,
        };
        seen.into_iter().for_each(|seen| self.watch.sometimes(seen));
    }

    /// Is it at the warehouse, and would a look-up not show it yet?
    fn is_hidden(&self, record: &Record) -> bool {
        let Some(site) = self.site(&record.key.connection) else { return false };
        let Ok(reference) = reference(&record.key, record.revision, 40) else { return false };
        let now = site.wms.time.millis();
        let lag = u64::try_from(LAG.as_millis()).unwrap_or(0);
        site.wms.truth().known(&reference, now).any(|order| order.at + lag > now)
    }

    fn posts(&self, writer: Process, before: &Record, after: &Record) {
        for (was, is) in before.packages.iter().zip(&after.packages) {
            match (&was.post, &is.post) {
                (Post::Claimed { token: one, .. }, Post::Claimed { token: other, .. }) if one != other => {
                    self.watch.sometimes(Sometimes::PostTakeover);
                }
                (Post::Claimed { .. }, Post::Posted) if self.posted_by(after, is) != Some(writer) => {
                    self.watch.sometimes(Sometimes::PostFound);
                }
                _ => {}
            }
        }
    }

    fn posted_by(&self, record: &Record, package: &Package) -> Option<Process> {
        let truth = self.site(&record.key.connection)?.cart.truth();
        truth.orders.get(&record.key.order)?.writers.get(package.number()?.as_str()).copied()
    }
}

fn has_date(books: &Books, order: OrderId) -> bool {
    books.dates.values().any(|orders| orders.contains(&order))
}

/// I10 at rest: the whole of everything that is not the body of an order.
pub(crate) fn canaries(watch: &Watch, model: &ModelLedger, site: &Site) {
    model.with(&site.connection.id, |books| {
        for record in books.records.values() {
            let text = serde_json::to_string(record).unwrap_or_default();
            if text.contains(CANARY) {
                watch.wrong(format!("I10 personal data in the record of {}", record.key));
            }
        }
        for (id, (parked, _)) in &books.parked {
            if id.contains(CANARY) || format!("{parked:?}").contains(CANARY) {
                watch.wrong(format!("I10 personal data in the parked notice {id}"));
            }
        }
    });
}
