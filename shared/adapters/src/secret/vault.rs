//! The vault: fetches secrets when they are needed, keeps them for five minutes, and fetches one anew when it is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Failure;
use domain::ports::Clock;
use jiff::Timestamp;

use super::{Secret, SecretSource};

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

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;

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
