//! Reads shipments out of a warehouse's answers and webhooks, by the paths of its settings.

use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::mapping::WarehouseSku;
use domain::shipment::{Contents, ShipmentNotice};
use domain::{PackageId, Reference, WarehouseOrderId};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::keys::Keys;
use crate::settings::SettingError;
use crate::wms::document::{Node, Path};

/// Where a shipment's fields stand.
pub(super) struct ShipmentPaths {
    id: Option<Path>,
    reference: Path,
    order_id: Option<Path>,
    carrier: Option<Path>,
    number: Path,
    url: Option<Path>,
    shipped_at: Option<Path>,
    complete: Option<Path>,
    items: Option<(Path, Path, Path)>,
    voided: Option<Path>,
    voided_values: Vec<String>,
    zone: TimeZone,
}

impl ShipmentPaths {
    /// Reads `shipments.*`.
    ///
    /// # Errors
    /// When a path is wrong, or reference or tracking number have none.
    pub(super) fn read(keys: &Keys<'_>) -> Result<Self, SettingError> {
        let items = match keys.path("shipments.items")? {
            None => None,
            Some(list) => Some((
                list,
                keys.need_path("shipments.item_sku")?,
                keys.need_path("shipments.item_quantity")?,
            )),
        };
        let zone = match keys.get("time_zone") {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name.trim()).map_err(|_| {
                keys.settings.error("time_zone", "is no name of a time zone, such as America/Chicago")
            })?,
        };
        Ok(Self {
            id: keys.path("shipments.id")?,
            reference: keys.need_path("shipments.reference")?,
            order_id: keys.path("shipments.order_id")?,
            carrier: keys.path("shipments.carrier")?,
            number: keys.need_path("shipments.number")?,
            url: keys.path("shipments.url")?,
            shipped_at: keys.path("shipments.shipped_at")?,
            complete: keys.path("shipments.complete")?,
            items,
            voided: keys.path("shipments.voided")?,
            voided_values: keys.words("shipments.voided_values", "true,1,yes,voided,void,cancelled,canceled"),
            zone,
        })
    }

    /// One shipment.
    ///
    /// # Errors
    /// Which field is missing or wrong, without its value.
    pub(super) fn notice(&self, node: Node<'_>) -> Result<ShipmentNotice, String> {
        let text = |path: &Option<Path>| path.as_ref().and_then(|path| node.text(path));
        let number = node.text(&self.number);
        let package = text(&self.id).or_else(|| number.clone()).ok_or("it has neither an id nor a number")?;
        let reference = node.text(&self.reference).ok_or("it has no reference")?;
        Ok(ShipmentNotice {
            reference: Reference::parse(reference).map_err(|e| e.to_string())?,
            warehouse_order: text(&self.order_id).and_then(|id| WarehouseOrderId::parse(id).ok()),
            package: PackageId::parse(package).map_err(|e| e.to_string())?,
            shipped_at: text(&self.shipped_at).and_then(|text| instant(&text, &self.zone)),
            tracking: tracking(text(&self.carrier), number, text(&self.url)),
            contents: self.contents(node)?,
            voided: self.voided(node),
        })
    }

    /// The warehouse's word that the order is complete comes first; then what it lists; then nothing is known.
    fn contents(&self, node: Node<'_>) -> Result<Contents, String> {
        let complete = self.complete.as_ref().and_then(|path| node.flag(path));
        if complete == Some(true) {
            return Ok(Contents::Everything);
        }
        let mut lines = self.lines(node)?;
        // Some list what they did not ship as well.
        let listed = !lines.is_empty();
        lines.retain(|(_, pieces)| *pieces > 0);
        Ok(match (lines.is_empty(), complete) {
            (false, _) => Contents::Lines(lines),
            (true, Some(false)) => Contents::Part,
            (true, _) if listed => Contents::Part,
            (true, _) => Contents::Everything,
        })
    }

    fn lines(&self, node: Node<'_>) -> Result<Vec<(WarehouseSku, u32)>, String> {
        let Some((list, sku, quantity)) = &self.items else {
            return Ok(Vec::new());
        };
        let line = |item: Node<'_>| {
            let sku = item.text(sku).and_then(|sku| WarehouseSku::parse(sku).ok())?;
            Some((sku, whole(&item.text(quantity)?)?))
        };
        node.list(list)
            .unwrap_or_default()
            .into_iter()
            .map(|item| line(item).ok_or_else(|| "an item of it has no SKU or no whole quantity".to_owned()))
            .collect()
    }

    fn voided(&self, node: Node<'_>) -> bool {
        let word = self.voided.as_ref().and_then(|path| node.text(path));
        word.is_some_and(|word| self.voided_values.iter().any(|value| value.eq_ignore_ascii_case(&word)))
    }
}

/// Carrier and number, where there is a number.
pub(in crate::wms) fn tracking(
    carrier: Option<String>,
    number: Option<String>,
    url: Option<String>,
) -> Option<Tracking> {
    let number = TrackingNumber::read(&number?)?;
    let is_plain = |url: &String| {
        url.starts_with("https://")
            && url.len() <= 2000
            && !url.contains(|c: char| c.is_control() || c == ' ')
    };
    let given_url = url.filter(is_plain);
    Some(Tracking { carrier: Carrier::read(carrier.as_deref().unwrap_or_default()), number, given_url })
}

/// A quantity, which some warehouses write as `2.0`.
fn whole(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    whole.parse().ok().filter(|_| rest.bytes().all(|b| b == b'0'))
}

/// An instant: with its offset, as Unix seconds, or without a zone, which is then read in `zone`.
pub(in crate::wms) fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    let local: civil::DateTime = text.parse().ok()?;
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_read_with_and_without_its_zone() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        for (text, instant_text) in [
            ("2026-11-23T10:00:00Z", Some("2026-11-23T10:00:00Z")),
            ("2026-11-23T10:00:00+01:00", Some("2026-11-23T09:00:00Z")),
            ("2026-11-23 10:00:00", Some("2026-11-23T16:00:00Z")),
            ("2026-11-23", Some("2026-11-23T06:00:00Z")),
            ("1795399500", Some("2026-11-23T02:05:00Z")),
            ("yesterday", None),
        ] {
            let expected = instant_text.map(|text| text.parse::<Timestamp>().unwrap());
            assert_eq!(instant(text, &zone), expected, "{text}");
        }
    }

    #[test]
    fn a_quantity_is_whole() {
        assert_eq!(
            [whole("2"), whole("2.0"), whole("2.5"), whole("-1"), whole("")],
            [Some(2), Some(2), None, None, None]
        );
    }

    proptest! {
        #[test]
        fn any_time_is_read_or_not(text in "\\PC*|[0-9:TZ+. -]*") {
            let _either = instant(&text, &TimeZone::UTC);
        }
    }
}
