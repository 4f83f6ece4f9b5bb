//! Where alerts go: a webhook that Slack and others understand, mail, a topic of SNS; several of them together.

#[cfg(feature = "mail")]
pub mod mail;
pub mod slack;
#[cfg(feature = "sns")]
pub mod sns;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Failure;
use domain::alert::{Alert, Outlet};

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In plain text first; TLS before anything is said (port 587).
    StartTls,
    /// In TLS from the first byte (port 465).
    OnConnect,
    /// In plain text: only for a host that the settings name as local.
    None,
}

/// Does a text look like the address of a mailbox? Who sends the mail looks closer.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && name.chars().all(is_plain) && host.chars().all(is_plain)
    })
}

/// All channels that are set up. A message counts as told when one of them took it; what failed of the others is logged.
#[derive(Clone, Default)]
pub struct Outlets(Vec<Arc<dyn Outlet>>);

impl Outlets {
    /// These channels.
    #[must_use]
    pub fn new(outlets: Vec<Arc<dyn Outlet>>) -> Self {
        Self(outlets)
    }

    /// One after the other.
    pub fn each(&self) -> impl Iterator<Item = &Arc<dyn Outlet>> {
        self.0.iter()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[async_trait]
impl Outlet for Outlets {
    fn name(&self) -> String {
        self.0.iter().map(|outlet| outlet.name()).collect::<Vec<_>>().join(", ")
    }

    async fn send(&self, alert: &Alert) -> Result<(), Failure> {
        let (mut taken, mut refused) = (false, None);
        for outlet in &self.0 {
            match outlet.send(alert).await {
                Ok(()) => taken = true,
                Err(failure) => {
                    warn(&outlet.name(), &failure);
                    refused = Some(failure);
                }
            }
        }
        match refused {
            Some(failure) if !taken => Err(failure),
            _ => Ok(()),
        }
    }
}

fn warn(outlet: &str, failure: &Failure) {
    let (kind, during) = (failure.kind.word(), failure.during);
    tracing::warn!(failure.kind = kind, failure.during = during, "no alert by {outlet}: {failure}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Channel(bool, AtomicUsize);

    #[async_trait]
    impl Outlet for Channel {
        fn name(&self) -> String {
            "channel".to_owned()
        }
        async fn send(&self, _: &Alert) -> Result<(), Failure> {
            self.1.fetch_add(1, Ordering::Relaxed);
            if self.0 { Ok(()) } else { Err(Failure::retryable("test", "is away")) }
        }
    }

    #[tokio::test]
    async fn one_that_takes_it_is_enough_and_all_are_tried() {
        let alert = Alert { title: "title".into(), text: "text".into() };
        for (takes, is_told) in
            [(&[true, false][..], true), (&[false, true], true), (&[false, false], false), (&[], true)]
        {
            let channels: Vec<Arc<Channel>> =
                takes.iter().map(|takes| Arc::new(Channel(*takes, AtomicUsize::new(0)))).collect();
            let outlets = channels.iter().map(|channel| channel.clone() as Arc<dyn Outlet>).collect();
            let sent = Outlets::new(outlets).send(&alert).await;
            assert_eq!(sent.is_ok(), is_told, "{takes:?}");
            assert!(channels.iter().all(|channel| channel.1.load(Ordering::Relaxed) == 1), "{takes:?}");
        }
    }
}
