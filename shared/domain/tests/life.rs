//! No sequence of steps takes an order where it may not be.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use domain::admission::Admission;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::life::{Stamp, Step, later};
use domain::mapping::WarehouseSku;
use domain::order::OrderDigest;
use domain::record::{Cause, Entry, Exclusion, RECENT_ENTRIES, Record, Stage, Wait};
use domain::shipment::{Contents, Package, Post};
use domain::{OrderKey, PackageId, Token, WarehouseOrderId};
use jiff::Timestamp;
use proptest::prelude::*;

const LEASE: Duration = Duration::from_secs(480);

/// A step as the test draws it; what depends on the record is filled in when it is taken.
#[derive(Debug, Clone)]
enum Move {
    Admit(u8),
    Claim,
    Release { own: bool },
    Refuse { own: bool },
    Doubt { own: bool },
    AskLater,
    Accept,
    SendAgain,
    GiveUp,
    Ship { package: u8, number: u8, contents: u8, voided: bool },
    ClaimPost(u8),
    SettlePost(u8, u8),
    Recall,
    Replace,
    Replaced(u8),
    NotReplaced,
    Cancel,
    Flag(bool),
    LetGo,
    Confirm,
    SendAnew,
    PostAgain,
}

fn moves() -> impl Strategy<Value = Move> {
    let ship = (0..3_u8, 0..4_u8, 0..3_u8, prop::bool::weighted(0.2))
        .prop_map(|(package, number, contents, voided)| Move::Ship { package, number, contents, voided });
    prop_oneof![
        3 => (0..5_u8).prop_map(Move::Admit),
        4 => Just(Move::Claim),
        1 => any::<bool>().prop_map(|own| Move::Release { own }),
        1 => any::<bool>().prop_map(|own| Move::Refuse { own }),
        2 => any::<bool>().prop_map(|own| Move::Doubt { own }),
        1 => Just(Move::AskLater),
        3 => Just(Move::Accept),
        1 => Just(Move::SendAgain),
        1 => Just(Move::GiveUp),
        4 => ship,
        3 => (0..3_u8).prop_map(Move::ClaimPost),
        3 => (0..3_u8, 0..5_u8).prop_map(|(package, post)| Move::SettlePost(package, post)),
        1 => Just(Move::Recall),
        2 => Just(Move::Replace),
        1 => (0..5_u8).prop_map(Move::Replaced),
        1 => Just(Move::NotReplaced),
        1 => Just(Move::Cancel),
        1 => any::<bool>().prop_map(Move::Flag),
        1 => Just(Move::LetGo),
        1 => Just(Move::Confirm),
        1 => Just(Move::SendAnew),
        1 => Just(Move::PostAgain),
    ]
}

fn package_id(n: u8) -> PackageId {
    PackageId::parse(format!("P-{n}")).unwrap()
}

fn tracking(n: u8) -> Option<Tracking> {
    let number = TrackingNumber::read(&format!("1Z{n}")).filter(|_| n > 0)?;
    // The same number, told by another source in other words.
    let given_url = (n == 3).then(|| "https://example.com/1".to_owned());
    Some(Tracking { carrier: Carrier::read(if n == 3 { "FedEx" } else { "UPS" }), number, given_url })
}

fn package(id: u8, number: u8, contents: u8, voided: bool, at: Timestamp) -> Package {
    let tracking = tracking(number);
    let contents = match contents {
        0 => Contents::Everything,
        1 => Contents::Part,
        _ => Contents::Lines(vec![(WarehouseSku::parse("WH-1").unwrap(), 2)]),
    };
    let post = if tracking.is_some() && !voided { Post::Due } else { Post::NotNeeded };
    let earlier = Vec::new();
    Package { id: package_id(id), tracking, shipped_at: at, contents, voided, post, earlier }
}

fn admission(n: u8, now: Timestamp) -> Admission {
    let soon = later(now, Duration::from_secs(900));
    match n {
        0 | 1 => Admission::Ready,
        2 => Admission::Wait(Wait::CoolingOff, soon),
        3 => Admission::Exclude(Exclusion::Digital),
        _ => Admission::Hold(Cause::Comment, soon),
    }
}

