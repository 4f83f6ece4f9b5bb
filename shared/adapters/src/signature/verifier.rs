//! Verifies webhooks as the settings say: a scheme with its secrets, the old one beside the new one, and further proofs.

use std::sync::Arc;

use domain::ports::Clock;
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use jiff::Timestamp;

use super::{PublishedKeys, Reason, Scheme, Signed, WRONG_CREDENTIALS, WRONG_SIGNATURE};
use crate::http::Http;
use crate::secret::{Secret, SecretRef};
use crate::settings::{SettingError, Settings};

/// Seconds that a signed time may differ from ours, either way; the reference libraries' five minutes.
const WINDOW_SECONDS: i64 = 300;
/// Where ShipStation publishes the keys that it signs with.
const SHIPENGINE_KEYS: &str = "https://api.shipengine.com/jwks";

/// A scheme with its secrets, as the settings name them.
pub struct Verifier {
    scheme: Scheme,
    secret: SecretRef,
    previous: Option<SecretRef>,
    /// Basic credentials that are asked for besides, where the sender sends both (ShipMonk).
    also: Option<(String, SecretRef)>,
    /// The sender's own keys, where it signs with such (ShipStation V2).
    published: Option<PublishedKeys>,
    window: i64,
}

impl Verifier {
    /// The names of the settings that [`Verifier::from_settings`] reads, after their prefix.
    pub const KEYS: &[&str] = &[
        "scheme",
        "secret",
        "secret_previous",
        "header",
        "timestamp_header",
        "user",
        "password",
        "token_in",
        "window_seconds",
        "jwks_url",
    ];

    /// Standard Webhooks with this secret, and with the previous one while it is being rotated.
    #[must_use]
    pub fn standard(secret: SecretRef, previous: Option<SecretRef>) -> Self {
        Self {
            scheme: Scheme::Standard,
            secret,
            previous,
            also: None,
            published: None,
            window: WINDOW_SECONDS,
        }
    }

