//! What people read: the story tells every step of an order, and a reason names what has to be done.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use domain::address::{Address, Place};
use domain::admission::Admission;
use domain::carrier::{Carrier, Tracking, TrackingNumber};
use domain::fulfillment::FulfillmentRequest;
use domain::life::{Stamp, Step};
use domain::mapping::{Gap, Service, Sku};
use domain::money::{Currency, Money};
use domain::order::Order;
use domain::payment::PaymentStatus;
use domain::ports::Parked;
use domain::record::{Cause, Exclusion, Record, Stage, Wait};
use domain::shipment::{Contents, Package, Post};
use domain::warehouse::{RawWebhook, Webhook};
use domain::{ConnectionId, Failure, Kind, OrderId, PackageId, Reference, Token, WarehouseOrderId};
use jiff::Timestamp;
use rust_decimal::Decimal;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const TOKEN: Token = Token(1);

fn stamp() -> Stamp<'static> {
    Stamp { by: "test", at: NOW, token: TOKEN }
}

fn imported(to: &Admission) -> Record {
    Record::imported("main/7".parse().unwrap(), to, None, NOW, stamp())
}

/// What the story says of an order that was ready and took these steps.
fn told(steps: Vec<Step>) -> Vec<String> {
    let mut record = imported(&Admission::Ready);
    let mut all = record.story.clone();
    for step in steps {
        record = record.step(step, stamp()).unwrap();
        all.extend(record.story.last().cloned());
    }
    assert!(all.iter().enumerate().all(|(n, entry)| entry.seq as usize == n && entry.by.as_str() == "test"));
    all.into_iter().map(|entry| entry.what.into()).collect()
}

fn claim() -> Step {
    Step::Claim { until: NOW, units: 1, mapping: 1, digest: None }
}

fn package_id() -> PackageId {
    PackageId::parse("P-1").unwrap()
}

fn ship(number: Option<&str>, voided: bool) -> Step {
    let tracking = number.map(|number| Tracking {
        carrier: Carrier::read("UPS"),
        number: TrackingNumber::read(number).unwrap(),
        given_url: None,
    });
    let post = if tracking.is_some() { Post::Due } else { Post::NotNeeded };
    let contents = Contents::Everything;
    Step::Ship(Package {
        id: package_id(),
        tracking,
        shipped_at: NOW,
        contents,
        voided,
        post,
        earlier: Vec::new(),
    })
}

fn settle(post: Post) -> Step {
    Step::SettlePost { package: package_id(), post, again: None }
}

#[test]
fn a_smooth_order_tells_its_way() {
    let id = WarehouseOrderId::parse("W-1").unwrap();
    let steps = vec![
        claim(),
        Step::Accept { id, how: ", found there" },
        ship(Some("1Z5"), false),
        Step::ClaimPost { package: package_id(), until: NOW },
        settle(Post::Posted),
    ];
    assert_eq!(
        told(steps),
        [
            "imported: ready",
            "sending, attempt 1",
            "accepted as W-1, found there",
            "package left: 1Z5",
            "posting tracking of package P-1",
            "tracking of package P-1 is in the store",
        ]
    );
}

#[test]
fn a_troubled_order_tells_what_went_wrong_and_what_was_done_about_it() {
    let why = || "answered 503".to_owned();
    let steps = vec![
        claim(),
        Step::Release { attempt: TOKEN, not_before: NOW, why: why() },
        claim(),
        Step::Doubt { attempt: TOKEN, ask_at: NOW, why: why() },
        Step::AskLater { ask_at: NOW, why: "asking failed".to_owned() },
        Step::SendAgain("the warehouse does not have it"),
        claim(),
        Step::Refuse(TOKEN, Cause::Refused("no such SKU".to_owned())),
        Step::Admit(Admission::Wait(Wait::CoolingOff, NOW), None),
        Step::Admit(Admission::Exclude(Exclusion::Digital), None),
        Step::Cancel("a person said so".to_owned()),
    ];
    assert_eq!(
        told(steps),
        [
            "imported: ready",
            "sending, attempt 1",
            "not sent: answered 503",
            "sending, attempt 2",
            "in doubt: answered 503",
            "in doubt: asking failed",
            "to be sent again: the warehouse does not have it",
            "sending, attempt 3",
            "held: refused by the warehouse: no such SKU",
            "waiting, inside the cooling-off delay",
            "excluded: nothing in it is shipped",
            "cancelled: a person said so",
        ]
    );
}

#[test]
fn a_package_tells_what_became_of_its_tracking() {
    let id = WarehouseOrderId::parse("W-1").unwrap();
    let before = || vec![claim(), Step::Accept { id: id.clone(), how: "" }];
    for (step, what) in [
        (settle(Post::Due), "tracking of package P-1 is not posted yet"),
        (settle(Post::NotNeeded), "tracking of package P-1 is not posted: write-back is off"),
        (
            settle(Post::Outbox { why: "refused".to_owned() }),
            "tracking of package P-1 is in the outbox: refused",
        ),
        (ship(None, true), "package taken back: no tracking"),
    ] {
        let steps = [before(), vec![ship(Some("1Z5"), false), step]].concat();
        assert_eq!(told(steps).last().map(String::as_str), Some(what));
    }
    let silent = [before(), vec![ship(None, false)]].concat();
    assert_eq!(told(silent).last().map(String::as_str), Some("package left: no tracking"));
}