fn posts(n: u8) -> Post {
    match n {
        0 => Post::Due,
        1 => Post::Posted,
        2 => Post::Outbox { why: "refused".to_owned() },
        3 => Post::NotNeeded,
        _ => Post::Claimed { token: Token(1), until: Timestamp::MAX },
    }
}

fn digest() -> OrderDigest {
    OrderDigest("d1".to_owned())
}

fn step_of(drawn: &Move, record: &Record, now: Timestamp) -> Step {
    let attempt = |own: bool| match &record.stage {
        Stage::Sending(claim) if own => claim.token,
        _ => Token(u64::MAX),
    };
    let soon = later(now, Duration::from_secs(60));
    let why = || "because".to_owned();
    match drawn.clone() {
        Move::Admit(n) => Step::Admit(admission(n, now), None),
        Move::Claim => Step::Claim { until: later(now, LEASE), units: 4, mapping: 1, digest: None },
        Move::Release { own } => Step::Release { attempt: attempt(own), not_before: soon, why: why() },
        Move::Refuse { own } => Step::Refuse(attempt(own), Cause::Refused(why())),
        Move::Doubt { own } => Step::Doubt { attempt: attempt(own), ask_at: soon, why: why() },
        Move::AskLater => Step::AskLater { ask_at: soon, why: why() },
        Move::Accept => Step::Accept { id: WarehouseOrderId::parse("W-1").unwrap(), how: "" },
        Move::SendAgain => Step::SendAgain("it is not there"),
        Move::GiveUp => Step::GiveUp,
        Move::Ship { package: id, number, contents, voided } => {
            Step::Ship(package(id, number, contents, voided, now))
        }
        Move::ClaimPost(n) => Step::ClaimPost { package: package_id(n), until: later(now, LEASE) },
        Move::SettlePost(n, post) => {
            Step::SettlePost { package: package_id(n), post: posts(post), again: None }
        }
        Move::Recall => Step::Recall(why()),
        Move::Replace => Step::Replace,
        Move::Replaced(n) => Step::Replaced(admission(n, now), Some(digest())),
        Move::NotReplaced => Step::NotReplaced(why()),
        Move::Cancel => Step::Cancel(why()),
        Move::Flag(changed) => {
            Step::Flag(if changed { Cause::ChangedAfterSending } else { Cause::NotCancelled(why()) })
        }
        Move::LetGo => Step::LetGo { digest: digest(), why: why() },
        Move::Confirm => Step::Confirm { id: WarehouseOrderId::parse("W-2").ok(), digest: None, why: why() },
        Move::SendAnew => Step::SendAnew { digest: digest(), why: why() },
        Move::PostAgain => Step::PostAgain(why()),
    }
}

/// Every stage that a step may lead to from a stage.
fn leads_to(from: &str, step: &Move) -> &'static [&'static str] {
    const SHIPPING: &[&str] = &["accepted", "partly shipped", "shipped", "posted"];
    match (step, from) {
        (Move::Admit(0 | 1), "waiting" | "held" | "excluded" | "ready") => &["ready"],
        (Move::Admit(2), "waiting" | "held" | "excluded" | "ready") => &["waiting"],
        (Move::Admit(3), "waiting" | "held" | "excluded" | "ready") => &["excluded"],
        (Move::Admit(_), "waiting" | "held" | "excluded" | "ready") => &["held"],
        (Move::Claim, "ready" | "in doubt") => &["sending"],
        (Move::Release { .. }, "sending") => &["ready", "in doubt"],
        (Move::Refuse { .. }, "sending") => &["held"],
        (Move::Doubt { .. }, "sending") | (Move::AskLater, "in doubt") => &["in doubt"],
        (Move::Accept, "sending" | "in doubt" | "held") => SHIPPING,
        (Move::SendAgain, "in doubt" | "held") => &["ready"],
        (Move::GiveUp, "in doubt") => &["held"],
        (Move::Ship { .. }, "cancelled") => &["cancelled"],
        (Move::Ship { .. }, _) => SHIPPING,
        (Move::ClaimPost(_), "waiting") => &["waiting"],
        (Move::ClaimPost(_) | Move::SettlePost(..) | Move::PostAgain, "held") => &["held"],
        (Move::ClaimPost(_) | Move::SettlePost(..) | Move::PostAgain, "cancelled") => &["cancelled"],
        (
            Move::ClaimPost(_) | Move::SettlePost(..) | Move::PostAgain,
            "accepted" | "partly shipped" | "shipped" | "posted",
        ) => SHIPPING,
        (Move::LetGo, "waiting" | "held" | "excluded") | (Move::SendAnew, "held") => &["ready"],
        (Move::Confirm, "held") => SHIPPING,
        (
            Move::Cancel,
            "waiting" | "ready" | "in doubt" | "held" | "excluded" | "accepted" | "partly shipped",
        ) => &["cancelled"],
        (Move::Recall, "accepted") => &["accepted"],
        (Move::Recall, "partly shipped") => &["partly shipped"],
        (Move::Replace, "accepted") => &["accepted"],
        (Move::Replaced(0 | 1), "accepted") => &["ready"],
        (Move::Replaced(2), "accepted") => &["waiting"],
        (Move::Replaced(3), "accepted") => &["excluded"],
        (Move::Replaced(_), "accepted") | (Move::NotReplaced, "accepted" | "partly shipped") => &["held"],
        (Move::Flag(_), "accepted" | "partly shipped" | "in doubt") => &["held"],
        _ => &[],
    }
}

