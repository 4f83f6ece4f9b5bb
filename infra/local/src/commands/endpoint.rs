//! Where the outside has to send its webhooks and notifications: what a person enters at the warehouse and in the store.

use domain::connection::Connection;
use operations::check::Checked;

use crate::config::Config;

/// The addresses of one connection. The secret part of the store's is left to be filled in.
pub(super) fn addresses(config: &Config, connection: &Connection) -> [Checked; 2] {
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let id = &connection.id;
    let notify = if connection.store.contains_key("notify_secret") {
        format!("{base}/notify/{id}/<notify_secret>")
    } else {
        "none: set notify_secret, or new orders are found by polling only".to_owned()
    };
    [told("warehouse", format!("{base}/webhook/{id}")), told("store", notify)]
}

fn told(from: &str, address: String) -> Checked {
    Checked { side: "webhooks", what: format!("address for the {from}"), ok: None, detail: address }
}

/// The addresses for people: each on a line of its own, so that it can be copied whole.
pub(super) fn text(config: &Config, addresses: &[Checked]) -> String {
    let mut text = String::new();
    for address in addresses {
        text.push_str(&format!("  {:<25}{}\n", address.what, address.detail));
    }
    if config.public_url.is_none() {
        text.push_str("  They are reached from this machine only, until [server] public_url is set.\n");
    }
    text
}
