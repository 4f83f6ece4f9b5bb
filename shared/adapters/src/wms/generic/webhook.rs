//! Reads the webhooks of a warehouse that is described by settings.

use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::WEBHOOK_SHIPMENTS;
use domain::ports::Clock;
use domain::warehouse::{Heard, NoticeReader, RawWebhook, Unverified, Webhook};
use domain::{Failure, Reference};
use jiff::Timestamp;

use super::keys::Keys;
use super::notices::ShipmentPaths;
use crate::http::Http;
use crate::settings::SettingError;
use crate::signature::Verifier;
use crate::wms::document::{Document, Format, Path};

const READ: &str = "warehouse: read webhook";

/// What a webhook is worth.
enum Worth {
    /// It holds the whole shipment, below this path.
    Shipment(Path, Arc<ShipmentPaths>),
    /// It only says which order to ask about.
    Hint(Path),
}

/// Verifies and reads webhooks.
pub(super) struct Reader {
    verifier: Verifier,
    format: Format,
    event: Option<Path>,
    events: Vec<String>,
    voided_events: Vec<String>,
    worth: Worth,
}

impl Reader {
    /// Reads `webhook.*`, where there is a `webhook.scheme`.
    pub(super) fn read(
        keys: &Keys<'_>,
        paths: Option<&Arc<ShipmentPaths>>,
        http: &Http,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, SettingError> {
        let Some(verifier) = Verifier::from_settings(keys.settings, "webhook", http, clock)? else {
            return Ok(None);
        };
        let settings = keys.settings;
        // A hint that is asked for by name goes before the preset's whole shipment.
        let hint = keys.path("webhook.reference")?;
        if hint.is_some() && settings.optional("webhook.shipment").is_some() {
            let why = "cannot stand beside \"webhook.shipment\": a webhook is either a hint or a shipment";
            return Err(settings.error("webhook.reference", why));
        }
        let worth = match (hint, keys.path("webhook.shipment")?.zip(paths.cloned())) {
            (Some(reference), _) => Worth::Hint(reference),
            (None, Some((path, paths))) => Worth::Shipment(path, paths),
            (None, None) => {
                let why = "is missing; add it (or webhook.reference, where the body is only a hint)";
                return Err(settings.error("webhook.shipment", why));
            }
        };
        let event = keys.path("webhook.event")?;
        let events = keys.words("webhook.events", "");
        if event.is_none() && !events.is_empty() {
            return Err(settings.error("webhook.event", "is missing, and webhook.events are set; add it"));
        }
        let voided_events = keys.words("webhook.voided_events", "");
        Ok(Some(Self { verifier, format: keys.format, event, events, voided_events, worth }))
    }
}

#[async_trait]
impl NoticeReader for Reader {
    async fn verify(&self, raw: RawWebhook, now: Timestamp) -> Result<Webhook, Unverified> {
        self.verifier.verify(raw, now).await
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure> {
        let poison = |why: &str| Failure::poison(READ, why);
        let document = Document::parse(self.format, &webhook.raw().body).map_err(|why| poison(&why))?;
        let mut event = None;
        if let Some(path) = &self.event {
            let word = document.top().text(path);
            if !self.events.is_empty() {
                let word = word.as_ref().ok_or_else(|| poison("it does not say which event it tells"))?;
                if !self.events.iter().any(|known| known.eq_ignore_ascii_case(word)) {
                    return Ok(Vec::new());
                }
            }
            event = word;
        }
        let voided =
            event.is_some_and(|word| self.voided_events.iter().any(|v| v.eq_ignore_ascii_case(&word)));
        match &self.worth {
            Worth::Hint(path) => {
                let text = document.top().text(path).ok_or_else(|| poison("it names no order"))?;
                let reference = Reference::parse(text).map_err(|e| poison(&e.to_string()))?;
                Ok(vec![Heard::Changed(reference)])
            }
            Worth::Shipment(path, paths) => {
                let entries = document.top().list(path).unwrap_or_default();
                if entries.len() > WEBHOOK_SHIPMENTS {
                    return Err(poison(&format!("it holds more than {WEBHOOK_SHIPMENTS} shipments")));
                }
                if entries.is_empty() {
                    return Err(poison("it holds no shipment"));
                }
                entries
                    .into_iter()
                    .map(|entry| {
                        let mut notice = paths.notice(entry).map_err(|why| poison(&why))?;
                        notice.voided |= voided;
                        Ok(Heard::Shipped(notice))
                    })
                    .collect()
            }
        }
    }
}