fn number(package: &Package) -> Option<String> {
    package.tracking.as_ref().map(|tracking| tracking.number.as_str().to_owned())
}

fn pairs<'a>(before: &'a Record, after: &'a Record) -> impl Iterator<Item = (&'a Package, &'a Package)> {
    before.packages.iter().filter_map(|old| Some((old, after.packages.iter().find(|new| new.id == old.id)?)))
}

/// What must hold of every step that is allowed.
fn check(before: &Record, drawn: &Move, after: &Record, stamp: Stamp) -> Result<(), TestCaseError> {
    let allowed = leads_to(before.stage.word(), drawn);
    let has_a_wish = before.recall.is_some() || before.replace;
    let is_told = |record: &Record| {
        matches!(record.stage, Stage::Held(Cause::NotCancelled(_) | Cause::ChangedAfterSending))
    };
    let ships = matches!(drawn, Move::Ship { .. });
    prop_assert!(
        !ships || !is_told(before) || after.stage == before.stage,
        "a package settled what a person is told of"
    );
    let came_too_late = (has_a_wish || is_told(before)) && ships && is_told(after);
    prop_assert!(
        allowed.contains(&after.stage.word()) || came_too_late,
        "{} --{drawn:?}--> {}",
        before.stage.word(),
        after.stage.word()
    );
    prop_assert_eq!((after.version, after.written), (before.version + 1, stamp.token));
    prop_assert!(after.wake.is_some());
    prop_assert!(!matches!(drawn, Move::Recall) || before.recall.is_none(), "the wish is written once");
    if before.recall.is_some() && after.recall.is_none() {
        let ends_it = matches!(drawn, Move::Cancel | Move::Flag(_)) || came_too_late;
        prop_assert!(ends_it, "{drawn:?} forgot the wish to cancel");
    }
    if before.recall.is_none() && after.recall.is_some() {
        prop_assert!(after.wake <= Some(later(stamp.at, Duration::from_secs(20 * 60))), "{:?}", after.wake);
    }
    let is_over = matches!(after.stage, Stage::Shipped | Stage::Posted);
    prop_assert!(!(has_a_wish && is_over), "{drawn:?}: it has left, and nobody is told of the wish");
    let over = matches!(after.stage, Stage::Cancelled | Stage::Held(_));
    prop_assert!(!over || before.recall.is_none() || after.recall.is_none(), "{drawn:?}");
    check_wish_to_replace(before, drawn, after, stamp.at)?;
    let same_stage = before.stage.word() == after.stage.word();
    prop_assert_eq!(after.since, if same_stage { before.since } else { stamp.at });
    let revived = before.is_finished() && !after.is_finished();
    if revived {
        let excluded =
            matches!(before.stage, Stage::Excluded(_)) && matches!(drawn, Move::Admit(_) | Move::LetGo);
        let more_to_post = matches!(drawn, Move::Ship { .. } | Move::PostAgain);
        prop_assert!(excluded || more_to_post, "{drawn:?} revived a finished order");
        let skewed = later(stamp.at, Duration::from_secs(10 * 60));
        prop_assert!(after.wake > Some(skewed), "its only date is past by another clock");
    }
    if before.may_be_there() && matches!(after.stage, Stage::Ready { .. }) {
        let looked = matches!(drawn, Move::SendAgain | Move::SendAnew | Move::Replaced(_));
        prop_assert!(looked || matches!(drawn, Move::Release { own: true }), "{drawn:?}");
        let anew = matches!(drawn, Move::SendAnew | Move::Replaced(_));
        prop_assert!(before.packages.is_empty() || !anew, "a second parcel");
        prop_assert_eq!(after.revision, before.revision + u32::from(anew), "{:?}", drawn);
    }
    if let Stage::Sending(claim) = &before.stage {
        let own = matches!(
            drawn,
            Move::Release { own: true } | Move::Refuse { own: true } | Move::Doubt { own: true }
        );
        let proof = matches!(drawn, Move::Accept | Move::Ship { .. });
        let over = stamp.at >= claim.until && matches!(drawn, Move::Doubt { .. });
        prop_assert!(own || proof || over, "{drawn:?} ended the attempt of another");
    }
    if let Stage::Sending(claim) = &after.stage {
        prop_assert!(after.wake >= Some(claim.until));
    }
    check_packages(before, drawn, after, stamp.at)
}