    /// Reads `<prefix>.scheme` and what belongs to it; nothing where no scheme is set.
    ///
    /// # Errors
    /// When a setting is wrong, or a scheme is set without its secret: nothing verifies by default.
    pub fn from_settings(
        settings: &Settings,
        prefix: &str,
        http: &Http,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, SettingError> {
        let key = |name: &str| format!("{prefix}.{name}");
        if settings.optional(&key("scheme")).is_none() {
            return Ok(None);
        }
        let (scheme, is_published) = scheme_of(settings, prefix)?;
        let published = match (is_published, settings.optional(&key("jwks_url"))) {
            (true, _) => {
                let url = settings.address(&key("jwks_url"), Some(SHIPENGINE_KEYS))?;
                Some(PublishedKeys::new(http, clock.clone(), url))
            }
            (false, Some(_)) => {
                return Err(settings.error(&key("jwks_url"), "is only of use with the scheme shipengine"));
            }
            (false, None) => None,
        };
        let user = settings.optional(&key("user")).map(str::to_owned);
        let also = match (settings.optional_secret(&key("password"))?, user, &scheme) {
            (Some(_), _, Scheme::Basic { .. }) => {
                let cure = format!("is not used by the scheme basic; the password is \"{}\"", key("secret"));
                return Err(settings.error(&key("password"), cure));
            }
            (Some(password), Some(user), _) => Some((user, password)),
            (Some(_), None, _) => {
                return Err(settings.error(&key("user"), "is missing beside a password; add it"));
            }
            (None, Some(_), Scheme::Basic { .. }) | (None, None, _) => None,
            (None, Some(_), _) => {
                return Err(
                    settings.error(&key("password"), "is missing beside a user; add it, as @env:NAME")
                );
            }
        };
        let window = settings.parsed(&key("window_seconds"), WINDOW_SECONDS)?;
        if !(1..=86_400).contains(&window) {
            return Err(settings.error(&key("window_seconds"), "must be between 1 and 86400"));
        }
        Ok(Some(Self {
            scheme,
            secret: settings.secret(&key("secret"))?,
            previous: settings.optional_secret(&key("secret_previous"))?,
            also,
            published,
            window,
        }))
    }

    /// Believes the webhook or not.
    ///
    /// # Errors
    /// Wrong, missing or stale credentials, and when our own secret cannot be read: never a yes by default.
    pub async fn verify(&self, raw: RawWebhook, now: Timestamp) -> Result<Webhook, Unverified> {
        if let Some((user, password)) = &self.also {
            self.proves(&Scheme::Basic { user: user.clone() }, password, &raw, now).await?;
        }
        self.knows_a_secret(&raw, now).await?;
        if let Some(keys) = &self.published {
            self.is_signed(keys, &raw, now).await?;
        }
        Ok(Webhook::verified(raw))
    }

    /// Does the sender know our secret, or the one before it? Where one of them cannot be read, nobody can say no.
    async fn knows_a_secret(&self, raw: &RawWebhook, now: Timestamp) -> Result<(), Unverified> {
        let mut refusal = None;
        for secret in std::iter::once(&self.secret).chain(&self.previous) {
            match (self.proves(&self.scheme, secret, raw, now).await, &refusal) {
                (Ok(()), _) => return Ok(()),
                (Err(unsure @ Unverified::Unsure(_)), _) => refusal = Some(unsure),
                (Err(stranger), None) => refusal = Some(stranger),
                (Err(_), Some(_)) => {}
            }
        }
        Err(refusal.unwrap_or_else(|| stranger("no secret is set")))
    }

    async fn proves(
        &self,
        scheme: &Scheme,
        secret: &SecretRef,
        raw: &RawWebhook,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let read = async || {
            let unsure = |e| Unverified::Unsure(format!("our own secret cannot be read: {e}"));
            secret.get().await.map_err(unsure)
        };
        let check = |value: &Secret| scheme.check(raw, value.expose(), self.window, now);
        let value = read().await?;
        let mut checked = check(&value);
        // The sender may have heard of a rotation before us.
        if matches!(checked, Err(WRONG_SIGNATURE | WRONG_CREDENTIALS)) && secret.renewed(&value).await {
            checked = check(&read().await?);
        }
        checked.map_err(stranger)
    }

    /// Is it signed with one of the sender's published keys? They are asked for only after the age has been checked.
    async fn is_signed(
        &self,
        keys: &PublishedKeys,
        raw: &RawWebhook,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let signed = Signed::read(raw, self.window, now).map_err(stranger)?;
        let keys = keys.for_webhook(&signed).await.map_err(|e| Unverified::Unsure(e.to_string()))?;
        signed.check(&keys).map_err(stranger)
    }
}

fn stranger(why: Reason) -> Unverified {
    Unverified::Stranger(why.to_owned())
}

/// The words of `<prefix>.scheme`.
#[derive(Clone, Copy)]
enum Word {
    Standard,
    StandardEd25519,
    Hub,
    Timestamped,
    ShipHero,
    ShipMonk,
    ShipEngine,
    Basic,
    Token,
}

/// The scheme of the secret, and whether the sender signs with published keys besides.
///
/// ShipEngine's keys are the same for all its customers: they prove the vendor, not the account. So the address must end
/// in a secret, too.
fn scheme_of(settings: &Settings, prefix: &str) -> Result<(Scheme, bool), SettingError> {
    let key = |name: &str| format!("{prefix}.{name}");
    let word = settings.choice(
        &key("scheme"),
        &[
            ("standard_webhooks", Word::Standard),
            ("standard_webhooks_ed25519", Word::StandardEd25519),
            ("hub_sha256", Word::Hub),
            ("timestamped", Word::Timestamped),
            ("shiphero", Word::ShipHero),
            ("shipmonk", Word::ShipMonk),
            ("shipengine", Word::ShipEngine),
            ("basic", Word::Basic),
            ("token", Word::Token),
        ],
    )?;
    let header = |default: &str| {
        settings
            .optional(&key("header"))
            .map_or_else(|| default.to_owned(), |name| name.trim().to_ascii_lowercase())
    };
    let scheme = match word {
        Word::Standard => Scheme::Standard,
        Word::StandardEd25519 => Scheme::StandardEd25519,
        Word::Hub => Scheme::Hub(header("x-hub-signature-256")),
        Word::Timestamped => Scheme::Timestamped {
            header: header("x-signature"),
            time: settings.optional(&key("timestamp_header")).map(|name| name.trim().to_ascii_lowercase()),
        },
        Word::ShipHero => Scheme::BodySha256(header("x-shiphero-hmac-sha256")),
        Word::ShipMonk => {
            settings.text(&key("user"))?;
            Scheme::BodySha512(header("x-sm-signature"))
        }
        Word::Basic => Scheme::Basic { user: settings.text(&key("user"))?.to_owned() },
        Word::Token => match settings.choice(&key("token_in"), &[("header", true), ("path", false)])? {
            true => Scheme::HeaderToken(header("x-webhook-token")),
            false => Scheme::PathToken,
        },
        Word::ShipEngine => Scheme::PathToken,
    };
    Ok((scheme, matches!(word, Word::ShipEngine)))
}
