//! The whole way of an order, from the store's document to the warehouse's request, without going it: nothing is sent and
//! nothing is written.

use std::fmt;

use domain::admission::{Admission, decide};
use domain::connection::Connection;
use domain::fulfillment::{FulfillmentRequest, Making};
use domain::intake::{body_of, judge};
use domain::life::described;
use domain::mapping::Mapping;
use domain::order::Order;
use domain::policy::Policies;
use domain::ports::{Ledger, Mappings, Partners, Read};
use domain::record::{Record, Stage};
use domain::warehouse::{Draft, Warehouse};
use domain::{ConnectionId, Failure, OrderId, OrderKey};
use jiff::Timestamp;
use serde::Serialize;

use crate::cure::{Cure, of_cause, of_gap};
use crate::mapping_csv::{NotImported, RowError, applied};

mod decisions;
mod rehearsal;
mod text;

pub use decisions::PlannedDecision;
pub use rehearsal::{Changed, Changes, Rehearsal, Rehearsed, changes, rehearse};

/// What planning needs.
#[derive(Clone, Copy)]
pub struct Planner<'a> {
    /// The connections that an order may be of.
    pub connections: &'a [Connection],
    /// Their stores and warehouses.
    pub partners: &'a dyn Partners,
    /// What has been done already.
    pub ledger: &'a dyn Ledger,
    /// Shop words to warehouse words.
    pub mappings: &'a dyn Mappings,
    /// Files to be put over the mapping in force, each with its name.
    pub with: &'a [(String, Vec<u8>)],
    /// Are name and address of the buyer shown?
    pub shows_personal_data: bool,
    /// The instant now.
    pub now: Timestamp,
}

/// What would become of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// `sent`, `held`, `waiting`, `excluded`, or the stage of an order that is past all that.
    pub word: &'static str,
    /// In a sentence.
    pub what: String,
}

/// One order's whole way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Which order.
    pub order: String,
    /// What would become of it now.
    pub outcome: Fate,
    /// Is it past being decided: sent, in doubt, or done with?
    pub past: bool,
    /// Each decision with its rule, in the order in which they are taken.
    pub decisions: Vec<PlannedDecision>,
    /// What a person can do, where it would be held.
    pub cures: Vec<Cure>,
    /// The mapping's version; with files put over it, the one that it would become.
    pub mapping: u64,
    /// The warehouse's adapter.
    pub warehouse: String,
    /// The request, where one can be made: also of an order that is not sent now.
    pub request: Option<Draft>,
    /// Are name and address masked in it?
    pub masked: bool,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum NotPlanned {
    /// The text names no order.
    NotAnOrder(String),
    /// The connection that the text names is not known.
    NoConnection(String),
    /// The order is not in the ledger, and there are several stores that may have it.
    Which(OrderId),
    /// Several connections have an order with this number.
    Ambiguous(Vec<OrderKey>),
    /// Neither the ledger nor the store has it.
    Absent(OrderKey),
    /// A file of mappings has wrong rows.
    Rows(String, Vec<RowError>),
    /// The ledger, the store or the settings failed.
    Failed(Failure),
}

impl fmt::Display for NotPlanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnOrder(text) => write!(
                f,
                "\"{}\" is no order; give its number, or connection/number as in main/10482",
                crate::text::clean(text)
            ),
            Self::NoConnection(id) => write!(f, "there is no connection {id}"),
            Self::Which(order) => write!(
                f,
                "order {order} is not in the ledger, and there are several stores; say which with --connection"
            ),
            Self::Ambiguous(keys) => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "several connections have an order with this number; say which: {}",
                    keys.join(", ")
                )
            }
            Self::Absent(key) => write!(
                f,
                "the store of {} has no order {}; is the number right, and is it this store's?",
                key.connection, key.order
            ),
            Self::Rows(file, rows) => write!(f, "{file}:\n{}", NotImported::Rows(rows.clone())),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotPlanned {}

