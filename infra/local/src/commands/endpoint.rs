//! Where the outside has to send its webhooks and notifications: what a person enters at the warehouse and in the store.

use domain::connection::Connection;
use operations::check::Checked;

use crate::config::Config;

/// The addresses of one connection. The secret part of the store's is left to be filled in.
pub(super) fn addresses(config: &Config, connection: &Connection) -> [Checked; 3] {
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let id = &connection.id;
    let notify = if connection.store.contains_key("notify_secret") {
        format!("{base}/notify/{id}/<notify_secret>")
    } else {
        "off: new orders are found by polling; to be told at once, set notify_secret".to_owned()
    };
    let reach = if config.public_url.is_some() {
        "the outside reaches them through public_url"
    } else {
        "reached from this machine only: set public_url to the https address of your proxy or tunnel"
    };
    [
        told("warehouse sends to", format!("{base}/webhook/{id}")),
        told("store notifies", notify),
        told("these addresses", reach.to_owned()),
    ]
}

fn told(what: &str, detail: String) -> Checked {
    Checked { side: "webhooks", what: what.to_owned(), ok: None, detail }
}
