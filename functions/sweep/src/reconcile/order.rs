//! Compares one order: is it in the ledger, does the warehouse have what was sent, does the store show what has left?

use std::time::Duration;

use domain::fulfillment::reference;
use domain::intake::body_of;
use domain::life::later;
use domain::ports::Read;
use domain::reconciliation::{Difference, Expected, Reconciliation, Verdict, expected};
use domain::record::Record;
use domain::shipment::{Package, Post, ShipmentNotice};
use domain::warehouse::{Repeat, WarehouseOrder};
use domain::{Failure, OrderId, OrderKey, Reference};

use super::Sides;

/// An order younger than this, or than three polls, need not be in the ledger yet.
const YOUNG: Duration = Duration::from_secs(15 * 60);

impl Sides<'_> {
    /// An order that the store lists and the ledger does not have.
    pub(super) async fn unknown(
        &self,
        order: OrderId,
        counts: &mut Reconciliation,
    ) -> Result<Verdict, Failure> {
        let read = self.store.orders.read(&order.to_string()).await?;
        if read == Read::Absent {
            counts.store.gone += 1;
            return Ok(Verdict::default());
        }
        // A poll may have taken it in since the ledger was read.
        let key = OrderKey::new(self.connection.id.clone(), order);
        if self.use_case.ledger.load(&key, true).await?.is_some() || self.is_young(&read) {
            counts.store.not_yet += 1;
            return Ok(Verdict { on_its_way: true, ..Verdict::default() });
        }
        counts.store.missing += 1;
        if self.asked.fix {
            let now = self.use_case.clock.now();
            self.use_case.ledger.expect(&self.connection.id, now, &[order]).await?;
            let push = self.use_case.intake().take_in(self.connection, order, &read, now).await?;
            self.use_case.orders.send(push.as_slice()).await?;
        }
        Ok(Verdict { differences: vec![Difference::Missing], fixed: self.asked.fix, ..Verdict::default() })
    }

    fn is_young(&self, read: &Read) -> bool {
        let polls = u64::from(self.connection.schedule.orders_minutes) * 60 * 3;
        let young = YOUNG.max(Duration::from_secs(polls));
        let placed = body_of(read).and_then(|order| order.ordered_at);
        placed.is_some_and(|placed| later(placed, young) > self.use_case.clock.now())
    }

    /// An order that the ledger has.
    pub(super) async fn known(
        &self,
        record: &Record,
        counts: &mut Reconciliation,
    ) -> Result<Verdict, Failure> {
        counts.store.known += 1;
        let asks = self.asked.thorough || !record.is_finished();
        let mut verdict = Verdict { on_its_way: expected(record) == Expected::Either, ..Verdict::default() };
        let warehouse = if asks { self.at_warehouse(record).await? } else { Answer::NotAsked };
        let packages = if asks { self.packages(record).await? } else { Vec::new() };
        if !(warehouse.is_fine() && packages.is_empty()) && self.has_changed(record).await? {
            // Somebody was faster than our questions: neither side was wrong.
            counts.warehouse.on_the_way += 1;
            return Ok(Verdict { on_its_way: true, ..Verdict::default() });
        }
        counts.warehouse_says(&warehouse, expected(record));
        counts.posts(record, asks && self.shows, &packages);
        verdict.fixed = warehouse.is_fine() && self.write_down(&packages).await?;
        verdict.differences.extend(warehouse.difference());
        verdict.differences.extend(packages.into_iter().map(Unlike::difference));
        Ok(verdict)
    }

    async fn has_changed(&self, record: &Record) -> Result<bool, Failure> {
        let now = self.use_case.ledger.load(&record.key, true).await?;
        Ok(now.is_none_or(|now| now.version != record.version))
    }

    fn reference(&self, record: &Record) -> Result<Reference, Failure> {
        reference(&record.key, record.revision, self.warehouse.limits.reference)
            .map_err(|e| Failure::permanent("reconcile", e.to_string()))
    }

    /// Does the warehouse have it, and should it?
    async fn at_warehouse(&self, record: &Record) -> Result<Answer, Failure> {
        let Some(lookup) = self.warehouse.repeat.lookup() else { return Ok(Answer::NotAsked) };
        let wanted = expected(record);
        if wanted == Expected::Either || self.lags(record) {
            return Ok(Answer::Fine);
        }
        let found = lookup.find(&self.reference(record)?).await?;
        Ok(match (wanted, found) {
            (Expected::There, None) => Answer::Differs(Difference::NotAtWarehouse),
            (Expected::There, Some(WarehouseOrder { cancelled: true, .. })) => {
                Answer::Differs(Difference::CancelledAtWarehouse)
            }
            (Expected::NotThere, Some(WarehouseOrder { id, cancelled: false })) => {
                Answer::Differs(Difference::AtWarehouse(id))
            }
            _ => Answer::Fine,
        })
    }

    /// Does the warehouse perhaps not know yet what it was told?
    fn lags(&self, record: &Record) -> bool {
        let lag = match self.warehouse.repeat {
            Repeat::CanBeAsked { lag, .. } => lag,
            _ => Duration::ZERO,
        };
        later(record.since, lag) > self.use_case.clock.now()
    }

    /// Packages that the ledger does not know as the warehouse does, or that the store does not show although they
    /// count as posted.
    async fn packages(&self, record: &Record) -> Result<Vec<Unlike>, Failure> {
        if expected(record) != Expected::There {
            return Ok(Vec::new());
        }
        let mut unlike = Vec::new();
        let feed_tells = !self.asked.thorough && self.warehouse.notices.feed().is_some();
        if let Some(lookup) = self.warehouse.shipments.as_ref().filter(|_| !feed_tells) {
            let now = self.use_case.clock.now();
            for notice in lookup.shipments(&self.reference(record)?).await? {
                if !record.knows(&Package::from_notice(&notice, now)) {
                    unlike.push(Unlike::NotTold(Box::new(notice)));
                }
            }
        }
        let posted = |package: &&Package| package.post == Post::Posted && !package.voided;
        if self.shows && record.packages.iter().any(|package| posted(&package)) {
            let shown = self.store.tracking.shown(record.key.order).await?;
            for package in record.packages.iter().filter(posted) {
                let number = package.tracking.as_ref().map(|tracking| tracking.number.as_str());
                if number.is_some_and(|number| !shown.iter().any(|shown| shown.trim() == number)) {
                    unlike.push(Unlike::NotShown(package.clone()));
                }
            }
        }
        Ok(unlike)
    }

    /// Writes down what nobody told us of. Says whether that settles everything.
    async fn write_down(&self, packages: &[Unlike]) -> Result<bool, Failure> {
        if !self.asked.fix || packages.is_empty() {
            return Ok(false);
        }
        let mut all = true;
        for package in packages {
            match package {
                Unlike::NotTold(notice) => {
                    let post = self.use_case.intake().arrive(&self.connection.id, notice).await?;
                    self.use_case.shipments.send(post.as_slice()).await?;
                }
                Unlike::NotShown(_) => all = false,
            }
        }
        Ok(all)
    }
}

