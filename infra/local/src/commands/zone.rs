//! The zone in which a merchant thinks: that of the shop.

use domain::connection::Connection;
use jiff::tz::TimeZone;

/// The zone of these shops, where they all have the same one. A store whose settings name none has its adapter's default.
pub(super) fn of_shops(connections: &[Connection]) -> Option<TimeZone> {
    let mut names = connections.iter().map(|connection| connection.store.get("time_zone"));
    let first = names.next()?;
    if names.any(|name| name != first) {
        return None;
    }
    let name = first.map_or(adapters::one_shopping_cart::TIME_ZONE, |name| name.trim());
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(zone: Option<&str>) -> Connection {
        let mut connection = testkit::build::connection("main");
        connection.store.remove("time_zone");
        connection.store.extend(zone.map(|zone| ("time_zone".to_owned(), zone.to_owned())));
        connection
    }

    fn of(zones: &[Option<&str>]) -> Option<String> {
        let shops: Vec<Connection> = zones.iter().map(|zone| shop(*zone)).collect();
        of_shops(&shops).and_then(|zone| zone.iana_name().map(str::to_owned))
    }

    #[test]
    fn the_zone_is_that_of_all_shops_or_none() {
        assert_eq!(of(&[None]).as_deref(), Some("America/New_York"));
        assert_eq!(of(&[Some("Europe/Berlin"), Some("Europe/Berlin")]).as_deref(), Some("Europe/Berlin"));
        assert_eq!(of(&[Some("Europe/Berlin"), None]), None);
        assert_eq!(of(&[Some("nowhere")]), None);
        assert_eq!(of(&[]), None);
    }
}