impl From<Failure> for NotPlanned {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// An order in hand, with all that decides about it.
struct InHand<'a> {
    connection: &'a Connection,
    record: Option<Record>,
    read: Read,
    mapping: &'a Mapping,
    warehouse: &'a Warehouse,
    key: &'a OrderKey,
    now: Timestamp,
}

impl Planner<'_> {
    /// The plan of the order that a text names. Without a connection in the text, `only` says whose it is; an order that is
    /// in the ledger needs neither.
    ///
    /// # Errors
    /// See [`NotPlanned`].
    pub async fn plan(&self, text: &str, only: Option<&ConnectionId>) -> Result<Plan, NotPlanned> {
        let (connection, key, record) = self.find(text, only).await?;
        let mapping = self.mapping(&connection.id).await?;
        let warehouse = self.partners.warehouse(connection).await?;
        let store = self.partners.store(connection).await?;
        let read = store.orders.read(&key.order.to_string()).await?;
        if record.is_none() && read == Read::Absent {
            return Err(NotPlanned::Absent(key));
        }
        let hand = InHand {
            connection,
            record,
            read,
            mapping: &mapping,
            warehouse: &warehouse,
            key: &key,
            now: self.now,
        };
        let (request, mut plan) = hand.plan();
        if let Some(request) = request {
            let shown = if self.shows_personal_data { request } else { request.masked() };
            plan.request = warehouse.orders.draft(&shown).await?;
        }
        plan.masked = !self.shows_personal_data;
        Ok(plan)
    }

    /// The mapping in force with the files put over it.
    ///
    /// # Errors
    /// Those of the mappings, and wrong rows.
    pub async fn mapping(&self, connection: &ConnectionId) -> Result<Mapping, NotPlanned> {
        let mut mapping = Mapping::clone(&*self.mappings.current(connection).await?);
        let version = mapping.version;
        for (name, file) in self.with {
            mapping = applied(&mapping, file, false).map_err(|rows| NotPlanned::Rows(name.clone(), rows))?;
            mapping.version = version + 1;
        }
        Ok(mapping)
    }

    async fn find(
        &self,
        text: &str,
        only: Option<&ConnectionId>,
    ) -> Result<(&Connection, OrderKey, Option<Record>), NotPlanned> {
        let wrong = || NotPlanned::NotAnOrder(text.trim().to_owned());
        let (named, order) = match text.trim().contains('/') {
            true => {
                let key: OrderKey = text.trim().parse().map_err(|_| wrong())?;
                (Some(key.connection), key.order)
            }
            false => (only.cloned(), text.trim().parse().map_err(|_| wrong())?),
        };
        let mut found = Vec::new();
        let mut may_have_it = Vec::new();
        for connection in self.connections.iter().filter(|c| named.as_ref().is_none_or(|id| c.id == *id)) {
            let key = OrderKey::new(connection.id.clone(), order);
            match self.ledger.load(&key, true).await? {
                Some(record) => found.push((connection, key, Some(record))),
                None => may_have_it.push((connection, key, None)),
            }
        }
        if found.is_empty() {
            found = may_have_it;
            if found.len() > 1 {
                return Err(NotPlanned::Which(order));
            }
        }
        if found.len() > 1 {
            return Err(NotPlanned::Ambiguous(found.into_iter().map(|(_, key, _)| key).collect()));
        }
        let unknown = || named.map_or_else(|| "in the settings".to_owned(), |id| id.to_string());
        found.pop().ok_or_else(|| NotPlanned::NoConnection(unknown()))
    }
}

