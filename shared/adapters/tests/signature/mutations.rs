//! Genuine messages of every scheme, each with one part of what its proof covers changed: none is believed.
//!
//! Left out, because they change nothing that anybody signed: blanks around a value, the case of hex where the vendor does
//! not say which, foreign entries beside the right one in a list of signatures, headers that no scheme covers (such as
//! ShipHero's message id), and the body where the proof is a password or a token. Header names come in lower case.

use domain::warehouse::RawWebhook;
use testkit::numbers::Numbers;

use crate::senders::{Part, Sender, senders};

/// How many are made here; `WEBHOOK_MUTATIONS` asks for another number.
const MUTATIONS: u64 = 100_000;

/// A byte that a header may hold, or one of those that often matter.
fn byte(numbers: &mut Numbers) -> u8 {
    const OFTEN: &[u8] = b" .,=:;+/_-0Av1\t%";
    if numbers.below(2) == 0 {
        OFTEN[numbers.place(OFTEN.len())]
    } else {
        0x20 + (numbers.draw() % 0x5f) as u8
    }
}

const KINDS: [&str; 11] = [
    "bit",
    "byte",
    "insert",
    "delete",
    "swap",
    "cut the end",
    "cut the start",
    "case",
    "repeat",
    "append",
    "another message's",
];

/// The bytes with one change of this kind. `other` is the same part of another genuine message.
fn change(kind: &str, genuine: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    let at = numbers.place(bytes.len());
    let is_empty = bytes.is_empty();
    match kind {
        "bit" if !is_empty => bytes[at] ^= 1 << numbers.place(8),
        "byte" if !is_empty => bytes[at] = byte(numbers),
        "delete" if !is_empty => {
            bytes.remove(at);
        }
        "swap" if bytes.len() > 1 => bytes.swap(at, (at + 1) % genuine.len()),
        "cut the end" => bytes.truncate(at),
        "cut the start" => {
            bytes.drain(..at);
        }
        "case" => {
            let letters: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i].is_ascii_alphabetic()).collect();
            if let Some(letter) = letters.get(numbers.place(letters.len())) {
                bytes[*letter] ^= 0x20;
            }
        }
        "repeat" => bytes.extend_from_slice(genuine),
        "append" => bytes.push([0, b'\n', b' ', b'=', b'.'][numbers.place(5)]),
        "another message's" => bytes = other.to_vec(),
        _ => bytes.insert(at, byte(numbers)),
    }
    bytes
}

fn part(raw: &RawWebhook, part: Part) -> &[u8] {
    match part {
        Part::Body => &raw.body,
        Part::Path => raw.path_rest.as_bytes(),
        Part::Header(name) => raw.header(name).unwrap().as_bytes(),
    }
}

/// The message with this part replaced; none when a header would be no text.
fn with(raw: &RawWebhook, part: Part, bytes: Vec<u8>) -> Option<RawWebhook> {
    let mut raw = raw.clone();
    match part {
        Part::Body => raw.body = bytes,
        Part::Path => raw.path_rest = String::from_utf8(bytes).ok()?,
        Part::Header(name) => {
            let value = String::from_utf8(bytes).ok()?;
            raw.headers.iter_mut().find(|(header, _)| header == name)?.1 = value;
        }
    }
    Some(raw)
}

/// One mutation; none where it would change nothing that is signed.
fn mutation(sender: &Sender, round: usize, numbers: &mut Numbers) -> Option<(RawWebhook, String)> {
    let message = &sender.messages[numbers.place(sender.messages.len())];
    let (place, same) = sender.parts[round % sender.parts.len()];
    let kind = KINDS[(round / sender.parts.len()) % KINDS.len()];
    let other = part(&sender.messages[numbers.place(sender.messages.len())], place);
    let genuine = part(message, place);
    let changed = change(kind, genuine, other, numbers);
    let means_the_same = match place {
        Part::Body | Part::Path => changed == genuine,
        Part::Header(_) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            same.holds(&text(genuine), &text(&changed))
        }
    };
    if means_the_same {
        return None;
    }
    Some((with(message, place, changed)?, format!("{kind} of {place:?}")))
}

#[expect(clippy::disallowed_methods, reason = "the gate's long mode asks for more")]
fn how_many() -> u64 {
    std::env::var("WEBHOOK_MUTATIONS").ok().map_or(MUTATIONS, |text| text.parse().unwrap())
}

#[test]
fn no_mutation_of_a_genuine_webhook_is_believed() {
    let (wanted, senders) = (how_many(), senders());
    for sender in &senders {
        for message in &sender.messages {
            assert!(sender.is_believed(message), "{}: the genuine ones are", sender.name);
        }
    }
    let (mut numbers, mut tried, mut same, mut round) = (Numbers::of(3), 0, 0_u64, 0);
    let mut per_sender = vec![0_u64; senders.len()];
    while tried < wanted {
        for (sender, count) in senders.iter().zip(&mut per_sender) {
            let Some((raw, what)) = mutation(sender, round, &mut numbers) else {
                same += 1;
                continue;
            };
            assert!(!sender.is_believed(&raw), "{}: {what} of round {round}: {raw:?}", sender.name);
            (tried, *count) = (tried + 1, *count + 1);
        }
        round += 1;
    }
    println!(
        "{tried} mutations of {} senders, none believed; {same} more would have changed nothing",
        senders.len()
    );
    assert!(per_sender.iter().all(|count| *count > tried / 20), "every scheme is tried: {per_sender:?}");
    assert!(same < tried / 3, "{same} of {tried} changed nothing");
}
