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

/// How long after a refusal has made us fetch a secret anew the next refusal may do so: strangers refuse and are refused
/// as often as they like.
const RENEW_AFTER: Duration = Duration::from_secs(30);

/// Fetches secrets from its sources and keeps them for a while.
pub struct Vault {
    sources: Vec<Box<dyn SecretSource>>,
    clock: Arc<dyn Clock>,
    kept: Mutex<BTreeMap<String, Arc<Slot>>>,
}

/// What is kept of one secret. Whoever comes while it is being fetched waits for it.
type Slot = tokio::sync::Mutex<Kept>;

#[derive(Default)]
struct Kept {
    fetched: Option<(Timestamp, Secret)>,
    renewed: Option<Timestamp>,
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
        let slot = self.slot(reference);
        let mut kept = slot.lock().await;
        let now = self.clock.now();
        if let Some((since, secret)) = &kept.fetched
            && now.duration_since(*since).unsigned_abs() < FRESH_FOR
        {
            return Ok(secret.clone());
        }
        let secret = self.fetch(reference).await?;
        kept.fetched = Some((now, secret.clone()));
        Ok(secret)
    }

    /// To be called when somebody refused the value: fetches it anew, but not more often than twice a minute. True: there
    /// is another value now, which may be tried at once.
    pub async fn renewed(&self, reference: &str, refused: &Secret) -> bool {
        let slot = self.slot(reference);
        let mut kept = slot.lock().await;
        if kept.fetched.as_ref().is_some_and(|(_, secret)| secret != refused) {
            return true;
        }
        let now = self.clock.now();
        if kept.renewed.is_some_and(|at| now.duration_since(at).unsigned_abs() < RENEW_AFTER) {
            return false;
        }
        kept.renewed = Some(now);
        // What cannot be fetched now stays as it was.
        let Ok(secret) = self.fetch(reference).await else { return false };
        let is_new = secret != *refused;
        kept.fetched = Some((now, secret));
        is_new
    }

    async fn fetch(&self, reference: &str) -> Result<Secret, Failure> {
        for source in &self.sources {
            if let Some(secret) = source.fetch(reference).await? {
                return Ok(secret);
            }
        }
        let cure = "use @env:NAME, @file:/path or, on AWS, @secret:NAME";
        Err(Failure::retryable("read secret", format!("no source serves @{reference}; {cure}")))
    }

    fn slot(&self, reference: &str) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry(reference.to_owned()).or_default().clone()
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

    /// To be called when somebody refused this value. True: there is another one now, which may be tried at once.
    pub async fn renewed(&self, refused: &Secret) -> bool {
        self.vault.renewed(&self.reference, refused).await
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

    /// Serves what was last put there, and counts how often it is asked.
    #[derive(Clone, Default)]
    struct Store(Arc<Mutex<(Option<&'static str>, usize)>>);

    impl Store {
        fn put(&self, value: Option<&'static str>) {
            self.0.lock().unwrap().0 = value;
        }

        fn asked(&self) -> usize {
            self.0.lock().unwrap().1
        }
    }

    #[async_trait]
    impl SecretSource for Store {
        async fn fetch(&self, _: &str) -> Result<Option<Secret>, Failure> {
            self.0.lock().unwrap().1 += 1;
            tokio::task::yield_now().await;
            let value = self.0.lock().unwrap().0;
            value
                .map(|value| Some(Secret::new(value)))
                .ok_or_else(|| Failure::retryable("read secret", "down"))
        }
    }

    /// A clock that a test moves.
    struct Hand(Mutex<Timestamp>);

    impl Hand {
        fn pass(&self, seconds: u64) {
            *self.0.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        async fn sleep(&self, _: Duration) {}
    }

    fn rotating() -> (Store, Arc<Hand>, SecretRef) {
        let (store, clock) = (Store::default(), Arc::new(Hand(Mutex::new(Timestamp::UNIX_EPOCH))));
        store.put(Some("old"));
        let vault = Arc::new(Vault::new(vec![Box::new(store.clone())], clock.clone()));
        (store, clock, SecretRef::new(vault, "test:key"))
    }

    #[tokio::test]
    async fn a_refused_secret_is_fetched_anew_at_once_but_not_more_than_twice_a_minute() {
        let (store, clock, secret) = rotating();
        let old = secret.get().await.unwrap();
        store.put(Some("new"));
        assert_eq!(secret.get().await.unwrap(), old, "kept for five minutes");
        assert!(secret.renewed(&old).await, "unless it is refused");
        assert_eq!(secret.get().await.unwrap().expose(), "new");
        assert!(secret.renewed(&old).await, "who comes later with the old one need not ask again");
        assert_eq!(store.asked(), 2);
        let new = secret.get().await.unwrap();
        for _ in 0..20 {
            assert!(!secret.renewed(&new).await);
        }
        assert_eq!(store.asked(), 2);
        clock.pass(30);
        assert!(!secret.renewed(&new).await, "fetched, and still the same");
        assert_eq!(store.asked(), 3);
    }

    #[tokio::test]
    async fn all_who_are_refused_at_the_same_time_share_one_fetch() {
        let (store, _, secret) = rotating();
        let all = futures_util::future::join_all((0..10).map(|_| secret.get())).await;
        assert_eq!(store.asked(), 1, "and so do all who need it first");
        store.put(Some("new"));
        let old = all.into_iter().next().unwrap().unwrap();
        let renewed = futures_util::future::join_all((0..10).map(|_| secret.renewed(&old))).await;
        assert_eq!((renewed, store.asked()), (vec![true; 10], 2));
    }

    #[tokio::test]
    async fn while_a_refused_secret_cannot_be_fetched_the_known_one_stays() {
        let (store, _, secret) = rotating();
        let old = secret.get().await.unwrap();
        store.put(None);
        assert!(!secret.renewed(&old).await);
        assert_eq!(secret.get().await.unwrap(), old);
    }
}
