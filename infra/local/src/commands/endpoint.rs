//! Where the outside has to send its webhooks and notifications: what a person enters at the warehouse and in the store.

use domain::connection::Connection;
use operations::check::Checked;

use crate::config::Config;
use crate::stack::Deployment;

/// The address under which the outside reaches us.
pub(super) struct Webhooks {
    base: String,
    /// What to say where the outside does not reach it.
    hint: Option<&'static str>,
}

impl Webhooks {
    /// That of `cartdock run`.
    pub(super) fn of_settings(config: &Config) -> Self {
        match &config.public_url {
            Some(url) => Self { base: url.clone(), hint: None },
            None => Self {
                base: format!("http://{}", config.listen),
                hint: Some("They are reached from this machine only, until [server] public_url is set."),
            },
        }
    }

    /// That of a deployment.
    pub(super) fn of(deployment: &Deployment) -> Self {
        let base = deployment.webhooks.clone();
        let hint = base
            .is_none()
            .then_some("The stack has no output WebhooksUrl: look its HTTP API up in the console.");
        Self { base: base.unwrap_or_else(|| "https://<HTTP-API>".to_owned()), hint }
    }

    /// The addresses of one connection. The secret part of the store's is left to be filled in.
    pub(super) fn addresses(&self, connection: &Connection) -> [Checked; 2] {
        let (base, id) = (&self.base, &connection.id);
        let notify = if connection.store.contains_key("notify_secret") {
            format!("{base}/notify/{id}/<notify_secret>")
        } else {
            "none: set notify_secret, or new orders are found by polling only".to_owned()
        };
        [told("warehouse", format!("{base}/webhook/{id}")), told("store", notify)]
    }

    /// The addresses for people: each on a line of its own, so that it can be copied whole.
    pub(super) fn text(&self, addresses: &[Checked]) -> String {
        let mut text = String::new();
        for address in addresses {
            text.push_str(&format!("  {:<25}  {}\n", address.what, address.detail));
        }
        if let Some(hint) = self.hint {
            text.push_str(&format!("  {hint}\n"));
        }
        text
    }
}

fn told(from: &str, address: String) -> Checked {
    Checked { side: "webhooks", what: format!("address for the {from}"), ok: None, detail: address }
}
