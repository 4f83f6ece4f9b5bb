//! The store's dates: several forms, mostly without a zone (dossier sections 2 and 9).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A date that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The instant; of a date alone, its beginning.
    pub(super) at: Timestamp,
    /// Did it come with a time of day?
    pub(super) has_time: bool,
}

/// Reads `2026-10-05T09:14:27` (with a blank, a fraction or an offset as well), `10/5/2026 9:14:27 AM`,
/// `10/05/2026 09:14:27` and dates alone. Without an offset they are in `zone`. None: it is nothing of these, or .NET's
/// "no date" in the year 1.
pub(super) fn read(text: &str, zone: &TimeZone) -> Option<Stamp> {
    let mut scan = Scan(text.trim().as_bytes());
    let date = scan.date()?;
    let has_time = !scan.0.is_empty();
    let (time, offset) = if has_time { scan.time()? } else { (Time::midnight(), None) };
    if !scan.0.is_empty() || date.year() < 1990 {
        return None;
    }
    let at = instant(DateTime::from_parts(date, time), offset, zone)?;
    Some(Stamp { at, has_time })
}

/// The form that the store's date filter takes: `MM/dd/yyyy HH:mm:ss` in its zone (dossier section 2).
pub(super) fn filter(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%m/%d/%Y %H:%M:%S").to_string()
}

/// The form in which the store's documents have times: `yyyy-MM-ddTHH:mm:ss` in its zone.
pub(super) fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn instant(local: DateTime, offset: Option<i32>, zone: &TimeZone) -> Option<Timestamp> {
    match offset {
        Some(seconds) => Offset::from_seconds(seconds).ok()?.to_timestamp(local).ok(),
        None => zone.to_timestamp(local).ok(),
    }
}

