//! What people do in a history: somebody looks at an order, and where it asks for it into the warehouse, and types a command.

use domain::fulfillment::reference;
use domain::record::{Cause, Record, Stage};
use operations::act::{Action, Resolution};

use super::{GHOST, Play};
use crate::history::Work;
use crate::scene::{Event, MINUTE};

impl Play {
    /// Somebody picks an order that nobody else is busy with, and does something about it. It need not be clever.
    pub(super) fn person(&mut self, site: usize) {
        let id = &self.world.sites[site].connection.id;
        let records: Vec<Record> =
            self.world.model.with(id, |books| books.records.values().cloned().collect());
        // Busy: a command is running, or what it wrote may still land.
        let is_busy =
            |(command, begun): (_, u64)| self.executor.is_alive(command) || begun + GHOST > self.now();
        let is_free = |record: &Record| !self.world.people.about(&record.key).into_iter().any(is_busy);
        let mut free: Vec<Record> = records.into_iter().filter(is_free).collect();
        if free.iter().any(asks_for_a_look) && self.dice.per_mille(700) {
            free.retain(asks_for_a_look);
        }
        if free.is_empty() {
            return;
        }
        let record = &free[self.dice.below(free.len() as u64) as usize];
        let action = self.wish(site, record);
        let cancels = matches!(action, Action::Cancel | Action::Resolve(Resolution::Cancelled));
        // Whoever keeps something back comes to think of it again, perhaps when all its dates have passed.
        if matches!(action, Action::Hold | Action::Exclude) && self.dice.per_mille(500) {
            let (least, most) = if self.dice.per_mille(250) { (60, 1200) } else { (1, 60) };
            let again = self.now() + self.dice.between(least, most) * MINUTE;
            self.agenda.at(again, Event::Person(site));
        }
        let command = self.start(Work::Act(site, record.key.order, action));
        let now = self.now();
        self.world.people.begins(command, now, &record.key, cancels);
    }

    fn wish(&mut self, site: usize, record: &Record) -> Action {
        if asks_for_a_look(record) && self.dice.per_mille(800) {
            return Action::Resolve(self.look(site, record));
        }
        if record.is_by_person() && self.dice.per_mille(700) {
            return Action::Release;
        }
        let is_refused = matches!(record.stage, Stage::Held(Cause::Refused(_)));
        if is_refused && self.dice.per_mille(300) {
            return Action::Resolve(Resolution::Anew);
        }
        match self.dice.below(6) {
            0 | 1 => Action::Release,
            2 => Action::Hold,
            3 => Action::Exclude,
            4 => Action::Cancel,
            _ => Action::Replay,
        }
    }

    /// What is true of the warehouse once the person has looked there; an order that is not to stay is taken back by hand.
    fn look(&mut self, site: usize, record: &Record) -> Resolution {
        let choice = self.dice.below(3);
        let Ok(reference) = reference(&record.key, record.revision, 40) else { return Resolution::NotThere };
        let mut truth = self.world.sites[site].wms.truth();
        let now = self.world.time.millis();
        let mut there =
            truth.orders.iter_mut().filter(|order| order.reference == reference && order.is_known(now));
        match there.next() {
            None if choice < 2 => Resolution::NotThere,
            None => Resolution::Anew,
            Some(order) if order.shipped || (choice == 0 && !order.cancelled) => {
                Resolution::There(Some(order.id.clone()))
            }
            Some(order) => {
                order.by_hand |= !order.cancelled;
                order.cancelled = true;
                if choice == 1 { Resolution::Cancelled } else { Resolution::Anew }
            }
        }
    }
}

/// Is it held because only a look into the warehouse can settle it?
fn asks_for_a_look(record: &Record) -> bool {
    matches!(record.stage, Stage::Held(_)) && record.may_be_there()
}
