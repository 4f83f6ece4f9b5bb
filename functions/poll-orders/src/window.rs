//! Which part of a store's order list a poll reads, and how far the cursor moves after it. Pure.

use std::time::Duration;

use domain::OrderId;
use domain::connection::Connection;
use domain::ports::{Cursor, Window};
use jiff::{Timestamp, ToSpan};

/// The list is read in slices no longer than this, so that a long history is checkpointed.
const SLICE: Duration = Duration::from_secs(30 * 86_400);

/// The shortest slice.
const SHORTEST_SLICE: Duration = Duration::from_secs(86_400);

/// How far past now a window reaches: the store's zone is not documented, and clocks differ (dossier section 2).
const MARGIN: Duration = Duration::from_secs(2 * 86_400);

/// One sweep's window.
pub(crate) struct Sweep {
    /// The dates to list.
    pub(crate) dates: Window,
    /// When the sweep began. The position never gets past it, whatever dates the store's orders bear.
    began: Timestamp,
    /// Is it a slice of history that ends in the past, so that the cursor moves on even if it holds nothing new?
    pub(crate) moves_by_itself: bool,
}

/// Is it this connection's turn in the minute of `now`? Connections with the same interval are spread over it.
pub(crate) fn is_turn(connection: &Connection, now: Timestamp) -> bool {
    let interval = i64::from(connection.schedule.orders_minutes.max(1));
    let offset: i64 = connection.id.as_str().bytes().map(i64::from).sum();
    now.as_second() / 60 % interval == offset % interval
}

/// The window that the next sweep of a connection lists: from the cursor less the overlap, with a fixed end.
pub(crate) fn next(connection: &Connection, cursor: &Cursor, now: Timestamp) -> Sweep {
    let overlap = Duration::from_secs(u64::from(connection.schedule.overlap_minutes) * 60);
    let begin = cursor.position.or(connection.policies.start);
    let from = begin.and_then(|begin| begin.checked_sub(overlap).ok());
    let open_end = domain::life::later(now, MARGIN);
    let slice_end = from.map(|from| domain::life::later(from, overlap + slice(cursor)));
    match slice_end {
        Some(end) if end < now => {
            Sweep { dates: Window { from, to: whole_second(end) }, began: now, moves_by_itself: true }
        }
        _ => Sweep { dates: Window { from, to: whole_second(open_end) }, began: now, moves_by_itself: false },
    }
}

/// A slice that holds more orders than one sweep can list would never be done: the more of it is in the ledger already,
/// the shorter the next one is.
fn slice(cursor: &Cursor) -> Duration {
    let shorter = u32::try_from(cursor.seen.len() / 2000).unwrap_or(u32::MAX).saturating_add(1);
    (SLICE / shorter).max(SHORTEST_SLICE)
}

/// The store's dates have no fractions.
fn whole_second(at: Timestamp) -> Timestamp {
    at.checked_sub(i64::from(at.subsec_nanosecond()).nanoseconds()).unwrap_or(at)
}