impl InHand<'_> {
    fn plan(&self) -> (Option<FulfillmentRequest>, Plan) {
        let says = judge(&self.read, &self.connection.policies, self.imported_at(), self.now);
        let ruled = match &self.record {
            Some(record) => record.ruled(says.clone(), body_of(&self.read), self.now),
            None => says.clone(),
        };
        let made = body_of(&self.read).map(|order| self.making().request(order));
        let outcome = self.outcome(&ruled, made.as_ref());
        let plan = Plan {
            order: self.key.to_string(),
            decisions: decisions::of(self, &says, &ruled, made.as_ref()),
            cures: self.cures(&outcome, &ruled, made.as_ref()),
            outcome,
            past: self.is_past().is_some(),
            mapping: self.mapping.version,
            warehouse: self.warehouse.name.to_owned(),
            request: None,
            masked: true,
        };
        (made.and_then(Result::ok), plan)
    }

    fn making(&self) -> Making<'_> {
        Making {
            key: self.key,
            revision: self.record.as_ref().map_or(0, |record| record.revision),
            imported_at: self.imported_at(),
            mapping: self.mapping,
            policies: &self.connection.policies,
            limits: &self.warehouse.limits,
            now: self.now,
        }
    }

    fn imported_at(&self) -> Timestamp {
        self.record.as_ref().map_or(self.now, |record| record.imported_at)
    }

    /// The stage of an order about which nothing is decided any more.
    fn is_past(&self) -> Option<&Record> {
        let record = self.record.as_ref()?;
        let is_open = matches!(
            record.stage,
            Stage::Ready { .. } | Stage::Waiting(_) | Stage::Held(_) | Stage::Excluded(_)
        );
        (!is_open || record.may_be_there()).then_some(record)
    }

    fn outcome(&self, ruled: &Admission, made: Option<&Result<FulfillmentRequest, Admission>>) -> Fate {
        if let Some(record) = self.is_past() {
            let what = format!("{}; it is not decided anew", described(&record.stage));
            return Fate { word: record.stage.word(), what };
        }
        match (ruled, made) {
            (Admission::Ready, Some(made)) => Fate::of(made),
            (admission, _) => Fate::decided(admission),
        }
    }

    fn cures(
        &self,
        outcome: &Fate,
        ruled: &Admission,
        made: Option<&Result<FulfillmentRequest, Admission>>,
    ) -> Vec<Cure> {
        let admission = match (ruled, made) {
            (Admission::Ready, Some(Err(admission))) => admission,
            (ruled, _) => ruled,
        };
        match admission {
            _ if outcome.word != "held" || self.is_past().is_some() => Vec::new(),
            Admission::Hold(domain::record::Cause::Unmapped(gaps), _) => {
                gaps.iter().map(|gap| of_gap(gap, &self.connection.id)).collect()
            }
            Admission::Hold(cause, _) => vec![of_cause(cause, &self.connection.id)],
            _ => Vec::new(),
        }
    }
}

impl Fate {
    /// Of an order that may be sent: what it becomes.
    fn of(made: &Result<FulfillmentRequest, Admission>) -> Self {
        match made {
            Ok(request) => Self { word: "sent", what: asked_for(request) },
            Err(admission) => Self::decided(admission),
        }
    }

    fn decided(admission: &Admission) -> Self {
        let stage = admission.stage();
        let what = match &stage {
            Stage::Held(cause) => cause.to_string(),
            Stage::Excluded(rule) => rule.to_string(),
            Stage::Waiting(why) => why.to_string(),
            stage => described(stage),
        };
        Self { word: stage.word(), what }
    }
}

/// What a request asks for, in words.
fn asked_for(request: &FulfillmentRequest) -> String {
    let lines: Vec<String> =
        request.lines.iter().map(|line| format!("{} x {}", line.quantity, line.sku)).collect();
    format!("{} by {}", lines.join(", "), request.service)
}

/// The policies for an order of the past as if it came in now: it is neither too old nor too fresh.
pub(crate) fn as_new(policies: &Policies) -> Policies {
    Policies { start: None, cooling_off_minutes: 0, ..policies.clone() }
}

/// Is this order of the past one that is shipped? Hidden ones are: merchants hide what is done.
pub(crate) fn is_to_be_shipped(order: &Order, policies: &Policies, now: Timestamp) -> bool {
    let order = Order { archived: false, ..order.clone() };
    matches!(decide(&order, &as_new(policies), now, now), Admission::Ready | Admission::Hold(..))
}

#[cfg(test)]
mod tests;
