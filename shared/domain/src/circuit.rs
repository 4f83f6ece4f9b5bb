//! Is a warehouse there? While it is away it is asked by one order at a time, the probe; all others wait for their date.
//! What has gathered meanwhile is let go little by little, so that new orders pass it. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, Token};
use crate::life::Pace;

/// In so much time the warehouse is to take what is let go together: the longest that a new order waits behind it. Where
/// the sweep comes by every minute, a third of what the warehouse can take is left for new orders.
const TOGETHER: Duration = Duration::from_secs(40);

/// Who has not arrived after so long was lost on the way, and makes room for others. Its own date brings it back.
const LOST: Duration = Duration::from_secs(5 * 60);

/// How many orders of a backlog are let go at first, at least and at most.
const FIRST: usize = 100;
const LEAST: usize = 10;
const MOST: usize = 2000;

/// What is known of a connection's warehouse: whether it answers, and which orders wait for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Counts up with every write; 0 when there was none yet. Kept beside the rest.
    #[serde(skip)]
    pub version: u64,
    /// Since when it has been away; none while it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// What has gathered in front of it; none while everything goes at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog: Option<Backlog>,
}

/// A warehouse that is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Since when.
    pub since: Timestamp,
    /// How often it has been probed.
    #[serde(default)]
    pub probes: u32,
    /// When it may be probed next.
    pub probe_at: Timestamp,
}

/// Orders that wait for their warehouse although their date has come. They stay on their dates, and are let go from the
/// earliest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backlog {
    /// The id of a date: up to here the dates name nobody who needs anything but the warehouse.
    pub passed: String,
    /// How many may be let go together.
    pub window: usize,
    /// When the last ones were let go.
    pub released_at: Timestamp,
    /// Who they are.
    #[serde(default)]
    pub released: Vec<OrderId>,
}

/// What became of the orders that were let go together last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many of them the warehouse does not have yet.
    pub waiting: usize,
    /// When the last of the others got there.
    pub last: Option<Timestamp>,
}

impl Circuit {
    /// The warehouse does not answer: it is away from now on, and may be probed soon. `asked` is how long it asked us to
    /// stay away, if it did.
    #[must_use]
    pub fn opened(&self, now: Timestamp, pace: &Pace, jitter: Token, asked: Option<Duration>) -> Self {
        let away = Away { since: now, probes: 0, probe_at: pace.probe_at(now, 0, jitter, asked) };
        Self { away: Some(away), ..self.clone() }
    }

    /// It is being probed now; who comes meanwhile waits for the next probe.
    #[must_use]
    pub fn probing(&self, now: Timestamp, pace: &Pace, jitter: Token) -> Self {
        let next = |away: &Away| Away {
            since: away.since,
            probes: away.probes.saturating_add(1),
            probe_at: pace.probe_at(now, away.probes.saturating_add(1), jitter, None),
        };
        Self { away: self.away.as_ref().map(next), ..self.clone() }
    }

    /// It answers. What has gathered is let go carefully at first.
    #[must_use]
    pub fn closed(&self) -> Self {
        let careful = |backlog: &Backlog| Backlog { window: FIRST, released: Vec::new(), ..backlog.clone() };
        Self { version: self.version, away: None, backlog: self.backlog.as_ref().map(careful) }
    }

    /// How many orders may be let go together from now on, and how many of these at once; `taken` is what became of the
    /// last ones.
    #[must_use]
    pub fn allowance(&self, now: Timestamp, taken: Taken) -> (usize, usize) {
        match (&self.away, &self.backlog) {
            (Some(away), backlog) => {
                let window = backlog.as_ref().map_or(FIRST, |backlog| backlog.window);
                (window, usize::from(away.probe_at <= now))
            }
            (None, None) => (FIRST, FIRST),
            (None, Some(backlog)) => backlog.allowance(now, taken),
        }
    }
}

