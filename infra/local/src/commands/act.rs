//! `cartdock release | hold | exclude | cancel | resolve | replay`: what a person does with orders.

use std::io::Write as _;

use domain::OrderKey;
use domain::record::Record;
use jiff::Timestamp;
use operations::act::{self, Acted, Action, Hand, Resolution};
use operations::find::find;
use operations::replay::Chosen;
use operations::text::count;

use super::{Desk, Outcome, Problem, confirm, style};
use crate::cli::{Act, How, Replay, Resolve};

/// Up to so many orders nobody is asked whether they are the right ones.
const FEW: usize = 1;

impl Desk<'_> {
    pub(super) async fn act(&self, action: Action, args: &Act) -> Result<Outcome, Problem> {
        let mut records = Vec::new();
        for order in &args.orders {
            records.push(self.find(order).await?);
        }
        self.all(&action, records, &args.how).await
    }

    pub(super) async fn resolve(&self, args: &Resolve) -> Result<Outcome, Problem> {
        let found = match (&args.found.there, args.found.not_there, args.found.anew) {
            (Some(id), ..) => Resolution::There(id.clone()),
            (None, true, _) => Resolution::NotThere,
            (None, false, true) => Resolution::Anew,
            (None, false, false) => Resolution::Cancelled,
        };
        self.act(Action::Resolve(found), &args.act).await
    }

    pub(super) async fn replay(&self, args: &Replay) -> Result<Outcome, Problem> {
        let mut records = Vec::new();
        for order in &args.orders {
            records.push(self.find(order).await?);
        }
        if let Some(chosen) = chosen(args, self.host.clock.now())? {
            for connection in self.chosen(args.connection.as_ref())? {
                records.extend(chosen.of(self.host.ledger.as_ref(), &connection.id).await?);
            }
        }
        records.sort_by(|a, b| a.key.cmp(&b.key));
        records.dedup_by(|a, b| a.key == b.key);
        self.all(&Action::Replay, records, &args.how).await
    }

    async fn find(&self, order: &str) -> Result<Record, Problem> {
        Ok(find(self.host.connections.as_ref(), self.host.ledger.as_ref(), order).await?)
    }

    /// Shows what would be done with more than a few orders, has the count typed back, and does it.
    async fn all(&self, action: &Action, records: Vec<Record>, args: &How) -> Result<Outcome, Problem> {
        let hand = self.hand(args);
        if records.is_empty() {
            return Err(Problem("no order is chosen by that; nothing was changed".to_owned()));
        }
        let asks = records.len() > FEW && args.yes.is_none();
        if args.dry_run || asks {
            let mut planned = Vec::new();
            for record in &records {
                planned.push(hand.preview(record, action).await?);
            }
            if args.dry_run {
                return self.told(&planned);
            }
            let _nobody_reads_it = write!(std::io::stderr(), "{}", act::text(&planned, style()));
        }
        agreed(action, records.len(), args)?;
        let mut acted = Vec::new();
        for record in &records {
            acted.push(self.one_of_many(&hand, &record.key, action).await?);
        }
        self.told(&acted)
    }

    /// What cannot be done for one order does not keep the others from it.
    async fn one_of_many(&self, hand: &Hand<'_>, key: &OrderKey, action: &Action) -> Result<Acted, Problem> {
        Ok(match hand.act(key, action).await {
            Ok(acted) => acted,
            Err(failure) => Acted::failed(key, action, &failure),
        })
    }

    fn hand<'a>(&'a self, args: &'a How) -> Hand<'a> {
        Hand {
            connections: self.host.connections.as_ref(),
            partners: self.host.partners.as_ref(),
            ledger: self.host.ledger.as_ref(),
            mappings: self.host.mappings.as_ref(),
            clock: self.host.clock.as_ref(),
            dice: self.host.dice.as_ref(),
            by: &args.by,
            note: args.note.as_deref().unwrap_or_default(),
        }
    }

    fn told(&self, acted: &[Acted]) -> Result<Outcome, Problem> {
        self.show(&acted, || act::text(acted, style()))?;
        Ok(Outcome::of(acted.iter().any(|one| !one.done)))
    }
}

/// Which orders are chosen by what they wait for, or when they came; none when orders are named alone.
fn chosen(args: &Replay, now: Timestamp) -> Result<Option<Chosen>, Problem> {
    let chosen = Chosen {
        issue: args.issue.clone(),
        cause: args.cause.clone(),
        since: args.since.map(|since| since.instant(now)),
        until: args.until.map(|until| until.instant(now)),
    };
    if chosen == Chosen::default() {
        if args.orders.is_empty() {
            return Err(Problem(
                "say which orders: their numbers, --issue, --cause, or --since (cartdock issues shows what waits)"
                    .to_owned(),
            ));
        }
        return Ok(None);
    }
    Ok(Some(chosen))
}

/// Is the person sure? The count has to be typed, so that a wider choice than was meant is noticed.
fn agreed(action: &Action, orders: usize, args: &How) -> Result<(), Problem> {
    match args.yes {
        Some(yes) if yes == orders => Ok(()),
        Some(yes) => Err(Problem(format!(
            "nothing was changed: --yes {yes} does not fit, {} are chosen",
            count(orders as u64, "order", "orders")
        ))),
        None if orders <= FEW => Ok(()),
        None => {
            let question = format!("To {} these orders type their number", action.word());
            confirm::typed(&question, &orders.to_string(), &format!("--yes {orders}"))
        }
    }
}
