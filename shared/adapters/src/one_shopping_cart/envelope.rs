//! The envelope of every answer: `<Response success="…">` around what was asked for, or around an error.

use super::text;
use super::xml::{Document, Parsed};

/// The store's "no data found": an empty list, or an item that is not there (dossier section 5).
pub(super) const NO_DATA: &str = "2040";

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<T> {
    /// Yes, and here it is.
    Yes(T),
    /// No.
    No(Refusal),
}

/// The store's no.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its error code; empty when it gave none. Only 2040 is known, the rest is opaque.
    pub(super) code: String,
    /// Its words, shortened, and left out where they may hold personal data or the key.
    pub(super) message: String,
}

impl Refusal {
    /// Is it just that there is nothing?
    pub(super) fn is_no_data(&self) -> bool {
        self.code == NO_DATA
    }

    /// Code and words in a sentence.
    pub(super) fn reason(&self) -> String {
        let code = if self.code.is_empty() { "no code" } else { self.code.as_str() };
        match self.message.as_str() {
            "" => format!("error {code}"),
            message => format!("error {code}: {message}"),
        }
    }
}

/// Walks through an answer and hands every part of it, but an error, to `part`, which has to leave the part's element.
/// The reply's yes holds the paths of unknown elements.
pub(super) fn open<'a>(
    source: &'a str,
    mut part: impl FnMut(&mut Document<'a>, &'a str) -> Parsed<()>,
) -> Parsed<Reply<Seen>> {
    let (mut document, root) = Document::open(source)?;
    if root != "Response" {
        return Err(document.broken("is not an answer of the store: its root is not Response"));
    }
    let success = document.attribute("success").unwrap_or_default();
    let mut refusal = None;
    while let Some(name) = document.child()? {
        match name {
            "Error" => refusal = Some(read_refusal(&mut document)?),
            _ => part(&mut document, name)?,
        }
    }
    document.finish()?;
    match (success.as_str(), refusal) {
        ("true", None) => Ok(Reply::Yes(Seen { unknown: document.unknown, conflict: document.conflict })),
        (_, Some(refusal)) => Ok(Reply::No(refusal)),
        ("false", None) => Ok(Reply::No(Refusal::default())),
        _ => Err(document.broken("says neither success nor error")),
    }
}

/// Yes or no, whatever else the answer holds.
pub(super) fn verdict(body: &[u8]) -> Parsed<Reply<()>> {
    let source = text::decoded(body)?;
    Ok(match open(&source, |document, _| document.skip())? {
        Reply::Yes(_) => Reply::Yes(()),
        Reply::No(refusal) => Reply::No(refusal),
    })
}

/// What was met on the walk besides what was looked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Paths of unknown elements.
    pub(super) unknown: Vec<String>,
    /// An element that is there twice, with different texts.
    pub(super) conflict: Option<String>,
}

fn read_refusal(document: &mut Document<'_>) -> Parsed<Refusal> {
    let code = document.attribute("code").unwrap_or_default();
    let code = code.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let message = document.text()?;
    Ok(Refusal { code, message: fit_for_a_log(&message) })
}

/// The store's words, unless something in them looks like an e-mail address, a number of a person or a key.
fn fit_for_a_log(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_doubtful = message.contains('@')
        || longest_run(&message, |c| c.is_ascii_digit()) > 6
        || longest_run(&message, char::is_alphanumeric) > 20;
    if is_doubtful {
        String::new()
    } else {
        message.chars().filter(|c| text::is_allowed(*c) && !c.is_control()).take(120).collect()
    }
}

fn longest_run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.split(|c| !wanted(c)).map(|run| run.chars().count()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(source: &str) -> Parsed<Reply<Seen>> {
        open(source, |document, _| document.skip())
    }

    fn refusal(source: &str) -> Refusal {
        match reply(source).unwrap() {
            Reply::No(refusal) => refusal,
            Reply::Yes(_) => panic!("it said yes"),
        }
    }

    #[test]
    fn success_is_compared_as_text() {
        assert_eq!(reply(r#"<Response success="true"/>"#), Ok(Reply::Yes(Seen::default())));
        assert_eq!(refusal(r#"<Response success="false"/>"#).reason(), "error no code");
        for odd in ["<Response/>", r#"<Response success="maybe"/>"#, r#"<Response success=""/>"#] {
            assert_eq!(reply(odd).unwrap_err().what, "says neither success nor error", "{odd}");
        }
    }

    #[test]
    fn an_error_is_an_error_whatever_success_says() {
        let said =
            refusal(r#"<Response success="true"><Error code="9902">SIMULATED: busy</Error></Response>"#);
        assert_eq!(said.reason(), "error 9902: SIMULATED: busy");
        let none = include_str!("../../fixtures/one_shopping_cart/error-2040-no-data.xml");
        assert!(refusal(none).is_no_data());
    }

    #[test]
    fn a_message_with_personal_data_or_a_key_is_left_out() {
        for message in [
            "No client avery@example.com",
            "Phone 5550100123 is wrong",
            "Key 0123abcd0123abcd0123abcd0123abcd is wrong",
        ] {
            let said = refusal(&format!(
                r#"<Response success="false"><Error code="9901">{message}</Error></Response>"#
            ));
            assert_eq!(said.reason(), "error 9901");
        }
    }

    #[test]
    fn a_web_page_is_not_an_answer() {
        let broken = reply("<p>Down for maintenance</p>").unwrap_err();
        assert_eq!(broken.what, "is not an answer of the store: its root is not Response");
    }
}