/// The wish that a changed order takes the place of what the warehouse has.
fn check_wish_to_replace(
    before: &Record,
    drawn: &Move,
    after: &Record,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    if !before.replace && after.replace {
        prop_assert!(matches!(drawn, Move::Replace) && before.packages.is_empty(), "{drawn:?}");
        prop_assert!(after.wake <= Some(later(now, Duration::from_secs(20 * 60))), "{:?}", after.wake);
    }
    if before.replace && !after.replace {
        let ends_it = matches!(
            drawn,
            Move::Replaced(_) | Move::NotReplaced | Move::Recall | Move::Flag(_) | Move::Cancel
        );
        let came_too_late = after.stage == Stage::Held(Cause::ChangedAfterSending);
        prop_assert!(ends_it || came_too_late, "{drawn:?} forgot the wish");
    }
    prop_assert!(
        before.replace || !matches!(drawn, Move::Replaced(_) | Move::NotReplaced),
        "nobody wished it"
    );
    prop_assert!(!after.replace || after.recall.is_none(), "two wishes");
    let at_warehouse = after.stage.is_sent();
    prop_assert!(at_warehouse || !after.replace, "{drawn:?} left the wish behind");
    Ok(())
}

fn check_packages(
    before: &Record,
    drawn: &Move,
    after: &Record,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    prop_assert!(before.packages.iter().all(|old| after.packages.iter().any(|new| new.id == old.id)));
    for (old, new) in pairs(before, after) {
        if old.post == Post::Posted && new.post != Post::Posted {
            prop_assert!(number(old) != number(new), "posted, and then {:?} with the same number", new.post);
        }
        if let (Post::Claimed { token, until }, Post::Claimed { token: next, .. }) = (&old.post, &new.post) {
            prop_assert!(token == next || now >= *until, "claimed twice while the lease lives");
        }
        if new.is_due() {
            prop_assert!(number(new).is_some(), "nothing to post");
        }
        if number(old).is_some() && !matches!(drawn, Move::Ship { number: 1.., .. }) {
            prop_assert_eq!(number(old), number(new), "a number is never forgotten");
        }
        if number(old) != number(new) && !new.voided {
            prop_assert_eq!(&new.post, &Post::Due, "a new number is to be posted");
        }
    }
    Ok(())
}

fn key() -> OrderKey {
    "main/7".parse().unwrap()
}