impl Sweep {
    /// The cursor after this sweep listed `listed` and brought `imported` into the ledger, `newest` of them ordered last.
    /// Only a complete sweep moves the position; every sweep remembers what is in the ledger.
    pub(crate) fn cursor_after(
        &self,
        cursor: &Cursor,
        listed: &[OrderId],
        imported: &[OrderId],
        newest: Option<Timestamp>,
        complete: bool,
    ) -> Cursor {
        if complete {
            let reached =
                if self.moves_by_itself { Some(self.dates.to) } else { newest.min(Some(self.began)) };
            return super::moved(cursor, cursor.position.max(reached), listed.to_vec());
        }
        let seen = cursor.seen.iter().chain(imported).copied().collect();
        super::moved(cursor, cursor.position, seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::connection::{History, Schedule};
    use domain::policy::Policies;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn connection(start: &str, every: u32) -> Connection {
        Connection {
            id: "main".parse().unwrap(),
            name: String::new(),
            enabled: true,
            store: [].into(),
            warehouse: [].into(),
            policies: Policies { start: Some(at(start)), ..Policies::default() },
            schedule: Schedule { orders_minutes: every, overlap_minutes: 60, ..Schedule::default() },
            history: History::Unknown,
        }
    }

    fn cursor(position: Option<&str>, seen: &[u64]) -> Cursor {
        let seen = seen.iter().map(|id| OrderId(*id)).collect();
        Cursor { version: 3, position: position.map(at), seen }
    }

    #[test]
    fn the_first_window_begins_at_the_start_date_less_the_overlap() {
        let sweep =
            next(&connection("2026-11-01T00:00:00Z", 5), &cursor(None, &[]), at("2026-11-10T12:00:00.5Z"));
        assert_eq!(sweep.dates.from, Some(at("2026-10-31T23:00:00Z")));
        assert_eq!(sweep.dates.to, at("2026-11-12T12:00:00Z"));
        assert!(!sweep.moves_by_itself);
    }

    #[test]
    fn a_long_history_is_read_in_slices_that_move_the_cursor_even_when_empty() {
        let sweep =
            next(&connection("2026-01-01T00:00:00Z", 5), &cursor(None, &[]), at("2026-11-10T12:00:00Z"));
        assert!(sweep.moves_by_itself);
        assert_eq!(sweep.dates.to, at("2026-01-31T00:00:00Z"));
        let after = sweep.cursor_after(&cursor(None, &[]), &[], &[], None, true);
        assert_eq!(after.position, Some(at("2026-01-31T00:00:00Z")));
    }

    #[test]
    fn the_slice_that_ends_now_is_the_last_one() {
        let now = at("2026-11-10T12:00:00Z");
        for (start, is_last) in
            [("2026-10-11T11:59:59Z", false), ("2026-10-11T12:00:00Z", true), ("2026-11-09T12:00:00Z", true)]
        {
            let sweep = next(&connection(start, 5), &cursor(None, &[]), now);
            assert_eq!(sweep.moves_by_itself, !is_last, "{start}");
            assert_eq!(sweep.dates.to > now, is_last, "{start}: the last one reaches past now");
        }
    }

    #[test]
    fn an_incomplete_sweep_remembers_what_it_did_and_moves_nothing() {
        let before = cursor(Some("2026-11-01T00:00:00Z"), &[5]);
        let sweep = next(&connection("2026-10-01T00:00:00Z", 5), &before, at("2026-11-02T00:00:00Z"));
        let listed = [OrderId(5), OrderId(7), OrderId(6)];
        let newest = Some(at("2026-11-01T12:00:00Z"));
        let part = sweep.cursor_after(&before, &listed, &[OrderId(7)], newest, false);
        assert_eq!((part.position, part.seen), (before.position, vec![OrderId(5), OrderId(7)]));
        let whole = sweep.cursor_after(&before, &listed, &[OrderId(7), OrderId(6)], newest, true);
        assert_eq!((whole.position, whole.seen), (newest, vec![OrderId(5), OrderId(6), OrderId(7)]));
    }

    #[test]
    fn a_slice_that_is_too_full_to_be_listed_at_once_gets_shorter() {
        let connection = connection("2026-01-01T00:00:00Z", 5);
        let end = |seen: u64| {
            let seen: Vec<u64> = (0..seen).collect();
            next(&connection, &cursor(None, &seen), at("2026-11-10T12:00:00Z")).dates.to
        };
        assert_eq!(end(0), at("2026-01-31T00:00:00Z"));
        assert_eq!(end(4000), at("2026-01-11T00:00:00Z"));
        assert_eq!(end(1_000_000), at("2026-01-02T00:00:00Z"));
    }

    #[test]
    fn every_connection_has_one_turn_in_its_interval() {
        let mut connection = connection("2026-11-01T00:00:00Z", 5);
        for name in ["main", "a", "b", "c", "d", "e"] {
            connection.id = name.parse().unwrap();
            let turns = (0..10)
                .filter(|minute| is_turn(&connection, Timestamp::from_second(minute * 60).unwrap()))
                .count();
            assert_eq!(turns, 2, "{name}");
        }
        let turn = |name: &str| {
            let named = Connection { id: name.parse().unwrap(), ..connection.clone() };
            (0..5).find(|minute| is_turn(&named, Timestamp::from_second(minute * 60 + 59).unwrap()))
        };
        let turns = ["a", "b", "c", "d", "e"].map(turn);
        assert_eq!(turns, [2, 3, 4, 0, 1].map(Some), "each has its own");
    }
}
