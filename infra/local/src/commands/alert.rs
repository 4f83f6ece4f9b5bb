//! `cartdock alert test`: does a message reach people?

use domain::Failure;
use operations::alerts;
use operations::text::{Tone, wrap};
use serde::Serialize;

use super::{Desk, Outcome, Problem, style};

/// What became of the test by one channel.
#[derive(Debug, Serialize)]
struct Tried {
    channel: String,
    taken: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Desk<'_> {
    pub(super) async fn alert_test(&self) -> Result<Outcome, Problem> {
        if self.host.outlets.is_empty() {
            let cure = match &self.cli.stack {
                Some(stack) => format!("stack {stack} has no output AlarmTopic; is it a stack of Cartdock?"),
                None => "nobody is alerted: add a channel to [alerts] in the settings (cartdock init writes an example)"
                    .to_owned(),
            };
            return Err(Problem(cure));
        }
        let alert = alerts::test(self.host.clock.now());
        let mut tried = Vec::new();
        for outlet in self.host.outlets.each() {
            let why = outlet.send(&alert).await.err().map(|failure: Failure| failure.to_string());
            tried.push(Tried { channel: outlet.name(), taken: why.is_none(), why });
        }
        self.show(&tried, || tried.iter().map(Tried::text).collect())?;
        Ok(Outcome::of(tried.iter().any(|one| !one.taken)))
    }
}

impl Tried {
    fn text(&self) -> String {
        let line = match &self.why {
            None => format!("{}: taken; look whether it has come", self.channel),
            Some(why) => format!("{}: NOT TAKEN, {why}", self.channel),
        };
        let tone = if self.taken { Tone::Good } else { Tone::Bad };
        let lines = wrap(&line, style().width.saturating_sub(2));
        lines.iter().map(|line| format!("  {}\n", style().paint(tone, line))).collect()
    }
}