/// What is left to read.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn date(&mut self) -> Option<Date> {
        let first = self.number(1, 4)?;
        let (year, month, day) = match self.any()? {
            b'-' => {
                let month = self.number(1, 2)?;
                self.exactly(b'-')?;
                (first, month, self.number(1, 2)?)
            }
            b'/' => {
                let day = self.number(1, 2)?;
                self.exactly(b'/')?;
                (self.number(4, 4)?, first, day)
            }
            _ => return None,
        };
        Date::new(small(year)?, small(month)?, small(day)?).ok()
    }

    /// A time of day, and the seconds of its offset where it has one.
    fn time(&mut self) -> Option<(Time, Option<i32>)> {
        if !matches!(self.any()?, b'T' | b't' | b' ') {
            return None;
        }
        self.blanks();
        let hour = self.number(1, 2)?;
        self.exactly(b':')?;
        let minute = self.number(2, 2)?;
        let second = if self.exactly(b':').is_some() { self.number(2, 2)? } else { 0 };
        let nanos = if self.exactly(b'.').is_some() { self.fraction()? } else { 0 };
        self.blanks();
        let hour = self.half_of_day(hour)?;
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok()?;
        Some((time, self.offset()?))
    }

    fn fraction(&mut self) -> Option<i32> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at_checked(digits).filter(|_| digits > 0)?;
        self.0 = rest;
        let nine = fraction.iter().map(|b| i32::from(b - b'0')).chain(std::iter::repeat(0)).take(9);
        Some(nine.fold(0, |nanos, digit| nanos * 10 + digit))
    }

    /// The hour of 24 after `AM` or `PM`; the hour itself where neither stands.
    fn half_of_day(&mut self, hour: u32) -> Option<u32> {
        let half = match self.0 {
            [b'A' | b'a', b'M' | b'm', ..] => 0,
            [b'P' | b'p', b'M' | b'm', ..] => 12,
            _ => return Some(hour),
        };
        self.0 = self.0.get(2..)?;
        (1..=12).contains(&hour).then_some(hour % 12 + half)
    }

    /// `Z`, `+01:00`, `-0500`; None inside when there is none.
    fn offset(&mut self) -> Option<Option<i32>> {
        let sign = match self.0.first() {
            None => return Some(None),
            Some(b'Z' | b'z') => {
                self.any()?;
                return Some(Some(0));
            }
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.any()?;
        let hours = self.number(2, 2)?;
        let _colon = self.exactly(b':');
        let minutes = self.number(2, 2)?;
        let total = SignedDuration::from_hours(hours.into()) + SignedDuration::from_mins(minutes.into());
        Some(Some(sign * i32::try_from(total.as_secs()).ok()?))
    }

    fn number(&mut self, fewest: usize, most: usize) -> Option<u32> {
        let digits = self.0.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at_checked(digits).filter(|_| digits >= fewest)?;
        self.0 = rest;
        Some(number.iter().fold(0, |sum, b| sum * 10 + u32::from(b - b'0')))
    }

    fn any(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn exactly(&mut self, wanted: u8) -> Option<()> {
        let rest = self.0.strip_prefix(&[wanted])?;
        self.0 = rest;
        Some(())
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }
}

fn small<T: TryFrom<u32>>(number: u32) -> Option<T> {
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eastern() -> TimeZone {
        TimeZone::get("America/New_York").unwrap()
    }

    fn at(text: &str) -> Option<String> {
        read(text, &eastern()).map(|stamp| stamp.at.to_string())
    }

    #[test]
    fn every_form_is_read_in_the_stores_zone() {
        for text in [
            "2026-10-05T09:14:27",
            " 2026-10-05 09:14:27 ",
            "10/5/2026 9:14:27 AM",
            "10/05/2026 09:14:27",
            "10/05/2026  9:14:27 am",
            "2026-10-05T13:14:27Z",
            "2026-10-05T15:14:27+02:00",
            "2026-10-05T08:14:27-0500",
        ] {
            assert_eq!(at(text).as_deref(), Some("2026-10-05T13:14:27Z"), "{text}");
        }
        assert_eq!(at("2026-10-05 09:14:27.250000").as_deref(), Some("2026-10-05T13:14:27.25Z"));
        assert_eq!(at("2026-10-05T09:14:27.1234567").as_deref(), Some("2026-10-05T13:14:27.1234567Z"));
        assert_eq!(at("2026-10-05T09:14").as_deref(), Some("2026-10-05T13:14:00Z"));
    }

    #[test]
    fn noon_and_midnight_are_told_apart() {
        assert_eq!(at("1/2/2026 12:00:00 AM").as_deref(), Some("2026-01-02T05:00:00Z"));
        assert_eq!(at("1/2/2026 12:00:00 PM").as_deref(), Some("2026-01-02T17:00:00Z"));
        assert_eq!(at("1/2/2026 13:00:00 PM"), None);
    }

    #[test]
    fn a_date_alone_says_so() {
        assert!(!read("2026-10-05", &eastern()).unwrap().has_time);
        assert_eq!(at("10/5/2026").as_deref(), Some("2026-10-05T04:00:00Z"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-13-05",
            "2026-02-30T00:00:00",
            "0001-01-01T00:00:00",
            "2026-10-05T25:00:00",
            "2026-10-05T09:14:27 o'clock",
            "2026-10-05T",
            "05.10.2026",
            "2026-10-05T09:14:27+99:99",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn the_hour_that_is_missing_in_spring_is_still_read() {
        assert_eq!(at("2026-03-08T02:30:00").as_deref(), Some("2026-03-08T07:30:00Z"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9TZ:/. +AMPamp-]{0,40}|.{0,40}") {
            let _any = read(&text, &eastern());
        }

        #[test]
        fn what_the_filter_takes_is_read_back(seconds in 946_684_800_i64..4_102_444_800) {
            let at = Timestamp::from_second(seconds).unwrap();
            let utc = TimeZone::UTC;
            prop_assert_eq!(read(&filter(at, &utc), &utc).map(|stamp| stamp.at), Some(at));
            prop_assert_eq!(read(&stamp(at, &utc), &utc).map(|stamp| stamp.at), Some(at));
        }
    }
}
