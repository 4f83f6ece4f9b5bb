//! How a simulated store behaves: its merchant, its clock, its dates, its notifications, its tracking write-back.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::clock::{Now, wall};

/// How the store writes date-times (the real form is inferred, dossier sections 4.1 and 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateForm {
    /// `2026-10-05T09:14:27`
    #[default]
    Iso,
    /// `2026-10-05T09:14:27.1230000-04:00`
    IsoOffset,
    /// `10/5/2026 9:14:27 AM`
    TwelveHour,
    /// `10/05/2026 09:14:27`
    MonthFirst,
}

/// How the store treats the call that writes tracking into an order (dossier section 8.2, an assumption).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WriteBack {
    /// It is listed, and works.
    #[default]
    Offered,
    /// It is not listed, and answers that there is no such method.
    NotOffered,
    /// It is listed, and answers with an error.
    Refused,
    /// It is listed and answers success, but keeps nothing.
    NotStored,
}

/// How to start a [`super::Store`].
#[derive(Clone)]
pub struct StoreOptions {
    /// The merchant's number, in every path.
    pub merchant_id: u64,
    /// The merchant's key, 32 hex digits; upper and lower case are the same.
    pub key: String,
    /// The store's clock.
    pub now: Now,
    /// The zone of its dates and of its date filter. The real one is not documented; New York is the likeliest.
    pub time_zone: TimeZone,
    /// How it writes dates.
    pub dates: DateForm,
    /// Where it sends notifications; none sends none.
    pub notify_url: Option<String>,
    /// The wait before the second attempt of a notification; it doubles each time. The real one is a minute.
    pub notify_delay: Duration,
    /// How it treats tracking.
    pub write_back: WriteBack,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            merchant_id: 900_001,
            key: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
            now: wall(),
            time_zone: TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC),
            dates: DateForm::default(),
            notify_url: None,
            notify_delay: Duration::from_secs(60),
            write_back: WriteBack::default(),
        }
    }
}

impl DateForm {
    pub(crate) fn write(self, at: jiff::civil::DateTime, zone: &TimeZone) -> String {
        match self {
            Self::Iso => at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            Self::IsoOffset => at
                .to_zoned_datetime(zone.clone())
                .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.1230000%:z").to_string())
                .unwrap_or_default(),
            Self::TwelveHour => at.strftime("%-m/%-d/%Y %-I:%M:%S %p").to_string(),
            Self::MonthFirst => at.strftime("%m/%d/%Y %H:%M:%S").to_string(),
        }
    }
}
