//! How a history ends: the hostile time, and then peace, until nothing is left to do.

use std::collections::BTreeSet;

use testkit::model::Books;

use super::Play;
use crate::coverage::Sometimes;
use crate::executor::BEGINNING;
use crate::history::Work;
use crate::scene::MINUTE;
use crate::site::Site;
use crate::wms::Wms;

/// How long it may take to come to rest: what waits for a person is looked at once a day, and may need two looks.
const PEACE: u64 = 64 * 60 * MINUTE;

/// So long after the last trouble everything that is due has been looked at.
const PATIENCE: u64 = 15 * MINUTE;

/// How long after a date the next sweep may come.
const SWEEP_EVERY: u64 = 5 * MINUTE;

/// Everything on which depends what a poll of a store finds: how much has happened in the
/// stores; the time while two versions
/// run, or an order is not listed; of each store, the version of its cursor, and the time while somebody holds the right
/// to import.
pub(super) type InSight = (u64, Option<u64>, Vec<(u64, Option<u64>)>);

impl Play {
    pub(super) fn be_hostile(&mut self) {
        while self.now() < self.scene.hostile {
            self.happen();
            let next = self.agenda.next().unwrap_or(u64::MAX).min(self.scene.hostile);
            self.let_run(next);
        }
    }

    /// Nothing fails any more. Rounds follow each other until one changes nothing; then nothing can happen before the
    /// next date, and the time jumps to it. The last round, long after everything, must find nothing to do.
    pub(super) fn make_peace(&mut self) {
        self.hostile = false;
        self.world.net.calm_down();
        let calm = self.now();
        for site in self.world.sites.iter() {
            site.wms.truth().away = false;
            site.cart.truth().down_until = 0;
        }
        let end = calm + PEACE;
        while self.now() < end {
            let at_rest = self.round();
            self.check_patience(calm);
            let next = self.next_date().map_or(end, |next| next + SWEEP_EVERY).min(end);
            if at_rest && next > self.now() {
                self.let_run(next);
            }
        }
        self.in_sight = None;
        if self.next_date().is_none_or(|next| next > self.now()) && !self.round() {
            self.watch.wrong("I1 not at rest: something was left to do, and nothing said when");
        }
    }

    /// One round of everything that is scheduled. True: it changed nothing, and nothing is under way. Where the last polls
    /// of the stores found nothing and nothing has happened there since, they would only find nothing again, and are
    /// left out; so is the poll of a feed that has been read to its end, and a sweep for which nothing is due.
    pub(super) fn round(&mut self) -> bool {
        let (before, turned_away) = (self.world.net.changes(), self.turned_away());
        let (in_sight, untold) = (self.in_sight(), self.untold());
        let (polls, all) = (self.in_sight.as_ref() != Some(&in_sight), self.in_sight.is_none());
        for site in 0..self.world.sites.len() {
            if polls {
                self.start(Work::PollOrders(site));
            }
            if all || self.has_untold(site) {
                self.start(Work::PollShipments(site));
            }
            if all || self.first_date(site).is_some_and(|first| first <= self.now()) {
                self.start(Work::Sweep(site));
            }
        }
        let until = self.now() + MINUTE + 10_000;
        while self.now() < until {
            self.happen();
            let next = self.agenda.next().unwrap_or(u64::MAX).min(until);
            self.let_run(next);
        }
        let found_out = turned_away == self.turned_away();
        let same = found_out && in_sight == self.in_sight() && untold == self.untold();
        // Who was turned away by another poll has found nothing out.
        self.in_sight = Some(if found_out { in_sight } else { (u64::MAX, None, Vec::new()) });
        same && self.world.net.changes() == before && self.is_quiet()
    }

    /// How often a poll has left the import to somebody else.
    fn turned_away(&self) -> u64 {
        self.watch.times(Sometimes::LeaseBusy)
    }

