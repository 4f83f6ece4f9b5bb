//! What an answer means: how long to stay away, and a warehouse's reason without secrets and personal data.

use domain::Failure;
use domain::address::Address;
use jiff::Timestamp;

use crate::http::Answer;
use crate::secret::Secret;

/// Longest reason that is kept, in characters (`Creation::Refused`).
const MAX_REASON: usize = 300;
/// How much of a reason is looked at, in characters.
const LOOKED_AT: usize = 4000;

/// The usual meaning of a status that is no success, with the wait that it asks for.
pub(super) fn failure(answer: &Answer, during: &'static str, now: Timestamp) -> Failure {
    answer.failure(during, now).after(answer.wait(now))
}

/// An answer that we cannot read, although its status is fine: they may answer better later.
pub(super) fn unreadable(during: &'static str, answer: &Answer, why: &str) -> Failure {
    Failure::retryable(during, format!("answered {}, and it cannot be read: {why}", answer.status))
}

/// The values of an address that tell who it is. (Region and country do not, and a reason is often about them.)
pub(super) fn personal(address: &Address) -> Vec<&str> {
    let (first, last) = address.first_and_last_name();
    let mut values = vec![
        address.name.as_str(),
        first,
        last,
        &address.line1,
        &address.line2,
        &address.city,
        &address.postal_code,
        address.phone.as_deref().unwrap_or_default(),
        address.email.as_deref().unwrap_or_default(),
    ];
    values.retain(|value| !value.trim().is_empty());
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
}

/// A warehouse's own words, fit for our log: one line of at most 300 characters without our secrets and without these
/// personal values (as whole words, in any case); each is replaced by `…`.
pub(super) fn reason(text: &str, personal: &[&str], secrets: &[Secret]) -> String {
    // Only so much is looked at, and more than the longest value that has to be found in it.
    let longest = personal.iter().map(|value| value.chars().count()).max().unwrap_or_default();
    let text: String = text.chars().take(LOOKED_AT + longest).collect();
    let mut line = one_line(&text);
    line = without_secrets(&line, secrets);
    let mut chars: Vec<char> = line.chars().collect();
    for value in personal {
        chars = without(&chars, &one_line(value).chars().collect::<Vec<_>>());
    }
    chars.into_iter().take(MAX_REASON).collect()
}

/// A text with each of our secrets replaced by `…`.
pub(super) fn without_secrets(text: &str, secrets: &[Secret]) -> String {
    let secrets = secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` with every whole word that equals `value` replaced.
fn without(text: &[char], value: &[char]) -> Vec<char> {
    if value.is_empty() {
        return text.to_vec();
    }
    let same = |a: &char, b: &char| a == b || a.to_lowercase().eq(b.to_lowercase());
    let inner = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric());
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < text.len() {
        let end = at + value.len();
        let found = text.get(at..end).is_some_and(|part| part.iter().zip(value).all(|(a, b)| same(a, b)));
        let alone = !inner(at.checked_sub(1).and_then(|before| text.get(before))) && !inner(text.get(end));
        if found && alone {
            out.push('…');
            at = end;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_sense_and_loses_people_and_secrets() {
        let address = Address {
            name: "Ann Li".into(),
            line1: "1 Main  Street".into(),
            city: "Ely".into(),
            email: Some("ann@example.com".into()),
            ..Address::default()
        };
        let secrets = [Secret::new("k3y")];
        let cut = |text: &str| reason(text, &personal(&address), &secrets);
        assert_eq!(cut("ANN LI, 1 main street, Ely is unreachable"), "…, …, … is unreachable");
        assert_eq!(cut("cannot rely on Annual plan"), "cannot rely on Annual plan");
        assert_eq!(cut("bad key k3y\r\n\u{7}for ann@example.com"), "bad key … for …");
        assert_eq!(cut(&"x".repeat(1000)).chars().count(), 300);
    }
}
