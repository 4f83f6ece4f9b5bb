//! How we prove to a warehouse who we are: header key, Basic, bearer token, or OAuth2 client credentials.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Failure;
use domain::ports::Clock;

use super::oauth::{OAuth2, Style};
use crate::http::Http;
use crate::secret::{Secret, SecretRef};
use crate::settings::{SettingError, Settings};

/// The credentials of one connection.
pub(super) enum Authorization {
    /// None are needed.
    None,
    /// A key in a header.
    Header(String, SecretRef),
    /// User and password.
    Basic(String, SecretRef),
    /// A token that somebody made for us.
    Bearer(SecretRef),
    /// A token that we fetch.
    OAuth2(Box<OAuth2>),
}

/// The header that carries the credentials of one request.
pub(super) struct Credentials {
    /// Header name and value, where there are credentials at all.
    pub(super) header: Option<(String, String)>,
    /// The secret or the fetched token inside it.
    pub(super) used: Option<Secret>,
}

#[derive(Clone, Copy)]
enum Word {
    None,
    Header,
    Basic,
    Bearer,
    OAuth2,
}

impl Authorization {
    /// Reads `auth` and what belongs to it. There is no default: that a warehouse needs no credentials must be said.
    ///
    /// # Errors
    /// When a setting is missing or wrong.
    pub(super) fn from_settings(
        settings: &Settings,
        http: &Http,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SettingError> {
        const WORDS: &[(&str, Word)] = &[
            ("none", Word::None),
            ("header", Word::Header),
            ("basic", Word::Basic),
            ("bearer", Word::Bearer),
            ("oauth2", Word::OAuth2),
        ];
        if settings.optional("auth").is_none() {
            return Err(settings.error("auth", "is missing; add one of: none, header, basic, bearer, oauth2"));
        }
        Ok(match settings.choice("auth", WORDS)? {
            Word::None => Self::None,
            Word::Header => {
                let name = settings.optional("auth.header").unwrap_or("X-Api-Key").trim().to_owned();
                if !is_header_name(&name) {
                    return Err(settings.error("auth.header", "is no name of a header"));
                }
                Self::Header(name, settings.secret("auth.key")?)
            }
            Word::Basic => {
                Self::Basic(settings.text("auth.user")?.to_owned(), settings.secret("auth.password")?)
            }
            Word::Bearer => Self::Bearer(settings.secret("auth.key")?),
            Word::OAuth2 => {
                const STYLES: &[(&str, Style)] = &[("basic", Style::Basic), ("body", Style::Body)];
                let url = settings.address("auth.token_url", None)?;
                Self::OAuth2(Box::new(OAuth2::new(
                    http.only([&url]),
                    clock.clone(),
                    url,
                    settings.text("auth.client_id")?.to_owned(),
                    settings.secret("auth.client_secret")?,
                    settings.optional("auth.scope").map(str::to_owned),
                    settings.choice("auth.style", STYLES)?,
                )))
            }
        })
    }

    /// The credentials of one request.
    ///
    /// # Errors
    /// When a secret or a token cannot be fetched.
    pub(super) async fn credentials(&self) -> Result<Credentials, Failure> {
        let used = match self {
            Self::None => return Ok(Credentials { header: None, used: None }),
            Self::Header(_, secret) | Self::Basic(_, secret) | Self::Bearer(secret) => secret.get().await?,
            Self::OAuth2(oauth) => oauth.token().await?,
        };
        let (name, value) = match self {
            Self::Header(name, _) => (name.as_str(), used.expose().to_owned()),
            Self::Basic(user, _) => {
                let pair = format!("{user}:{}", used.expose());
                ("authorization", format!("Basic {}", STANDARD.encode(pair)))
            }
            _ => ("authorization", format!("Bearer {}", used.expose())),
        };
        Ok(Credentials { header: Some((name.to_owned(), value)), used: Some(used) })
    }

    /// To be called when the warehouse refused these credentials. True: others may be tried at once.
    pub(super) async fn renewed(&self, credentials: &Credentials) -> bool {
        let Some(used) = &credentials.used else { return false };
        match self {
            Self::None => false,
            Self::Header(_, secret) | Self::Basic(_, secret) | Self::Bearer(secret) => {
                secret.renewed(used).await
            }
            Self::OAuth2(oauth) => {
                oauth.refused(used).await;
                true
            }
        }
    }

    /// The secret that the settings name.
    pub(super) fn stored(&self) -> Option<&SecretRef> {
        match self {
            Self::None => None,
            Self::Header(_, secret) | Self::Basic(_, secret) | Self::Bearer(secret) => Some(secret),
            Self::OAuth2(oauth) => Some(oauth.client_secret()),
        }
    }

    /// The name of the header that carries the credentials.
    pub(super) fn header_name(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Header(name, _) => Some(name),
            Self::Basic(..) | Self::Bearer(_) | Self::OAuth2(_) => Some("authorization"),
        }
    }

    /// The secrets that an answer might repeat, as far as they can be read now.
    pub(super) async fn secrets(&self) -> Vec<Secret> {
        let Some(secret) = self.stored() else { return Vec::new() };
        let mut found: Vec<Secret> = secret.get().await.into_iter().collect();
        if let Ok(Credentials { header: Some((_, value)), used }) = self.credentials().await {
            let coded = value.split_once(' ').map_or(value.as_str(), |(_, coded)| coded);
            found.push(Secret::new(coded));
            found.extend(used);
        }
        found
    }
}

/// May this be the name of a header?
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