    pub(super) fn in_sight(&self) -> InSight {
        let now = self.now();
        let read = |books: &mut Books| {
            let leased = books.lease.filter(|lease| in_world(lease.until) > now).map(|_| now);
            (books.cursor.version, leased)
        };
        let sites = self.world.sites.iter();
        let changing = self.deploy_ends().or(self.listed_again()).map(|_| now);
        (
            self.happened,
            changing,
            sites.map(|site| self.world.model.with(&site.connection.id, read)).collect(),
        )
    }

    /// The sites whose warehouse has told of parcels that nobody has read of in its feed.
    fn untold(&self) -> Vec<usize> {
        (0..self.world.sites.len()).filter(|site| self.has_untold(*site)).collect()
    }

    pub(super) fn has_untold(&self, site: usize) -> bool {
        let there = &self.world.sites[site];
        let bookmark = self.world.model.with(&there.connection.id, |books| books.bookmark.clone());
        there.wms.has_feed && Wms::place(bookmark.as_deref()) < there.wms.truth().shipped.len()
    }

    /// I6: a quarter of an hour after the last trouble, every order of the stores is in the ledger, and no date is left
    /// at which nobody has looked.
    pub(super) fn check_patience(&mut self, calm: u64) {
        let now = self.now();
        if now < calm + PATIENCE + MINUTE {
            return;
        }
        for (place, site) in self.world.sites.iter().enumerate() {
            let id = &site.connection.id;
            let (known, first): (BTreeSet<_>, _) = self.world.model.with(id, |books| {
                (books.records.keys().copied().collect(), books.dates.keys().next().copied())
            });
            // Who thaws only now may put a date into the past: the next sweep takes it off.
            let first = first.map(in_world).filter(|first| first + PATIENCE < now);
            let before = match first {
                Some(first) => self.overdue.insert(place, first),
                None => self.overdue.remove(&place),
            };
            if let Some(first) = first.filter(|_| before == first) {
                self.watch.wrong(format!("I6 nobody has looked at what was due at {first} ms of {id}"));
            }
            let truth = site.cart.truth();
            let missing = truth.orders.values().filter(|sold| !known.contains(&sold.order.id));
            for sold in missing.filter(|sold| !sold.ever_vanished && sold.unlisted_until == 0) {
                let placed = sold.order.ordered_at.map_or(0, in_world);
                if placed + PATIENCE < now {
                    self.watch.wrong(format!("I6 {id}/{} is not in the ledger after so long", sold.order.id));
                }
            }
        }
    }

    /// Is nothing under way: no process, no effect that is still to land, no message?
    pub(super) fn is_quiet(&self) -> bool {
        self.executor.is_idle() && self.world.queues().iter().all(|queue| queue.is_empty())
    }

    /// When the deploy is over, if it is not yet: the version before it may not be able to read what the other wrote.
    pub(super) fn deploy_ends(&self) -> Option<u64> {
        self.scene.deploy.map(|deploy| deploy.ends).filter(|ends| *ends > self.now())
    }

    /// When a store next lists an order that had slipped through between two of its pages, if there is one.
    fn listed_again(&self) -> Option<u64> {
        let (now, sites) = (self.now(), self.world.sites.iter());
        let next = |site: &Site| {
            let truth = site.cart.truth();
            truth.orders.values().map(|sold| sold.unlisted_until).filter(|until| *until > now).min()
        };
        sites.filter_map(next).min()
    }

    /// The first date of a connection on which somebody is to look.
    pub(super) fn first_date(&self, site: usize) -> Option<u64> {
        let first = |books: &mut Books| books.dates.keys().next().copied();
        self.world.model.with(&self.world.sites[site].connection.id, first).map(in_world)
    }

    /// The next moment at which something is to happen, when nothing is under way and there is peace.
    pub(super) fn next_date(&self) -> Option<u64> {
        let dates = (0..self.world.sites.len()).filter_map(|site| self.first_date(site));
        let outside = self.deploy_ends().into_iter().chain(self.listed_again());
        dates.chain(outside).chain(self.agenda.next()).chain(self.next_of_the_outside()).min()
    }
}

/// An instant in the world's milliseconds, rounded up.
fn in_world(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_millisecond().saturating_sub(BEGINNING * 1000).saturating_add(1)).unwrap_or(0)
}
