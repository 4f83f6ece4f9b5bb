//! Secrets: values that never print themselves, fetched by name when they are needed and kept for five minutes.

mod vault;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use domain::Failure;

pub use vault::{SecretRef, Vault};

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
    if metadata.is_dir() {
        return Err(Failure::retryable(
            DURING,
            format!("{path} is a folder; name the file that has the secret"),
        ));
    }
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
    use std::sync::Arc;

    fn vault() -> Vault {
        Vault::new(vec![Box::new(LocalSecrets)], Arc::new(SystemClock))
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[tokio::test]
    async fn a_folder_is_no_secret_and_nobody_is_told_to_change_its_permissions() {
        let failure = vault().get(&format!("file:{}", std::env::temp_dir().display())).await.unwrap_err();
        assert!(failure.message.contains("is a folder") && !failure.message.contains("chmod"), "{failure}");
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
