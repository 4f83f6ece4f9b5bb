//! A week of a merchant as the year plays it: the store polled every minute, and trouble as often as in life.

use simulation::coverage::Fault;
use simulation::year::play;

#[test]
fn a_week_polled_every_minute_comes_to_a_good_end() {
    let (minutes, orders) = (7 * 24 * 60, 60);
    let verdict = play(1, minutes, orders);
    assert!(verdict.wrong.is_empty(), "class {:?}: {:#?}", verdict.class, verdict.wrong);
    let looks: u64 =
        verdict.tally.effects.iter().filter(|((what, _), _)| *what == "ledger: cursor").map(|(_, n)| n).sum();
    assert!(looks > minutes - minutes / 100, "polled {looks} times in {minutes} minutes");
    assert_eq!(verdict.ends.values().sum::<u64>(), orders, "{:?}", verdict.ends);
    assert!(verdict.ends.get("posted").is_some_and(|posted| *posted > orders * 9 / 10), "{:?}", verdict.ends);
    assert!(verdict.seen.times(Fault::StoreDown) > 0 && verdict.seen.times(Fault::LedgerUnclear) > 0);
}