/// What the warehouse said about an order.
enum Answer {
    Fine,
    NotAsked,
    Differs(Difference),
}

impl Answer {
    fn is_fine(&self) -> bool {
        !matches!(self, Self::Differs(_))
    }

    fn difference(self) -> Option<Difference> {
        match self {
            Self::Differs(difference) => Some(difference),
            Self::Fine | Self::NotAsked => None,
        }
    }
}

/// A package on which two sides do not agree.
enum Unlike {
    NotTold(Box<ShipmentNotice>),
    NotShown(Package),
}

impl Unlike {
    fn difference(self) -> Difference {
        match self {
            Self::NotTold(notice) => Difference::NotTold(notice.package),
            Self::NotShown(package) => Difference::NotShown(package.id),
        }
    }
}

/// Counting what came of an order into the legs.
trait Legs {
    fn warehouse_says(&mut self, answer: &Answer, wanted: Expected);
    fn posts(&mut self, record: &Record, asked: bool, unlike: &[Unlike]);
}

impl Legs for Reconciliation {
    fn warehouse_says(&mut self, answer: &Answer, wanted: Expected) {
        let leg = &mut self.warehouse;
        let counter = match (answer, wanted) {
            (Answer::Differs(_), _) => &mut leg.differing,
            (_, Expected::Either) => &mut leg.on_the_way,
            (Answer::NotAsked, _) => &mut leg.not_asked,
            (Answer::Fine, Expected::There) => &mut leg.there,
            (Answer::Fine, Expected::NotThere) => &mut leg.not_sent,
        };
        *counter += 1;
    }

    fn posts(&mut self, record: &Record, asked: bool, unlike: &[Unlike]) {
        let leg = &mut self.packages;
        leg.differing += u64::try_from(unlike.len()).unwrap_or(u64::MAX);
        let is_unlike = |package: &Package| {
            unlike.iter().any(|unlike| match unlike {
                Unlike::NotTold(notice) => notice.package == package.id,
                Unlike::NotShown(unlike) => unlike.id == package.id,
            })
        };
        for package in record.packages.iter().filter(|package| !package.voided && !is_unlike(package)) {
            let counter = match package.post {
                Post::Posted if asked => &mut leg.shown,
                Post::Posted => &mut leg.not_asked,
                Post::Due | Post::Claimed { .. } => &mut leg.due,
                Post::Outbox { .. } => &mut leg.outbox,
                Post::NotNeeded => &mut leg.not_needed,
            };
            *counter += 1;
        }
    }
}
