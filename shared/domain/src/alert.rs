//! A message to the people who look after a shop, and where it goes.

use async_trait::async_trait;

use crate::failure::Failure;

/// A message: what opened and what closed, with the cure and the command. No personal data and no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// One line, for a subject.
    pub title: String,
    /// The whole, in lines.
    pub text: String,
}

/// A channel that reaches people.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// What people call the channel, without secrets: `mail to ops@example.com`.
    fn name(&self) -> String;
    /// Hands a message over. A failure may mean that it arrived all the same: it is sent again.
    async fn send(&self, alert: &Alert) -> Result<(), Failure>;
}
