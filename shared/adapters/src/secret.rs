//! Secrets: values that never print themselves, fetched by name when they are needed and kept for five minutes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::ports::Clock;
use jiff::Timestamp;

/// A secret value. It has no `Display`; [`Secret::expose`] opens it at the call that needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: only for the call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where secrets come from: the environment, files, a cloud's secret store.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The value behind a reference without its `@`, as in `env:NAME`. None: this source does not serve such references.
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure>;
}

/// How long a fetched secret is used before it is fetched again, so that a rotation needs no deploy.
const FRESH_FOR: Duration = Duration::from_secs(300);

/// Fetches secrets from its sources and keeps them for a while.
pub struct Vault {
    sources: Vec<Box<dyn SecretSource>>,
    clock: Arc<dyn Clock>,
    kept: Mutex<BTreeMap<String, (Timestamp, Secret)>>,
}

impl Vault {
    /// A vault over some sources, asked in order.
    #[must_use]
    pub fn new(sources: Vec<Box<dyn SecretSource>>, clock: Arc<dyn Clock>) -> Self {
        Self { sources, clock, kept: Mutex::new(BTreeMap::new()) }
    }

    /// The secret behind a reference without its `@`.
    ///
    /// # Errors
    /// Retryable: no source has it (it may be put there), or a source cannot be asked.
    pub async fn get(&self, reference: &str) -> Result<Secret, Failure> {
        let now = self.clock.now();
        if let Some((since, secret)) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(reference)
            && now.duration_since(*since).unsigned_abs() < FRESH_FOR
        {
            return Ok(secret.clone());
        }
        for source in &self.sources {
            if let Some(secret) = source.fetch(reference).await? {
                let kept = (now, secret.clone());
                self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(reference.to_owned(), kept);
                return Ok(secret);
            }
        }
        let cure = "use @env:NAME, @file:/path or, on AWS, @secret:NAME";
        Err(Failure::retryable("read secret", format!("no source serves @{reference}; {cure}")))
    }

    /// Forgets what was fetched, after somebody was refused with it.
    pub fn forget(&self, reference: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(reference);
    }
}

/// A secret that a setting names: fetched when it is needed.
#[derive(Clone)]
pub struct SecretRef {
    vault: Arc<Vault>,
    reference: String,
}

impl SecretRef {
    /// The secret behind `reference` (without its `@`) in a vault.
    #[must_use]
    pub fn new(vault: Arc<Vault>, reference: impl Into<String>) -> Self {
        Self { vault, reference: reference.into() }
    }

    /// The value, at most five minutes old.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub async fn get(&self) -> Result<Secret, Failure> {
        self.vault.get(&self.reference).await
    }

    /// To be called when somebody refused the value: the next `get` fetches it anew.
    pub fn refused(&self) {
        self.vault.forget(&self.reference);
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef(@{})", self.reference)
    }
}

/// Secrets from the process's environment (`env:NAME`) and from files that only their owner may read (`file:/path`).
#[derive(Debug, Default, Clone, Copy)]
pub struct LocalSecrets;

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        if let Some(name) = reference.strip_prefix("env:") {
            return from_environment(name).map(Some);
        }
        match reference.strip_prefix("file:") {
            Some(path) => from_file(path).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Secrets that the program itself was given (`given:NAME`): the demo's and the tests'.
#[derive(Default)]
pub struct GivenSecrets(BTreeMap<String, Secret>);

impl GivenSecrets {
    /// These secrets, by name.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(secrets.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
    }
}

#[async_trait]
impl SecretSource for GivenSecrets {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        Ok(reference.strip_prefix("given:").and_then(|name| self.0.get(name)).cloned())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads secrets from the environment")]
fn from_environment(name: &str) -> Result<Secret, Failure> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
        _ => Err(Failure::retryable(
            "read secret",
            format!("the environment variable {name} is not set; set it to the secret"),
        )),
    }
}

async fn from_file(path: &str) -> Result<Secret, Failure> {
    const DURING: &str = "read secret";
    let unreadable =
        |e: std::io::Error| Failure::retryable(DURING, format!("{path} cannot be read: {}", e.kind()));
    let metadata = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if others_may_read(&metadata) {
        let cure = format!("others than its owner may read it; run: chmod 600 {path}");
        return Err(Failure::retryable(DURING, format!("{path} is not used: {cure}")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(unreadable)?;
    if text.trim().is_empty() {
        return Err(Failure::retryable(DURING, format!("{path} is empty; put the secret into it")));
    }
    Ok(Secret::new(text.trim()))
}

#[cfg(unix)]
fn others_may_read(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::os::unix::fs::PermissionsExt;

    fn vault() -> Vault {
        Vault::new(vec![Box::new(LocalSecrets)], Arc::new(SystemClock))
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused_with_the_cure() {
        let path = std::env::temp_dir().join(format!("cartdock-secret-{}", std::process::id()));
        std::fs::write(&path, " s3cret\n").unwrap();
        let reference = format!("file:{}", path.display());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let failure = vault().get(&reference).await.unwrap_err();
        assert!(failure.message.contains("chmod 600"), "{failure}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(vault().get(&reference).await.unwrap().expose(), "s3cret");
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        for (reference, word) in
            [("env:CARTDOCK_NO_SUCH", "CARTDOCK_NO_SUCH"), ("file:/no/such", "/no/such"), ("x:y", "@x:y")]
        {
            assert!(vault().get(reference).await.unwrap_err().message.contains(word));
        }
    }
}