fn imported(admitted: u8) -> Record {
    let now = Timestamp::UNIX_EPOCH;
    let stamp = Stamp { by: "test", at: now, token: Token(0) };
    let wake = later(now, Duration::from_secs(600));
    Record::imported(key(), &admission(admitted, now), None, wake, stamp)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_steps_leaves_what_is_allowed(
        admitted in 0..5_u8,
        drawn in prop::collection::vec((moves(), 0..900_u64), 1..60),
    ) {
        let mut record = imported(admitted);
        let mut now = Timestamp::UNIX_EPOCH;
        let mut told: Vec<Entry> = record.story.clone();
        let mut spilled: Vec<Entry> = Vec::new();
        for (n, (drawn, seconds)) in drawn.iter().enumerate() {
            now = later(now, Duration::from_secs(*seconds));
            let stamp = Stamp { by: "test", at: now, token: Token(n as u64 + 1) };
            let Ok(after) = record.step(step_of(drawn, &record, now), stamp) else { continue };
            check(&record, drawn, &after, stamp)?;
            told.extend(after.story.last().cloned());
            spilled.extend(after.spilled.iter().cloned());
            prop_assert!(after.story.len() <= RECENT_ENTRIES);
            record = after;
        }
        prop_assert_eq!([spilled, record.story].concat(), told.clone(), "no entry is lost");
        prop_assert!(told.iter().enumerate().all(|(n, entry)| entry.seq as usize == n), "no gap in the story");
    }
}

/// A record after some steps at the same instant.
fn after(drawn: &[Move]) -> Record {
    drawn.iter().fold(imported(0), |record, drawn| {
        let token = Token(record.version);
        let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token };
        record.step(step_of(drawn, &record, stamp.at), stamp).unwrap()
    })
}

const SHIP: Move = Move::Ship { package: 0, number: 1, contents: 0, voided: false };

#[test]
fn an_order_goes_all_the_way() {
    let mut words = Vec::new();
    let way = [Move::Claim, Move::Accept, SHIP, Move::ClaimPost(0), Move::SettlePost(0, 1)];
    for n in 0..=way.len() {
        words.push(after(&way[..n]).stage.word());
    }
    assert_eq!(words, ["ready", "sending", "accepted", "shipped", "shipped", "posted"]);
    assert!(after(&way).is_finished());
}

#[test]
fn a_package_that_follows_a_posted_one_must_be_posted_too() {
    let way = [Move::Claim, Move::Accept, SHIP, Move::ClaimPost(0), Move::SettlePost(0, 1)];
    let month = later(Timestamp::UNIX_EPOCH, Duration::from_secs(30 * 86_400));
    let stamp = Stamp { by: "test", at: month, token: Token(99) };
    let second = package(1, 2, 0, false, month);
    let record = after(&way).step(Step::Ship(second), stamp).unwrap();
    assert_eq!((record.stage.word(), record.due_posts().count()), ("shipped", 1));
    let soon = later(month, Duration::from_secs(20 * 60));
    assert_eq!(record.wake, Some(soon), "and somebody will look, should its message get lost");
}

#[test]
fn a_label_that_is_voided_and_replaced_is_posted_with_its_new_number() {
    let void = Move::Ship { package: 0, number: 0, contents: 0, voided: true };
    let again = Move::Ship { package: 0, number: 2, contents: 0, voided: false };
    let way = [Move::Claim, Move::Accept, SHIP, Move::ClaimPost(0), Move::SettlePost(0, 1), void];
    assert_eq!(after(&way).stage, Stage::Accepted, "nothing has left any more");
    let record = after(&[&way[..], &[again]].concat());
    assert_eq!((record.stage.word(), record.due_posts().count()), ("shipped", 1));
}

#[test]
fn the_same_number_in_other_words_is_no_news() {
    let record = after(&[Move::Claim, Move::Accept, SHIP]);
    let mut other = package(0, 1, 0, false, Timestamp::UNIX_EPOCH);
    let carrier = Carrier::read("United Parcel Service of somewhere");
    other.tracking = other.tracking.map(|tracking| Tracking { carrier, ..tracking });
    assert!(record.knows(&other));
    other.tracking = None;
    assert!(record.knows(&other), "a notice that tells less takes nothing away");
}

#[test]
fn an_order_that_is_released_is_looked_at_at_once() {
    let (now, far) = (Timestamp::UNIX_EPOCH, later(Timestamp::UNIX_EPOCH, Duration::from_secs(86_400)));
    let stamp = Stamp { by: "test", at: now, token: Token(1) };
    let hold = Admission::Hold(Cause::Comment, far);
    let held = Record::imported(key(), &hold, None, far, stamp);
    let ready = held.step(Step::Admit(Admission::Ready, None), stamp).unwrap();
    assert_eq!(ready.wake, Some(now), "who releases it may have no queue");
    let given_up = after(&[Move::Claim, Move::Doubt { own: true }, Move::GiveUp]);
    assert!(given_up.wake > Some(now));
    assert_eq!(given_up.step(Step::SendAgain("a person looked"), stamp).unwrap().wake, Some(now));
}

