//! `cartdock plan`: an order's whole way, or recent orders as if they came in now. Sends nothing.

use domain::mapping::Mapping;
use operations::plan::{Planner, changes, rehearse};
use operations::recent::Span;

use super::progress::Line;
use super::{Desk, Outcome, Problem, input, style};
use crate::cli::Plan;

impl Desk<'_> {
    pub(super) async fn plan(&self, args: &Plan) -> Result<Outcome, Problem> {
        let mut with = Vec::new();
        for file in &args.with {
            with.push((file.display().to_string(), input(file)?));
        }
        let planner = Planner {
            connections: &self.connections,
            partners: self.host.partners.as_ref(),
            ledger: self.host.ledger.as_ref(),
            mappings: self.host.mappings.as_ref(),
            with: &with,
            shows_personal_data: args.show_personal_data,
            now: self.host.clock.now(),
        };
        if let Some(span) = args.last {
            return self.rehearsal(&planner, args, span).await;
        }
        // Refuses a connection that is not known, with the names of those that are.
        self.chosen(args.connection.as_ref())?;
        let order = args.order.as_deref().unwrap_or_default();
        let plan = planner.plan(order, args.connection.as_ref()).await?;
        self.show(&plan, || plan.text(style()))?;
        Ok(Outcome::of(plan.outcome.word == "held"))
    }

    async fn rehearsal(&self, planner: &Planner<'_>, args: &Plan, span: Span) -> Result<Outcome, Problem> {
        let connection = self.one(args.connection.as_ref())?;
        let store = self.host.partners.store(&connection).await?;
        let limits = self.host.partners.warehouse(&connection).await?.limits;
        let mapping = planner.mapping(&connection.id).await?;
        let progress = Line::new();
        let recent = self.recent(&connection, &store, &progress);
        if planner.with.is_empty() {
            let rehearsal = rehearse(&recent, span, &mapping, &limits).await?;
            drop(progress);
            self.show(&rehearsal, || rehearsal.text(style()))?;
            return Ok(Outcome::of(rehearsal.needs_attention()));
        }
        let current: Mapping = Mapping::clone(&*self.host.mappings.current(&connection.id).await?);
        let changes = changes(&recent, span, [&current, &mapping], &limits).await?;
        drop(progress);
        self.show(&changes, || changes.text(style()))?;
        Ok(Outcome::of(!changes.changed.is_empty()))
    }
}
