//! stub
use crate::http::Http;
use crate::settings::{SettingError, Settings};
use domain::ports::Clock;
use domain::warehouse::Warehouse;
use std::sync::Arc;
pub(super) const NAME: &str = "shipbob";
pub(super) const KEYS: &[&str] = &[];
pub(super) fn connect(
    settings: &Settings,
    _http: Http,
    _clock: Arc<dyn Clock>,
) -> Result<Warehouse, SettingError> {
    Err(settings.error("kind", "stub"))
}
