//! `cartdock doctor`: every check that can be made, of what is set up and of what is at work.

use domain::{ConnectionId, Failure};
use operations::check::{self, CheckReport, Checked};
use operations::doctor::{self, Doctor};

use super::{Desk, Outcome, Problem, deployment, style};

impl Desk<'_> {
    pub(super) async fn doctor(&self, id: Option<&ConnectionId>) -> Result<Outcome, Problem> {
        let doctor = Doctor {
            partners: self.host.partners.as_ref(),
            ledger: self.host.ledger.as_ref(),
            notes: self.host.notes.as_ref(),
            mappings: self.host.mappings.as_ref(),
            clock: self.host.clock.as_ref(),
        };
        let mut reports = vec![CheckReport::of("everywhere".to_owned(), self.surroundings().await?)];
        for named in self.chosen(id)? {
            // What is known of the time before it is in the ledger alone.
            let connection = self.host.connections.get(&named.id).await?.unwrap_or(named);
            let (partners, mappings) = (self.host.partners.as_ref(), self.host.mappings.as_ref());
            let mut report = check::check(partners, mappings, &connection).await;
            report.extend(check::shares_its_store(&connection, &self.connections));
            report.extend(doctor.look(&connection).await);
            report.extend(self.webhooks.addresses(&connection));
            reports.push(report);
        }
        let attention = reports.iter().any(CheckReport::needs_attention);
        self.show(&reports, || doctor::text(&reports, style()))?;
        Ok(Outcome::of(attention))
    }

    /// What is there for all connections: the queues of a deployment, or the process on this machine.
    async fn surroundings(&self) -> Result<Vec<Checked>, Problem> {
        let Some(deployment) = deployment(self.cli).await? else {
            let runs = self.host.is_shared();
            let detail =
                if runs { "cartdock run is at work" } else { "nothing runs here: start cartdock run" };
            let what = "process".to_owned();
            let process = Checked { side: "machine", what, ok: Some(runs), detail: detail.to_owned() };
            let channels: Vec<String> = self.host.outlets.each().map(|outlet| outlet.name()).collect();
            return Ok(vec![process, doctor::of_channels(&channels)]);
        };
        let mut findings = match deployment.depths().await {
            Ok(depths) => doctor::of_queues(&depths),
            Err(failure) => vec![failed("queues", "queues", &failure)],
        };
        findings.push(match deployment.subscriptions().await {
            Ok(None) => doctor::of_channels(&[]),
            Ok(Some((confirmed, pending))) => doctor::of_subscriptions(confirmed, pending),
            Err(failure) => failed("alerts", "channels", &failure),
        });
        Ok(findings)
    }
}

fn failed(side: &'static str, what: &str, failure: &Failure) -> Checked {
    Checked { side, what: what.to_owned(), ok: Some(false), detail: failure.to_string() }
}
