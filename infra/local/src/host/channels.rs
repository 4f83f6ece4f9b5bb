//! The channels by which people are told, made of their settings.

use std::sync::Arc;

use adapters::alerts::Outlets;
use adapters::alerts::mail::{Mail, MailSettings, address};
use adapters::alerts::slack::Slack;
use adapters::alerts::sns::SnsTopic;
use adapters::http::Http;
use adapters::secret::{SecretRef, Vault};
use domain::Failure;
use domain::alert::Outlet;
use domain::ports::Clock;

use super::{Options, Place};
use crate::config::alerts::Channel;

/// Makes the channels of some options; nothing is reached yet.
///
/// # Errors
/// When an address of mail is none.
pub(super) fn open(
    options: &Options,
    vault: &Arc<Vault>,
    http: &Http,
    clock: &Arc<dyn Clock>,
) -> Result<Outlets, Failure> {
    let secret = |reference: &String| SecretRef::new(vault.clone(), reference);
    let mut outlets: Vec<Arc<dyn Outlet>> = Vec::new();
    for channel in &options.alerts.channels {
        match (channel, &options.place) {
            (Channel::Slack(url), _) => outlets.push(Arc::new(Slack::new(http.clone(), secret(url)))),
            (Channel::Mail(mail), _) => {
                let to: Result<Vec<_>, Failure> = mail.to.iter().map(|to| address(to)).collect();
                let settings = MailSettings {
                    host: mail.host.clone(),
                    port: mail.port,
                    security: mail.security,
                    from: address(&mail.from)?,
                    to: to?,
                    login: mail.login.as_ref().map(|(user, password)| (secret(user), secret(password))),
                };
                outlets.push(Arc::new(Mail::new(settings, clock.clone())));
            }
            (Channel::Topic(topic), Place::Cloud(sdk, _)) => {
                outlets.push(Arc::new(SnsTopic::new(sdk.as_ref().clone(), topic)));
            }
            (Channel::Topic(_), _) => {}
        }
    }
    Ok(Outlets::new(outlets))
}
