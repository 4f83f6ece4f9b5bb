//! What the last attempt asked the warehouse for: made once more, by the code that sent it, from the body and the version of
//! the mapping that it used. Nothing is sent.

use domain::connection::Connection;
use domain::fulfillment::Making;
use domain::order::Order;
use domain::ports::Mappings;
use domain::record::Record;
use domain::warehouse::Draft;
use serde::Serialize;

use super::Explain;
use crate::draft;
use crate::text::{Style, wrap};

/// The request of the last attempt. What was answered to it is in the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRequest {
    /// Which attempt it was.
    pub attempt: u32,
    /// The version of the mapping that it used.
    pub mapping: u64,
    /// The request, the buyer's name and address masked, of headers that hold credentials only the names; or why it cannot be
    /// made again.
    #[serde(flatten)]
    pub made: Made,
}

/// The request, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It was made again.
    Request(Draft),
    /// It cannot be made again, and why.
    Missing(String),
}

impl Explain<'_> {
    /// The request of the last attempt, where it is asked for.
    pub(super) async fn last_request(&self, record: &Record) -> Option<LastRequest> {
        let mappings = self.mappings?;
        let made = match self.made(mappings, record).await {
            Ok(request) => Made::Request(request),
            Err(why) => Made::Missing(why),
        };
        Some(LastRequest { attempt: record.attempts, mapping: record.mapping, made })
    }

    async fn made(&self, mappings: &dyn Mappings, record: &Record) -> Result<Draft, String> {
        if record.attempts == 0 {
            return Err(format!(
                "no attempt is known; cartdock plan {} shows what would be sent",
                record.key
            ));
        }
        let opened = self.ledger.open(&record.key, true).await.map_err(text)?;
        let body = opened.and_then(|(_, body)| body).ok_or("the order's body is not kept any more")?;
        let connection = self.connections.get(&record.key.connection).await.map_err(text)?;
        let connection = connection.ok_or("the connection is not in the ledger")?;
        self.drafted(mappings, record, &connection, &body).await
    }

    async fn drafted(
        &self,
        mappings: &dyn Mappings,
        record: &Record,
        connection: &Connection,
        body: &Order,
    ) -> Result<Draft, String> {
        let mapping = mappings.at(&connection.id, record.mapping).await.map_err(text)?;
        let mapping = mapping.ok_or("the mapping that it used is not there")?;
        let partners = self.partners.ok_or("the warehouse's settings are not at hand")?;
        let warehouse = partners.warehouse(connection).await.map_err(text)?;
        let making = Making {
            key: &record.key,
            revision: record.revision,
            imported_at: record.imported_at,
            mapping: &mapping,
            policies: &connection.policies,
            limits: &warehouse.limits,
            now: self.now,
        };
        let changed = |_| "the connection's policies do not let it go any more".to_owned();
        let request = making.request(body).map_err(changed)?.masked();
        let draft = warehouse.orders.draft(&request).await.map_err(text)?;
        draft.ok_or_else(|| format!("{} cannot show its requests", warehouse.name))
    }
}

fn text(failure: impl ToString) -> String {
    failure.to_string()
}

impl LastRequest {
    /// It for people, under its heading.
    pub(super) fn text(&self, style: Style) -> String {
        let Self { attempt, mapping, made } = self;
        match made {
            Made::Request(request) => {
                let title =
                    format!("Request of attempt {attempt}, mapping version {mapping}, the buyer masked");
                format!("{}{}", style.heading(&title), draft::text(request, style))
            }
            Made::Missing(why) => {
                let lines = wrap(&format!("not shown: {why}"), style.width.saturating_sub(2));
                let lines: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
                format!("{}{}", style.heading("Request"), lines.concat())
            }
        }
    }
}
