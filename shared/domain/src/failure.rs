//! Why something did not work, reduced to what the caller can act on: try later, ask a person, or ask a developer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A source of a failure, as carried for the log.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What to do about a [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They may say yes later; not before `after`, where they said so.
    Retryable {
        /// How long they asked us to stay away.
        after: Option<Duration>,
    },
    /// Understood, and the answer is no: a person has to change something.
    Permanent,
    /// We cannot make sense of what we got: a developer has to change something.
    Poison,
}

impl Kind {
    /// The fixed word for logs (`failure.kind`) and dead letters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retryable { .. } => "retryable",
            Self::Permanent => "permanent",
            Self::Poison => "poison",
        }
    }
}

/// A failed effect: its kind, what we were doing, and our own sentence about it.
///
/// `message` is ours and may be logged: it never holds a secret, a personal datum or a body.
#[derive(Debug)]
pub struct Failure {
    /// What to do about it.
    pub kind: Kind,
    /// What was being done, `"acme: create order"`.
    pub during: &'static str,
    /// One sentence of ours that says what happened and, where known, the cure.
    pub message: String,
    source: Option<BoxError>,
}

impl Failure {
    fn new(kind: Kind, during: &'static str, message: impl Into<String>) -> Self {
        Self { kind, during, message: message.into(), source: None }
    }

    /// They may say yes later.
    #[must_use]
    pub fn retryable(during: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Retryable { after: None }, during, message)
    }

    /// Understood, and the answer is no.
    #[must_use]
    pub fn permanent(during: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, during, message)
    }

    /// We cannot make sense of what we got.
    #[must_use]
    pub fn poison(during: &'static str, message: impl Into<String>) -> Self {
        Self::new(Kind::Poison, during, message)
    }

    /// The same failure, not to be retried before `wait` has passed (only meaningful when retryable).
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        if let Kind::Retryable { after } = &mut self.kind {
            *after = wait;
        }
        self
    }

    /// The same failure with the error that caused it, for the log. The source must not carry secrets or bodies.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Is it worth trying again?
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Retryable { .. })
    }

    /// How long they asked us to stay away, if they did.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self.kind {
            Kind::Retryable { after } => after,
            Kind::Permanent | Kind::Poison => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.during, self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