#[test]
fn a_finished_order_that_is_taken_up_again_is_looked_at_soon_or_on_the_later_date_of_its_step() {
    let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token: Token(1) };
    let (soon, far) = (later(stamp.at, domain::life::SOON), later(stamp.at, Duration::from_secs(86_400)));
    let excluded = imported(3);
    let wake = |to: Admission| excluded.step(Step::Admit(to, None), stamp).unwrap().wake;
    assert_eq!(wake(Admission::Hold(Cause::Comment, far)), Some(far));
    assert_eq!(wake(Admission::Hold(Cause::Comment, stamp.at)), Some(soon), "at once is too early");
    let mut late = excluded.clone();
    late.wake = Some(far);
    let again = late.step(Step::Admit(Admission::Hold(Cause::Comment, far), None), stamp).unwrap();
    assert_eq!(again.wake, Some(soon), "a date of before may be gone");
}

#[test]
fn what_a_person_lets_go_or_sends_anew_is_remembered_by_its_version() {
    let stamp = Stamp { by: "ada", at: Timestamp::UNIX_EPOCH, token: Token(1) };
    let released = imported(4).step(step_of(&Move::LetGo, &imported(4), stamp.at), stamp).unwrap();
    assert_eq!((released.released.clone(), released.digest.clone()), (Some(digest()), Some(digest())));
    let hold = Admission::Hold(Cause::ByPerson("ada".into()), stamp.at);
    let held = released.step(Step::Admit(hold, None), stamp).unwrap();
    assert_eq!(held.released, None, "a person's hold takes a person's word back");

    let flagged = after(&[Move::Claim, Move::Accept, Move::Flag(false)]);
    let anew = flagged.step(step_of(&Move::SendAnew, &flagged, stamp.at), stamp).unwrap();
    assert_eq!(
        (anew.revision, anew.warehouse_order.clone()),
        (1, None),
        "the warehouse cancelled the first one"
    );
    let kept = flagged.step(step_of(&Move::Confirm, &flagged, stamp.at), stamp).unwrap();
    assert_eq!((kept.stage.word(), kept.kept), ("accepted", true));
    assert_eq!(kept.warehouse_order, flagged.warehouse_order, "its id was known");
    let changed = after(&[Move::Claim, Move::Accept, Move::Flag(true)]);
    assert!(!changed.step(step_of(&Move::Confirm, &changed, stamp.at), stamp).unwrap().kept);
}

#[test]
fn nothing_is_sent_anew_of_which_a_package_has_left() {
    let left = after(&[
        Move::Claim,
        Move::Accept,
        Move::Ship { package: 0, number: 1, contents: 1, voided: false },
        Move::Flag(true),
    ]);
    let stamp = Stamp { by: "ada", at: Timestamp::UNIX_EPOCH, token: Token(1) };
    assert!(left.step(step_of(&Move::SendAnew, &left, stamp.at), stamp).is_err());
}

#[test]
fn tracking_in_the_outbox_is_tried_again_and_nothing_else() {
    let way = [Move::Claim, Move::Accept, SHIP, Move::SettlePost(0, 2)];
    let stamp = Stamp { by: "ada", at: Timestamp::UNIX_EPOCH, token: Token(1) };
    let again = after(&way).step(Step::PostAgain("by a person".into()), stamp).unwrap();
    assert_eq!((again.stage.word(), again.due_posts().count()), ("shipped", 1));
    let posted = after(&[Move::Claim, Move::Accept, SHIP, Move::SettlePost(0, 1)]);
    assert!(posted.step(Step::PostAgain("by a person".into()), stamp).is_err());
    let void = Move::Ship { package: 0, number: 0, contents: 0, voided: true };
    let voided = after(&[&way[..], &[void]].concat());
    assert!(voided.step(Step::PostAgain("by a person".into()), stamp).is_err(), "that label is void");
}

