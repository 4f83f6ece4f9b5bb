//! A typed view over a map of settings: the process's own, or those of one side of a connection.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::Failure;
use url::Url;

use crate::secret::{SecretRef, Vault};

/// A setting that is missing or wrong: which, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// Where the setting belongs, `connection main, store`.
    pub scope: String,
    /// Its name.
    pub key: String,
    /// What is wrong and the cure. Never the value of a secret.
    pub problem: String,
}

impl SettingError {
    /// Is the setting not there at all?
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.problem.starts_with("is missing")
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: setting \"{}\" {}", self.scope, self.key, self.problem)
    }
}

impl std::error::Error for SettingError {}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::permanent("read settings", error.to_string())
    }
}

/// Settings by name.
#[derive(Clone)]
pub struct Settings {
    scope: String,
    values: BTreeMap<String, String>,
    vault: Arc<Vault>,
}

impl Settings {
    /// A view over `values`; `scope` says in errors where they belong.
    #[must_use]
    pub fn new(scope: impl Into<String>, values: BTreeMap<String, String>, vault: Arc<Vault>) -> Self {
        Self { scope: scope.into(), values, vault }
    }

    /// The variables of the process's environment, which are a function's settings.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn variables() -> BTreeMap<String, String> {
        std::env::vars().collect()
    }

    /// The vault that serves its secrets.
    #[must_use]
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// An error about one of these settings.
    #[must_use]
    pub fn error(&self, key: &str, problem: impl Into<String>) -> SettingError {
        SettingError { scope: self.scope.clone(), key: key.to_owned(), problem: problem.into() }
    }

    /// The names that are set.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is missing or empty.
    pub fn text(&self, key: &str) -> Result<&str, SettingError> {
        self.optional(key).ok_or_else(|| self.error(key, "is missing; add it"))
    }

    /// A text that may be there. Empty is as good as missing.
    #[must_use]
    pub fn optional(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The address of a web server, or a default.
    ///
    /// # Errors
    /// When it is missing, or no address without user and password.
    pub fn address(&self, key: &str, default: Option<&str>) -> Result<Url, SettingError> {
        let text = match default {
            Some(default) => self.optional(key).unwrap_or(default),
            None => self.text(key)?,
        };
        let url = Url::parse(text.trim()).map_err(|e| self.error(key, format!("is no address: {e}")))?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
            return Err(self.error(key, "must start with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self.error(key, "must not hold a user name or password"));
        }
        Ok(url)
    }

    /// A value that is read from its text, or a default.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&self, key: &str, default: T) -> Result<T, SettingError> {
        match self.optional(key) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|e| self.error(key, format!("cannot be read: {e}"))),
        }
    }

    /// One of some words, or the first of them.
    ///
    /// # Errors
    /// When it is another word.
    pub fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<T, SettingError> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let chosen = match self.optional(key) {
            None => words.first(),
            Some(text) => words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim())),
        };
        chosen
            .map(|(_, value)| *value)
            .ok_or_else(|| self.error(key, format!("must be one of: {}", names.join(", "))))
    }

    /// A secret that must be there: a reference that starts with `@`.
    ///
    /// # Errors
    /// When it is missing, or the value itself stands there.
    pub fn secret(&self, key: &str) -> Result<SecretRef, SettingError> {
        self.optional_secret(key)?
            .ok_or_else(|| self.error(key, "is missing; add it, as @env:NAME or @file:/path"))
    }

    /// A secret that may be there.
    ///
    /// # Errors
    /// When the value itself stands there instead of a reference.
    pub fn optional_secret(&self, key: &str) -> Result<Option<SecretRef>, SettingError> {
        match self.optional(key).map(|text| text.trim().strip_prefix('@')) {
            None => Ok(None),
            Some(Some(reference)) => Ok(Some(SecretRef::new(self.vault.clone(), reference))),
            Some(None) => {
                let cure =
                    "must not stand here itself; name it, as @env:NAME, @file:/path or, on AWS, @secret:NAME";
                Err(self.error(key, cure))
            }
        }
    }
}
