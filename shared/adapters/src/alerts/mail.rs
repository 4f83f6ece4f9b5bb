//! Mail over SMTP: to one or more people, by the server of a provider or one of your own. Always over TLS, but for hosts that
//! the settings name as local.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Failure;
use domain::alert::{Alert, Outlet};
use domain::ports::Clock;
use jiff::fmt::rfc2822::DateTimePrinter;
pub use lettre::address::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::Security;
use crate::secret::SecretRef;

const DURING: &str = "mail: send alert";

/// Time for each step of a conversation with a server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Which server, and who writes to whom.
#[derive(Clone)]
pub struct MailSettings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub security: Security,
    /// Who writes.
    pub from: Address,
    /// Who is written to; at least one.
    pub to: Vec<Address>,
    /// How we prove who we are; none where the server does not ask.
    pub login: Option<(SecretRef, SecretRef)>,
}

/// Reads an address of mail.
///
/// # Errors
/// When it is none.
pub fn address(text: &str) -> Result<Address, Failure> {
    text.trim().parse().map_err(|_| Failure::permanent(DURING, format!("\"{text}\" is no mail address")))
}

/// People's mailboxes.
pub struct Mail {
    settings: MailSettings,
    clock: Arc<dyn Clock>,
}

impl Mail {
    /// Mail by these settings.
    #[must_use]
    pub fn new(settings: MailSettings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
        let MailSettings { host, port, security, login, .. } = &self.settings;
        let builder: AsyncSmtpTransportBuilder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
                .port(*port)
                .timeout(Some(TIMEOUT))
                .hello_name(ClientId::Domain("cartdock".to_owned()))
                .tls(match security {
                    Security::StartTls => Tls::Required(believing(host)?),
                    Security::OnConnect => Tls::Wrapper(believing(host)?),
                    Security::None => Tls::None,
                });
        let Some((user, password)) = login else { return Ok(builder.build()) };
        let (user, password) = (user.get().await?, password.get().await?);
        let credentials = Credentials::new(user.expose().to_owned(), password.expose().to_owned());
        Ok(builder.credentials(credentials).build())
    }

    /// The message with its headers. The text goes as base64: no line of it is too long or means anything to a server.
    fn message(&self, alert: &Alert) -> String {
        let MailSettings { from, to, .. } = &self.settings;
        let now = self.clock.now();
        let date = DateTimePrinter::new().timestamp_to_string(&now).unwrap_or_default();
        let to: Vec<String> = to.iter().map(ToString::to_string).collect();
        let id = format!("<{}.alert@cartdock.invalid>", now.as_nanosecond());
        let head = [
            format!("From: Cartdock <{from}>"),
            format!("To: {}", to.join(",\r\n ")),
            format!("Subject: {}", encoded(&alert.title)),
            format!("Date: {date}"),
            format!("Message-ID: {id}"),
            "Auto-Submitted: auto-generated".to_owned(),
            "MIME-Version: 1.0".to_owned(),
            "Content-Type: text/plain; charset=utf-8".to_owned(),
            "Content-Transfer-Encoding: base64".to_owned(),
        ];
        format!("{}\r\n\r\n{}", head.join("\r\n"), lines(&STANDARD.encode(alert.text.replace('\n', "\r\n"))))
    }
}

/// TLS as everything here has it: rustls with ring, certificates of the system, or the built-in list where it has none.
fn believing(host: &str) -> Result<TlsParameters, Failure> {
    let of = |store| TlsParameters::builder(host.to_owned()).certificate_store(store).build_rustls();
    of(CertificateStore::Default)
        .or_else(|_| of(CertificateStore::WebpkiRoots))
        .map_err(|error| Failure::permanent(DURING, "TLS cannot be set up").caused_by(error))
}

/// A text for a header (RFC 2047): words of base64, none longer than a header's line may be.
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for letter in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if words.last().is_some_and(|word| word.len() + letter.len_utf8() > 42) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    let word = |word: &String| format!("=?UTF-8?B?{}?=", STANDARD.encode(word));
    words.iter().map(word).collect::<Vec<_>>().join("\r\n ")
}

/// Lines of 76 characters.
fn lines(base64: &str) -> String {
    let mut out = String::with_capacity(base64.len() + base64.len() / 38 + 2);
    for (at, letter) in base64.chars().enumerate() {
        if at > 0 && at % 76 == 0 {
            out.push_str("\r\n");
        }
        out.push(letter);
    }
    out.push_str("\r\n");
    out
}

#[async_trait]
impl Outlet for Mail {
    fn name(&self) -> String {
        let to: Vec<String> = self.settings.to.iter().map(ToString::to_string).collect();
        format!("mail to {}", to.join(", "))
    }

    async fn send(&self, alert: &Alert) -> Result<(), Failure> {
        let MailSettings { from, to, .. } = &self.settings;
        let envelope = Envelope::new(Some(from.clone()), to.clone())
            .map_err(|error| Failure::permanent(DURING, "nobody is written to").caused_by(error))?;
        let message = self.message(alert);
        let transport = self.transport().await?;
        transport
            .send_raw(&envelope, message.as_bytes())
            .await
            .map(drop)
            .map_err(|error| self.failure(&error))
    }
}

impl Mail {
    /// What an error means, in words that name the server and nothing secret: its own text may repeat a user's name.
    fn failure(&self, error: &Error) -> Failure {
        let MailSettings { host, port, .. } = &self.settings;
        let what = match error.status() {
            Some(code) if code.to_string() == "535" => {
                "refused user or password; correct the secrets".to_owned()
            }
            Some(code) => format!("answered {code}"),
            None if error.is_timeout() => "did not answer in time".to_owned(),
            None if error.is_tls() => {
                "does not speak TLS with a certificate that is believed; look at host, port and tls"
                    .to_owned()
            }
            None => "cannot be reached, or does not speak as expected; look at host, port and tls".to_owned(),
        };
        let message = format!("{host}:{port} {what}");
        if error.is_permanent() {
            Failure::permanent(DURING, message)
        } else {
            Failure::retryable(DURING, message)
        }
    }
}

#[cfg(test)]
mod tests;
