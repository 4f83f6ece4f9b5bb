//! Text for people: times, tables that fit the screen, colours only where they are wanted.

use std::fmt::Write as _;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

mod table;
pub use table::{Cell, Table};

/// How text is rendered. The caller decides: colours only on a terminal, and not where `NO_COLOR` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// May escape sequences for colours be used?
    pub colours: bool,
    /// Characters per line.
    pub width: usize,
}

impl Style {
    /// No colours, 80 characters.
    pub const PLAIN: Self = Self { colours: false, width: 80 };

    /// The text in a tone, where colours are wanted.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        match (self.colours, tone.code()) {
            (true, Some(code)) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }

    /// A heading on a line of its own.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        format!("{}\n", self.paint(Tone::Strong, text))
    }
}

/// What a text means. The words alone must say it too: colours are never the only sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// As it should be.
    Good,
    /// Needs attention.
    Bad,
    /// Not known, or soon to need attention.
    Warn,
    /// Of less interest.
    Faint,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Warn => Some("33"),
            Self::Faint => Some("2"),
        }
    }
}

/// The zone in which people read times; UTC where nobody has said.
static ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Says in which zone people read times, once for the whole process. What is made for programs stays in UTC.
pub fn read_in(zone: TimeZone) {
    ZONE.get_or_init(|| zone);
}

/// An instant in RFC 3339, UTC, to the second.
#[must_use]
pub fn utc(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// An instant in RFC 3339, to the second, in the zone in which people read times, with its offset.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    ZONE.get().map_or_else(|| utc(at), |zone| in_zone(at, zone))
}

fn in_zone(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    if offset == Offset::UTC {
        return utc(at);
    }
    let local = offset.to_datetime(Timestamp::from_second(at.as_second()).unwrap_or(at));
    let minutes = offset.seconds().abs() / 60;
    let sign = if offset.is_negative() { '-' } else { '+' };
    format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// An instant with its distance from now: `2026-11-23T09:00:00Z (3 min ago)`.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", instant(at), distance(at, now))
}

/// The distance of an instant from now: `3 min ago`, `in 2 h`, `now`.
#[must_use]
pub fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {}", span(seconds.unsigned_abs())),
        _ => format!("{} ago", span(seconds.unsigned_abs())),
    }
}

/// A length of time in its largest sensible unit, rounded down.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A count with its word: `1 order`, `2 orders`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Text from outside, made harmless for a terminal: control characters and marks that turn the direction of writing
/// become a dot.
#[must_use]
pub fn clean(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    text.chars().map(|c| if c.is_control() || turns(c) { '·' } else { c }).collect()
}

/// Breaks a text into lines of at most `width` characters, between words where that is possible. What fits stays as it is,
/// blanks included, so that it can be copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let (width, text) = (width.max(1), clean(text));
    if text.chars().count() <= width {
        return vec![text];
    }
    let (mut lines, mut line, mut length) = (Vec::new(), String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut letters: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + letters.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        while letters.len() > width {
            let rest = letters.split_off(width);
            lines.push(letters.into_iter().collect());
            letters = rest;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += letters.len();
        line.extend(letters);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Lines of `name  value`, the values under each other and wrapped.
#[must_use]
pub fn pairs(pairs: &[(&str, String)], style: Style) -> String {
    let names = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let room = style.width.saturating_sub(names + 4).max(20);
    let mut out = String::new();
    for (name, value) in pairs {
        for (number, line) in wrap(value, room).iter().enumerate() {
            let padded = format!("{:names$}", if number == 0 { name } else { "" });
            // Writing into a String cannot fail.
            let _infallible = writeln!(out, "  {}  {line}", style.paint(Tone::Faint, &padded));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_say_how_long_ago_they_are() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        for (at, text) in [
            ("2026-11-23T08:57:00.5Z", "2026-11-23T08:57:00Z (3 min ago)"),
            ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00Z (now)"),
            ("2026-11-23T09:01:30Z", "2026-11-23T09:01:30Z (in 90 s)"),
            ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z (3 days ago)"),
            ("2026-11-22T20:00:00Z", "2026-11-22T20:00:00Z (13 h ago)"),
        ] {
            assert_eq!(moment(at.parse().unwrap(), now), text);
        }
    }

    #[test]
    fn times_are_told_in_a_zone_with_its_offset() {
        let at: Timestamp = "2026-11-23T09:00:00.7Z".parse().unwrap();
        let zone = |hours, minutes: i32| {
            let offset = Offset::from_seconds(hours * 3600 + minutes * 60).unwrap();
            in_zone(at, &TimeZone::fixed(offset))
        };
        assert_eq!(zone(-5, 0), "2026-11-23T04:00:00-05:00");
        assert_eq!(zone(5, 30), "2026-11-23T14:30:00+05:30");
        assert_eq!(zone(0, 0), "2026-11-23T09:00:00Z");
    }

    #[test]
    fn colours_appear_only_where_they_are_wanted() {
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "no"), "no");
        assert_eq!(Style { colours: true, width: 80 }.paint(Tone::Bad, "no"), "\u{1b}[31mno\u{1b}[0m");
    }

    #[test]
    fn a_text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(wrap("a\u{1b}[2Jb\u{202e}c", 80), ["a·[2Jb·c"]);
    }

    #[test]
    fn long_values_go_on_below_themselves() {
        let text = pairs(&[("why", "one two three four five".into())], Style { colours: false, width: 27 });
        assert_eq!(text, "  why  one two three four\n       five\n");
    }

    proptest! {
        #[test]
        fn no_wrapped_line_is_too_long_and_no_letter_is_lost(text in "\\PC{0,200}", width in 1..60_usize) {
            let lines = wrap(&text, width);
            for line in &lines {
                prop_assert!(line.chars().count() <= width, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&clean(&text)));
        }
    }
}
