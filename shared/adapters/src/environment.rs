//! What a Lambda function is given: its settings from the environment, and the ports that they name, made when asked for.

use std::sync::Arc;

use domain::Failure;
#[cfg(feature = "sns")]
use domain::alert::Outlet;
use domain::life::Pace;
use domain::notes::Notes;
use domain::ports::{Clock, Connections, Ledger, Mappings, Partners, Randomness};
use rustls::ClientConfig;

#[cfg(feature = "sns")]
use crate::alerts::sns::SnsTopic;
use crate::aws::{self, SdkConfig};
use crate::clock::{SystemClock, SystemRandomness};
use crate::dynamodb::{
    CachedConnections, CachedMappings, Client, DynamoConnections, DynamoLedger, DynamoMappings, DynamoNotes,
    Names,
};
use crate::http::Http;
use crate::lambda::Function;
use crate::log::{self, Verbosity};
use crate::metrics::Metrics;
use crate::pace;
use crate::partners::Adapters;
use crate::secret::{LocalSecrets, Vault};
use crate::secretsmanager::SecretsManager;
use crate::settings::{SettingError, Settings};
use crate::sqs::{SqsNames, SqsQueue};
use crate::tls;

/// The environment of one function. Everything is made once, in its init phase, and shared by all invocations.
///
/// `LEDGER_TABLE`, `MAPPINGS_TABLE` name the tables; `<NAME>_QUEUE_URL` the queues, and `<NAME>_DEAD_LETTERS_URL` where what
/// is given up goes; `METRICS_NAMESPACE` is what CloudWatch calls our metrics, which are not told without it;
/// `LOCAL_HOSTS` (comma-separated) the hosts that may be reached although they are local or not https, for tests; `PACE`
/// (`send_within_ms=3000,lease_ms=6000`, see [`crate::pace`]) how long things may take, for tests as well: without it the
/// times are those that are safe on AWS. `SSL_CERT_FILE` or `SSL_CERT_DIR` name the certificates to be believed instead of
/// the built-in ones.
pub struct Environment {
    settings: Settings,
    tls: ClientConfig,
    sdk: SdkConfig,
    names: Names,
    clock: Arc<dyn Clock>,
    dynamodb: Client,
    metrics: Metrics,
}

impl Environment {
    /// Reads the process's environment and sets up logging as JSON.
    ///
    /// # Errors
    /// When a setting is missing, by name.
    pub fn open() -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let variables = Settings::variables();
        let tls = tls::named_by(variables.keys().map(String::as_str))?;
        let sdk = aws::of_a_function(&variables, tls.clone())?;
        let vault = Vault::new(
            vec![Box::new(LocalSecrets), Box::new(SecretsManager::with(sdk.clone()))],
            clock.clone(),
        );
        let settings = Settings::new("environment", variables, Arc::new(vault));
        log::init(true, settings.parsed("LOG_LEVEL", Verbosity::default())?);
        let names = Names::from_settings(&settings)?;
        let dynamodb = Client::new(&sdk);
        let metrics = Metrics::new(clock.clone());
        Ok(Self { settings, tls, sdk, names, clock, dynamodb, metrics })
    }

    /// The machine's clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// The operating system's random numbers.
    #[must_use]
    pub fn dice(&self) -> Arc<dyn Randomness> {
        Arc::new(SystemRandomness::default())
    }

    /// What this process counts.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The function of this process, which does nothing yet; what was counted is told after every event.
    #[must_use]
    pub fn function(&self) -> Function {
        let function = Function::new(self.clock());
        match self.settings.optional("METRICS_NAMESPACE") {
            Some(namespace) => function.telling(self.metrics(), namespace),
            None => function,
        }
    }

    /// How long things may take.
    ///
    /// # Errors
    /// When `PACE` is set and cannot be used.
    pub fn pace(&self) -> Result<Pace, SettingError> {
        let text = self.settings.optional("PACE").unwrap_or_default();
        pace::read(text).map_err(|problem| self.settings.error("PACE", problem))
    }

    /// The connections, kept for half a minute.
    #[must_use]
    pub fn connections(&self) -> Arc<dyn Connections> {
        let table = DynamoConnections::new(self.dynamodb.clone(), &self.names.ledger, None).relaxed();
        Arc::new(CachedConnections::new(Arc::new(table), self.clock()))
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        let ledger = DynamoLedger::new(self.dynamodb.clone(), &self.names.ledger, None);
        Arc::new(ledger.counted(self.metrics()))
    }

    /// What is noted about connections.
    #[must_use]
    pub fn notes(&self) -> Arc<dyn Notes> {
        Arc::new(DynamoNotes::new(self.dynamodb.clone(), &self.names.ledger))
    }

    /// The topic that alerts go to: `ALERT_TOPIC` is its ARN. None where it is empty: then nobody is told anything.
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn outlet(&self) -> Option<Arc<dyn Outlet>> {
        let topic = self.settings.optional("ALERT_TOPIC")?;
        Some(Arc::new(SnsTopic::new(self.sdk.clone(), topic)))
    }

    /// The name of the stack (`STACK`), for commands in alerts.
    #[cfg(feature = "sns")]
    #[must_use]
    pub fn stack(&self) -> Option<String> {
        self.settings.optional("STACK").map(str::to_owned)
    }

    /// The mappings, kept for half a minute.
    #[must_use]
    pub fn mappings(&self) -> Arc<dyn Mappings> {
        let table = DynamoMappings::new(self.dynamodb.clone(), &self.names.mappings, None);
        Arc::new(CachedMappings::new(Arc::new(table), self.clock()))
    }

    /// The adapters of stores and warehouses.
    ///
    /// # Errors
    /// When their client cannot be set up.
    pub fn partners(&self) -> Result<Arc<dyn Partners>, Failure> {
        let local = self.settings.optional("LOCAL_HOSTS").unwrap_or_default();
        let local = local.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned);
        let http = Http::with_tls(local, self.tls.clone())?;
        let adapters = Adapters::new(self.settings.vault().clone(), http, self.clock());
        Ok(Arc::new(adapters.counted(self.metrics())))
    }

    /// The queue that `<name>_QUEUE_URL` names, to send to.
    ///
    /// # Errors
    /// When the setting is missing.
    pub fn queue(&self, name: &str) -> Result<Arc<SqsQueue>, SettingError> {
        Ok(self.sqs(SqsNames::outgoing(&self.settings, name)?))
    }

    /// The queue whose messages this function handles: `<name>_QUEUE_URL`, and `<name>_DEAD_LETTERS_URL` for those that
    /// are given up.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn inbox(&self, name: &str) -> Result<Arc<SqsQueue>, SettingError> {
        Ok(self.sqs(SqsNames::incoming(&self.settings, name)?))
    }

    fn sqs(&self, names: SqsNames) -> Arc<SqsQueue> {
        Arc::new(SqsQueue::when_needed(self.sdk.clone(), names, self.clock()))
    }
}