/// A way to each stage, with what the order has gone through.
fn ways() -> Vec<(&'static str, Record)> {
    use Move::{Accept, Cancel, Claim, Doubt, GiveUp, Refuse, SettlePost};
    let part = Move::Ship { package: 0, number: 1, contents: 1, voided: false };
    vec![
        ("ready", imported(0)),
        ("waiting", imported(2)),
        ("excluded", imported(3)),
        ("held", imported(4)),
        ("sending", after(&[Claim])),
        ("refused", after(&[Claim, Refuse { own: true }])),
        ("in doubt", after(&[Claim, Doubt { own: true }])),
        ("lost", after(&[Claim, Doubt { own: true }, GiveUp])),
        ("accepted", after(&[Claim, Accept])),
        ("to be replaced", after(&[Claim, Accept, Move::Replace])),
        ("flagged", after(&[Claim, Accept, Move::Flag(true)])),
        ("partly", after(&[Claim, Accept, part])),
        ("shipped", after(&[Claim, Accept, SHIP])),
        ("posted", after(&[Claim, Accept, SHIP, SettlePost(0, 1)])),
        ("cancelled", after(&[Claim, Accept, Cancel])),
    ]
}

#[test]
fn each_step_is_allowed_at_its_stages_and_nowhere_else() {
    use Move::*;
    let undecided: &[&str] = &["ready", "waiting", "excluded", "held", "refused"];
    let everywhere: Vec<&str> = ways().iter().map(|(name, _)| *name).collect();
    // Where the package is known already it is no news.
    let unshipped: Vec<&str> =
        ways().iter().filter(|(_, record)| record.packages.is_empty()).map(|(name, _)| *name).collect();
    for (drawn, stages) in [
        (Admit(0), undecided),
        (Admit(2), undecided),
        (Admit(3), undecided),
        (Admit(4), undecided),
        (Claim, &["ready", "in doubt"]),
        (Release { own: true }, &["sending"]),
        (Release { own: false }, &[]),
        (Refuse { own: true }, &["sending"]),
        (Refuse { own: false }, &[]),
        (Doubt { own: true }, &["sending"]),
        (Doubt { own: false }, &[]),
        (AskLater, &["in doubt"]),
        (Accept, &["sending", "in doubt", "lost"]),
        (SendAgain, &["in doubt", "lost"]),
        (GiveUp, &["in doubt"]),
        (Ship { package: 1, number: 2, contents: 0, voided: false }, &everywhere),
        (SHIP, &unshipped),
        (ClaimPost(0), &["partly", "shipped"]),
        (SettlePost(0, 0), &["partly", "shipped"]),
        (SettlePost(0, 1), &["partly", "shipped"]),
        (SettlePost(0, 2), &["partly", "shipped"]),
        (SettlePost(0, 3), &["partly", "shipped"]),
        (SettlePost(0, 4), &[]),
        (
            Cancel,
            &[
                "ready",
                "waiting",
                "excluded",
                "held",
                "refused",
                "in doubt",
                "lost",
                "accepted",
                "to be replaced",
                "flagged",
                "partly",
            ],
        ),
        (Replace, &["accepted"]),
        (Replaced(0), &["to be replaced"]),
        (NotReplaced, &["to be replaced"]),
        (Flag(true), &["in doubt", "accepted", "to be replaced", "partly"]),
        (LetGo, &["waiting", "excluded", "held", "refused"]),
        (Confirm, &["lost", "flagged"]),
        (SendAnew, &["refused", "lost", "flagged"]),
        (PostAgain, &[]),
    ] {
        for (name, record) in ways() {
            let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token: Token(99) };
            let taken = record.step(step_of(&drawn, &record, stamp.at), stamp);
            assert_eq!(taken.is_ok(), stages.contains(&name), "{drawn:?} of one that is {name}");
            if let Err(forbidden) = taken {
                assert!(forbidden.to_string().contains(record.stage.word()), "{forbidden}");
            }
        }
    }
}

#[test]
fn an_attempt_is_its_own_until_its_lease_has_ended() {
    let sending = after(&[Move::Claim]);
    let doubted = |seconds: u64| {
        let at = later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds));
        let stamp = Stamp { by: "another", at, token: Token(99) };
        sending.step(step_of(&Move::Doubt { own: false }, &sending, at), stamp)
    };
    assert!(doubted(LEASE.as_secs() - 1).is_err());
    let record = doubted(LEASE.as_secs()).unwrap();
    assert_eq!((record.stage.word(), record.attempts), ("in doubt", 1));
    assert_eq!(record.wake, Some(later(Timestamp::UNIX_EPOCH, LEASE + Duration::from_secs(60))));
}

