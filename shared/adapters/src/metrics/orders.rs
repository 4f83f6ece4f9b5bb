//! What becomes of orders and packages, counted where the ledger is written: nothing that happens is counted twice, and
//! nothing is counted that was not written.

use domain::record::{Record, Stage};
use domain::shipment::{Package, Post};

use super::Metrics;

impl Metrics {
    /// An order has come into the ledger.
    pub(crate) fn imported(&self, record: &Record) {
        self.count("OrdersImported", None, 1);
        self.stands(record);
    }

    /// An order's record has been replaced.
    pub(crate) fn changed(&self, before: &Record, after: &Record) {
        if before.stage.word() != after.stage.word() || is_held_otherwise(before, after) {
            self.stands(after);
        }
        let is_sent = |record: &Record| record.stage.is_sent();
        if is_sent(after) && !is_sent(before) {
            self.count("OrdersSent", None, 1);
            self.took("SendLatency", None, after.imported_at, after.since);
        }
        for package in &after.packages {
            let earlier = before.packages.iter().find(|earlier| earlier.id == package.id);
            self.package(package, earlier.map(|earlier| &earlier.post));
        }
    }

    fn stands(&self, record: &Record) {
        match &record.stage {
            Stage::Held(cause) => {
                // In all for the alarm, by cause for the dashboard: an alarm can add up ten causes at most.
                self.count("OrdersHeld", None, 1);
                self.count("OrdersHeld", Some(("Cause", cause.word())), 1);
            }
            Stage::InDoubt { .. } => self.count("OrdersInDoubt", None, 1),
            Stage::Cancelled => self.count("OrdersCancelled", None, 1),
            _ => {}
        }
    }

    fn package(&self, package: &Package, before: Option<&Post>) {
        if before == Some(&package.post) {
            return;
        }
        match package.post {
            Post::Posted => {
                self.count("PackagesPosted", None, 1);
                self.took("PostLatency", None, package.shipped_at, self.now());
            }
            Post::Outbox { .. } => self.count("PackagesInOutbox", None, 1),
            _ => {}
        }
    }
}

fn is_held_otherwise(before: &Record, after: &Record) -> bool {
    match (&before.stage, &after.stage) {
        (Stage::Held(before), Stage::Held(after)) => before.word() != after.word(),
        _ => false,
    }
}