#[test]
fn a_step_that_is_not_allowed_says_which_and_why() {
    let excluded = imported(&Admission::Exclude(Exclusion::Digital));
    for (step, word) in [(claim(), "claim"), (Step::GiveUp, "give up"), (settle(Post::Posted), "settle post")]
    {
        let forbidden = excluded.step(step, stamp()).unwrap_err();
        assert_eq!(forbidden.to_string(), format!("an order that is excluded cannot {word}"));
    }
}

#[test]
fn a_cause_has_a_word_of_its_own_and_says_what_a_person_needs() {
    let sku = Sku::parse("MUG").unwrap();
    let gaps = vec![
        Gap::UnknownSku(sku.clone()),
        Gap::NoSku(12),
        Gap::UnknownMethod { method: "PIGEON".into(), country: "CA".into() },
        Gap::NoMethod,
        Gap::HeldMethod("EXPRESS".into()),
        Gap::TooMany(sku),
    ];
    let named = |word: &str| vec![word.to_owned(), "city".to_owned()];
    let causes: [(Cause, &str, &[&str], bool); 11] = [
        (
            Cause::Unmapped(gaps),
            "unmapped",
            &[
                "SKU MUG has no listing; ",
                "product 12 has no SKU",
                "no shipping rule for \"PIGEON\" to CA",
                "no shipping method",
                "the rule for \"EXPRESS\" asks for a person",
                "the quantity of SKU MUG is too large",
            ],
            true,
        ),
        (Cause::BadAddress(named("name")), "bad address", &["lacks name, city"], false),
        (Cause::TooLong(named("street")), "too long", &["street, city"], false),
        (Cause::Refused("no stock".into()), "refused", &["no stock"], false),
        (Cause::Comment, "comment", &["remark"], false),
        (Cause::Unreadable("line 3".into()), "unreadable", &["line 3"], true),
        (Cause::Vanished, "vanished", &["store lists it"], true),
        (Cause::InDoubt, "in doubt", &["answer was lost"], false),
        (Cause::ChangedAfterSending, "changed after sending", &["changed in the store"], false),
        (Cause::NotCancelled("packed".into()), "not cancelled", &["packed"], false),
        (Cause::ByPerson("call first".into()), "by a person", &["call first"], false),
    ];
    for (cause, word, says, may_heal) in causes {
        assert_eq!((cause.word(), cause.may_heal()), (word, may_heal));
        let text = cause.to_string();
        assert!(says.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn a_reason_to_wait_or_to_leave_an_order_out_says_which() {
    let texts = [
        Wait::Unpaid("pending".into()).to_string(),
        Wait::CoolingOff.to_string(),
        Exclusion::BeforeStart.to_string(),
        Exclusion::Digital.to_string(),
        Exclusion::NotPaid("refunded".into()).to_string(),
        Exclusion::NeverPaid.to_string(),
        Exclusion::Archived.to_string(),
        Exclusion::ByPerson("a test order".into()).to_string(),
    ];
    let different: BTreeSet<&str> =
        texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    assert_eq!(different.len(), texts.len());
    for (text, datum) in [(&texts[0], "pending"), (&texts[4], "refunded"), (&texts[7], "a test order")] {
        assert!(text.contains(datum), "{text}");
    }
}

#[test]
fn every_stage_has_a_word_of_its_own() {
    let attempt = imported(&Admission::Ready).step(claim(), stamp()).unwrap();
    let stages = [
        (Stage::Waiting(Wait::CoolingOff), "waiting"),
        (Stage::Ready { not_before: None }, "ready"),
        (attempt.stage, "sending"),
        (Stage::InDoubt { ask_at: NOW }, "in doubt"),
        (Stage::Held(Cause::Comment), "held"),
        (Stage::Excluded(Exclusion::Digital), "excluded"),
        (Stage::Accepted, "accepted"),
        (Stage::PartlyShipped, "partly shipped"),
        (Stage::Shipped, "shipped"),
        (Stage::Posted, "posted"),
        (Stage::Cancelled, "cancelled"),
    ];
    for (stage, word) in stages {
        assert_eq!(stage.word(), word);
    }
}

#[test]
fn a_failure_says_what_to_do_about_it() {
    let wait = Some(Duration::from_secs(30));
    for (failure, word, retryable, waits) in [
        (Failure::retryable("acme: create order", "answered 503"), "retryable", true, None),
        (Failure::retryable("acme: create order", "answered 429").after(wait), "retryable", true, wait),
        (Failure::permanent("acme: create order", "refused").after(wait), "permanent", false, None),
        (Failure::poison("acme: create order", "no JSON").after(wait), "poison", false, None),
    ] {
        assert_eq!((failure.kind.word(), failure.is_retryable(), failure.wait()), (word, retryable, waits));
        assert_eq!(failure.to_string(), format!("acme: create order: {}", failure.message));
        assert!(failure.source().is_none());
    }
    let caused = Failure::permanent("acme: create order", "refused").caused_by("connection reset");
    assert_eq!(caused.kind, Kind::Permanent);
    assert_eq!(caused.source().map(ToString::to_string).as_deref(), Some("connection reset"));
}

#[test]
fn an_amount_is_printed_to_the_last_digit_with_its_currency() {
    for text in ["0.10", "14.50", "19.999", "79228162514264337593543950335"] {
        let money = Money { amount: text.parse().unwrap(), currency: Currency::USD };
        assert_eq!(money.to_string(), format!("{text} USD"));
    }
    let euro: Currency = "EUR".parse().unwrap();
    assert_eq!((euro.as_str(), String::from(euro)), ("EUR", "EUR".to_owned()));
    assert_eq!(serde_json::to_string(&euro).unwrap(), r#""EUR""#);
    assert_eq!(serde_json::from_str::<Currency>(r#""EUR""#).unwrap(), euro);
    for bad in ["", "EU", "EURO", "eur", "E1R", "E€"] {
        assert!(bad.parse::<Currency>().is_err(), "{bad:?}");
    }
    assert!(serde_json::from_str::<Currency>(r#""euro""#).is_err());
}

#[test]
fn what_is_not_a_name_says_what_it_should_be() {
    let wrong = ConnectionId::parse("NOT OK").unwrap_err();
    assert!(wrong.to_string().starts_with("not a connection id: 1 to 40 lower-case letters"), "{wrong}");
}

#[test]
fn an_address_prints_its_country_and_nothing_of_the_person() {
    let place = |name: &str, code: Option<&str>| Place { name: name.into(), code: code.map(str::to_owned) };
    let at = |country| Address { name: "Avery Example".into(), country, ..Address::default() };
    let printed = format!("{:?}", at(place("Canada", Some("CA"))));
    assert!(printed.contains("CA") && !printed.contains("Avery"), "{printed}");
    assert!(format!("{:?}", at(place("Atlantis", None))).contains("Atlantis"), "where no code is known");
}

/// Whoever prints one of these by mistake, in a failure or a log, prints no person and no secret.
#[test]
fn what_holds_a_buyers_data_or_a_secret_prints_none_of_it() {
    const MARK: &str = "q7mark";
    let ship_to = Address { name: MARK.into(), line1: MARK.into(), ..Address::default() };
    let order = Order {
        id: OrderId(7),
        client: 1,
        ordered_at: None,
        payment: PaymentStatus::Accepted,
        archived: false,
        lines: Vec::new(),
        ship_to: Some(ship_to.clone()),
        ship_method: None,
        shipping_amount: Decimal::ZERO,
        total: Decimal::ONE,
        currency: Currency::USD,
        comments: MARK.into(),
        recurring_order: None,
        upsells: Vec::new(),
        tracking_shown: Vec::new(),
        unknown_elements: Vec::new(),
    };
    let request = FulfillmentRequest {
        reference: Reference::parse("main-7").unwrap(),
        order_number: "7".into(),
        ordered_at: NOW,
        ship_to,
        lines: Vec::new(),
        service: Service::parse("GROUND").unwrap(),
        comments: MARK.into(),
        total: Money { amount: Decimal::ONE, currency: Currency::USD },
    };
    let webhook = RawWebhook {
        headers: vec![("authorization".into(), MARK.into())],
        path_rest: MARK.into(),
        body: MARK.into(),
    };
    let parked = Parked { id: "p-1".into(), at: NOW, why: "no reference".into(), raw: MARK.into() };
    let as_bytes = format!("{:?}", MARK.as_bytes());
    for (printed, told) in [
        (format!("{order:?}"), "7"),
        (format!("{request:?}"), "main-7"),
        (format!("{webhook:?}"), "1 headers, 6 bytes"),
        (format!("{:?}", Webhook::verified(webhook)), "6 bytes"),
        (format!("{parked:?}"), "no reference"),
    ] {
        assert!(!printed.contains(MARK) && !printed.contains(as_bytes.trim_matches(['[', ']'])), "{printed}");
        assert!(printed.contains(told), "{printed}");
    }
}

#[test]
fn every_payment_status_has_the_word_of_the_settings() {
    for word in
        ["accepted", "authorized", "pending", "declined", "voided", "refunded", "archived", "in review"]
    {
        assert_eq!(PaymentStatus::read(word).word(), word);
    }
    assert_eq!(PaymentStatus::read("Unknown").word(), "undetermined");
    assert_eq!(PaymentStatus::read("Refunded (partial)").word(), "partly_refunded");
}