#[test]
fn what_the_warehouse_may_have_is_not_decided_anew() {
    let undecided = ["ready", "waiting", "excluded", "held", "refused"];
    for (name, record) in ways() {
        assert_eq!(record.may_be_there(), !undecided.contains(&name), "one that is {name}");
        let is_sent = ["accepted", "to be replaced", "partly", "shipped", "posted"].contains(&name);
        assert_eq!(record.stage.is_sent(), is_sent, "one that is {name}");
    }
    // A notice came for an order that we thought excluded: it is there, whatever its id.
    let excluded = imported(3);
    let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token: Token(99) };
    let voided = package(0, 1, 0, true, stamp.at);
    let told = excluded.step(Step::Ship(voided), stamp).unwrap();
    assert!(told.warehouse_order.is_none() && told.may_be_there());
}

#[test]
fn an_order_that_a_person_must_look_at_has_a_date_a_day_later() {
    let day = later(Timestamp::UNIX_EPOCH, Duration::from_secs(86_400));
    for (name, record) in ways() {
        if ["refused", "lost", "flagged"].contains(&name) {
            assert_eq!(record.wake, Some(day), "{name}");
        }
    }
}

#[test]
fn every_attempt_is_counted_and_has_a_date_when_its_lease_ends() {
    let again = [Move::Claim, Move::Release { own: true }, Move::Claim];
    let record = after(&again);
    assert_eq!((record.attempts, record.units, record.mapping), (2, 4, 1));
    assert_eq!(record.wake, Some(later(Timestamp::UNIX_EPOCH, LEASE)));
    let soon = later(Timestamp::UNIX_EPOCH, Duration::from_secs(60));
    assert_eq!(after(&again[..2]).wake, Some(soon), "and when it has failed, at its next attempt");
    assert_eq!(after(&again[..2]).stage, Stage::Ready { not_before: Some(soon) });
}

#[test]
fn only_what_needs_nobody_any_more_is_finished() {
    let mut finished: Vec<&str> =
        ways().iter().filter(|(_, r)| r.is_finished()).map(|(name, _)| *name).collect();
    finished.sort_unstable();
    assert_eq!(finished, ["cancelled", "excluded", "posted"]);
    // It was cancelled after all had gone, and its tracking is still to be posted.
    let left = after(&[Move::Claim, Move::Accept, Move::Cancel, SHIP]);
    assert_eq!((left.stage.word(), left.is_finished(), left.due_posts().count()), ("cancelled", false, 1));
}

#[test]
fn a_package_without_need_of_posting_may_turn_out_to_be_posted_and_nothing_else() {
    let silent = Move::Ship { package: 0, number: 0, contents: 0, voided: false };
    let record = after(&[Move::Claim, Move::Accept, silent]);
    assert_eq!((record.stage.word(), record.due_posts().count()), ("posted", 0));
    let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token: Token(99) };
    for (post, allowed) in [(0, false), (1, true), (2, false), (3, false)] {
        let settled = record.step(step_of(&Move::SettlePost(0, post), &record, stamp.at), stamp);
        assert_eq!(settled.is_ok(), allowed, "{:?}", posts(post));
    }
}

#[test]
fn news_goes_to_the_package_that_it_is_about() {
    let second = Move::Ship { package: 1, number: 2, contents: 1, voided: false };
    let record =
        after(&[Move::Claim, Move::Accept, SHIP, second, Move::ClaimPost(1), Move::SettlePost(1, 1)]);
    let posts: Vec<(&str, &Post)> = record.packages.iter().map(|p| (p.id.as_str(), &p.post)).collect();
    assert_eq!(posts, [("P-0", &Post::Due), ("P-1", &Post::Posted)]);
    let void = Move::Ship { package: 1, number: 0, contents: 1, voided: true };
    let stamp = Stamp { by: "test", at: Timestamp::UNIX_EPOCH, token: Token(99) };
    let taken_back = record.step(step_of(&void, &record, stamp.at), stamp).unwrap();
    let voided: Vec<bool> = taken_back.packages.iter().map(|package| package.voided).collect();
    assert_eq!(voided, [false, true]);
}