impl Backlog {
    fn allowance(&self, now: Timestamp, taken: Taken) -> (usize, usize) {
        let since =
            |at: Timestamp| Duration::try_from(at.duration_since(self.released_at)).unwrap_or_default();
        if self.released.is_empty() {
            return (self.window, self.window);
        }
        if taken.waiting > 0 && since(now) < TOGETHER {
            return (self.window, 0);
        }
        let took = if taken.waiting > 0 { since(now) } else { taken.last.map_or(TOGETHER, since) };
        let arrived = self.released.len().saturating_sub(taken.waiting);
        let fits = arrived as u128 * TOGETHER.as_millis() / took.as_millis().max(1000);
        let fits = usize::try_from(fits).unwrap_or(MOST);
        let window = fits.clamp(self.window / 2, self.window * 2).clamp(LEAST, MOST);
        let on_their_way = if since(now) < LOST { taken.waiting } else { 0 };
        (window, window.saturating_sub(on_their_way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::later;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: u64) -> Timestamp {
        later(NOW, Duration::from_secs(seconds))
    }

    fn away(probes: u32) -> Circuit {
        let away = Away { since: NOW, probes, probe_at: after(60) };
        Circuit { version: 3, away: Some(away), backlog: Some(backlog(400, 1)) }
    }

    fn backlog(window: usize, released: u64) -> Backlog {
        let released = (0..released).map(OrderId).collect();
        Backlog { passed: "x".to_owned(), window, released_at: NOW, released }
    }

    fn allowance(backlog: Backlog, seconds: u64, waiting: usize, last: u64) -> (usize, usize) {
        let circuit = Circuit { backlog: Some(backlog), ..Circuit::default() };
        circuit.allowance(after(seconds), Taken { waiting, last: Some(after(last)) })
    }

    #[test]
    fn probes_come_less_and_less_often_but_every_two_minutes_at_least() {
        let pace = Pace::default();
        let mut circuit = Circuit::default().opened(NOW, &pace, Token(0), None);
        let mut waits = Vec::new();
        for _ in 0..6 {
            let away = circuit.away.clone().unwrap();
            let now = later(NOW, Duration::from_secs(1000));
            waits.push(away.probe_at.duration_since(if waits.is_empty() { NOW } else { now }).as_secs());
            circuit = circuit.probing(now, &pace, Token(0));
        }
        assert_eq!(waits, [30, 60, 112, 112, 112, 112]);
        assert_eq!(circuit.away.map(|away| (away.since, away.probes)), Some((NOW, 6)));
    }

    #[test]
    fn a_warehouse_that_asks_to_be_left_alone_is() {
        let asked = Some(Duration::from_secs(600));
        let circuit = Circuit::default().opened(NOW, &Pace::default(), Token(0), asked);
        assert_eq!(circuit.away.unwrap().probe_at, after(600));
    }

    #[test]
    fn while_it_is_away_one_order_may_go_and_only_when_a_probe_is_due() {
        assert_eq!(away(3).allowance(after(59), Taken::default()), (400, 0));
        assert_eq!(away(3).allowance(after(60), Taken::default()), (400, 1));
    }

    #[test]
    fn once_it_answers_its_backlog_is_let_go_carefully() {
        let closed = away(3).closed();
        assert_eq!((closed.version, &closed.away), (3, &None));
        assert_eq!(closed.allowance(after(60), Taken::default()), (FIRST, FIRST));
        assert_eq!(Circuit::default().allowance(NOW, Taken::default()), (FIRST, FIRST), "without any, too");
    }

    #[test]
    fn what_is_let_go_is_what_the_warehouse_takes_in_forty_seconds() {
        assert_eq!(allowance(backlog(100, 100), 60, 0, 2), (200, 200), "twice as much at most");
        assert_eq!(allowance(backlog(100, 100), 60, 0, 32), (125, 125));
        assert_eq!(allowance(backlog(300, 300), 60, 0, 50), (240, 240));
        assert_eq!(allowance(backlog(100, 100), 20, 0, 2), (200, 200), "all have arrived already");
        assert_eq!(allowance(backlog(300, 300), 39, 100, 39), (300, 0), "they are on their way");
        assert_eq!(allowance(backlog(300, 300), 40, 60, 40), (240, 180), "those that are not are slow");
        assert_eq!(allowance(backlog(300, 300), 50, 60, 50), (192, 132), "slower than it should be");
        assert_eq!(allowance(backlog(300, 300), 60, 300, 60), (150, 0), "half as much at least");
        assert_eq!(allowance(backlog(15, 15), 60, 15, 60), (LEAST, 0));
        assert_eq!(allowance(backlog(1500, 1500), 60, 0, 3), (MOST, MOST));
    }

    #[test]
    fn who_is_lost_on_the_way_makes_room_for_others() {
        assert_eq!(allowance(backlog(20, 20), 299, 20, 0), (10, 0));
        assert_eq!(allowance(backlog(20, 20), 300, 20, 0), (10, 10));
    }

    #[test]
    fn it_reads_what_it_has_written_and_what_it_does_not_know() {
        let text = serde_json::to_string(&away(2)).unwrap();
        let back: Circuit = serde_json::from_str(&text).unwrap();
        assert_eq!(Circuit { version: 3, ..back }, away(2));
        assert_eq!(serde_json::from_str::<Circuit>(r#"{"colour":1}"#).unwrap(), Circuit::default());
    }
}
