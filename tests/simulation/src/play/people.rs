//! What people do in a history: somebody looks at an order, and where it asks for it into the warehouse, and types a command.

use domain::fulfillment::reference;
use domain::ids::WarehouseOrderId;
use domain::record::{Record, Stage};
use operations::act::{Action, Resolution};

use super::Play;
use crate::history::Work;

impl Play {
    /// Somebody picks an order that nobody else is busy with, and does something about it. It need not be clever.
    pub(super) fn person(&mut self, site: usize) {
        let id = &self.world.sites[site].connection.id;
        let records: Vec<Record> =
            self.world.model.with(id, |books| books.records.values().cloned().collect());
        let is_free = |record: &Record| {
            !self.world.people.about(&record.key).into_iter().any(|other| self.executor.is_alive(other))
        };
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
        let command = self.start(Work::Act(site, record.key.order, action));
        self.world.people.begins(command, &record.key, cancels);
    }

    fn wish(&mut self, site: usize, record: &Record) -> Action {
        if asks_for_a_look(record) && self.dice.per_mille(800) {
            return Action::Resolve(self.look(site, record));
        }
        match self.dice.below(6) {
            0 | 1 => Action::Release,
            2 => Action::Hold,
            3 => Action::Exclude,
            4 => Action::Cancel,
            _ => Action::Replay,
        }
    }

    /// What is true of the warehouse once the person has looked there; an order that is not to stay is taken out by hand.
    fn look(&mut self, site: usize, record: &Record) -> Resolution {
        let (now, choice) = (self.now(), self.dice.below(3));
        match self.at_the_warehouse(site, record) {
            None if choice < 2 => Resolution::NotThere,
            None => Resolution::Anew,
            Some((id, true)) => Resolution::There(Some(id)),
            Some((id, false)) if choice == 0 => Resolution::There(Some(id)),
            Some((id, false)) => {
                let mut truth = self.world.sites[site].wms.truth();
                let order = truth.orders.iter_mut().find(|order| order.id == id);
                order.into_iter().for_each(|order| order.forgotten_at = now);
                if choice == 1 { Resolution::Cancelled } else { Resolution::Anew }
            }
        }
    }

    /// The order there, and whether something of it has left.
    fn at_the_warehouse(&self, site: usize, record: &Record) -> Option<(WarehouseOrderId, bool)> {
        let reference = reference(&record.key, record.revision, 40).ok()?;
        let truth = self.world.sites[site].wms.truth();
        let there = truth.known(&reference, self.now()).find(|order| !order.cancelled)?;
        Some((there.id.clone(), there.shipped))
    }
}

/// Is it held because only a look into the warehouse can settle it?
fn asks_for_a_look(record: &Record) -> bool {
    matches!(record.stage, Stage::Held(_)) && record.may_be_there()
}
