//! From bytes to text: UTF-8 only, without the characters that XML 1.0 forbids, and with references resolved kindly.

use std::borrow::Cow;

use domain::limits::STORE_DOCUMENT_BYTES;

use super::xml::{Broken, Parsed};

/// The text of a document, ready to be walked through.
///
/// A declared encoding is not believed: .NET declares `utf-16` for documents that it sends as UTF-8. Characters that XML
/// 1.0 forbids are dropped (dossier section 9).
pub(super) fn decoded(body: &[u8]) -> Parsed<Cow<'_, str>> {
    if body.len() > STORE_DOCUMENT_BYTES {
        return Err(Broken::outside("is larger than 1 MiB", STORE_DOCUMENT_BYTES));
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if is_wide(body) {
        return Err(Broken::outside("is UTF-16 or UTF-32, not UTF-8", 0));
    }
    let text =
        std::str::from_utf8(body).map_err(|error| Broken::outside("is not UTF-8", error.valid_up_to()))?;
    check_beginning(text)?;
    Ok(if may_hold_forbidden(body) {
        Cow::Owned(text.chars().filter(|c| is_allowed(*c)).collect())
    } else {
        Cow::Borrowed(text)
    })
}

/// Does it begin like a text whose every character takes two bytes or four? Its NULs would be dropped, and its meaning
/// guessed.
fn is_wide(body: &[u8]) -> bool {
    let begin = body.get(..4).unwrap_or_default();
    begin.contains(&0) && begin.iter().any(|byte| *byte != 0)
}

/// Says early what is no answer of the store at all.
fn check_beginning(text: &str) -> Parsed<()> {
    let begin = text.trim_start_matches(|c: char| c.is_whitespace() || !is_allowed(c));
    let starts = |word: &str| begin.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word));
    let what = match begin {
        "" => "is empty",
        _ if starts("<!doctype html") || starts("<html") => "is a web page, not an answer of the store",
        _ if !begin.starts_with('<') => "is not XML",
        _ => return Ok(()),
    };
    Err(Broken::outside(what, text.len() - begin.len()))
}

/// A quick look at the bytes: control characters, or the lead byte of U+FFFE and U+FFFF.
fn may_hold_forbidden(body: &[u8]) -> bool {
    body.iter()
        .fold(false, |found, b| found | (*b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) | (*b == 0xef))
}

/// Is it a character of XML 1.0 (section 2.2 of the recommendation)?
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}

/// Line ends as XML wants them read: `\r\n` and `\r` are `\n`.
pub(super) fn with_plain_newlines(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

/// What a reference like `&amp;` stands for. One that nobody defined stays as it is: it is the buyer's text, not a
/// reason to fail an order (dossier section 9).
pub(super) fn resolved(reference: &str) -> Cow<'_, str> {
    let name = reference.strip_prefix('&').and_then(|rest| rest.strip_suffix(';')).unwrap_or_default();
    match name.strip_prefix('#') {
        Some(number) => numbered(number).unwrap_or(Cow::Borrowed(reference)),
        None => named(name).map_or(Cow::Borrowed(reference), Cow::Borrowed),
    }
}

fn numbered(number: &str) -> Option<Cow<'static, str>> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let character = char::from_u32(code).filter(|c| is_allowed(*c));
    Some(character.map_or(Cow::Borrowed(""), |c| Cow::Owned(c.to_string())))
}

/// XML's five, and of HTML's those that shop texts hold. `&quote;` is one that clients met (dossier section 9).
fn named(name: &str) -> Option<&'static str> {
    let at = NAMED.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMED.get(at).map(|(_, text)| *text)
}

#[rustfmt::skip]
const NAMED: &[(&str, &str)] = &[
    ("AElig", "Æ"), ("Aacute", "Á"), ("Acirc", "Â"), ("Agrave", "À"), ("Aring", "Å"), ("Atilde", "Ã"), ("Auml", "Ä"),
    ("Ccedil", "Ç"), ("Eacute", "É"), ("Ecirc", "Ê"), ("Egrave", "È"), ("Euml", "Ë"), ("Iacute", "Í"), ("Icirc", "Î"),
    ("Igrave", "Ì"), ("Iuml", "Ï"), ("Ntilde", "Ñ"), ("OElig", "Œ"), ("Oacute", "Ó"), ("Ocirc", "Ô"), ("Ograve", "Ò"),
    ("Oslash", "Ø"), ("Otilde", "Õ"), ("Ouml", "Ö"), ("Uacute", "Ú"), ("Ucirc", "Û"), ("Ugrave", "Ù"), ("Uuml", "Ü"),
    ("aacute", "á"), ("acirc", "â"), ("aelig", "æ"), ("agrave", "à"), ("amp", "&"), ("apos", "'"), ("aring", "å"),
    ("atilde", "ã"), ("auml", "ä"), ("bull", "•"), ("ccedil", "ç"), ("cent", "¢"), ("copy", "©"), ("deg", "°"),
    ("eacute", "é"), ("ecirc", "ê"), ("egrave", "è"), ("euml", "ë"), ("euro", "€"), ("frac12", "½"), ("frac14", "¼"),
    ("frac34", "¾"), ("gt", ">"), ("hellip", "…"), ("iacute", "í"), ("icirc", "î"), ("iexcl", "¡"), ("igrave", "ì"),
    ("iquest", "¿"), ("iuml", "ï"), ("laquo", "«"), ("ldquo", "“"), ("lsquo", "‘"), ("lt", "<"), ("mdash", "—"),
    ("middot", "·"), ("nbsp", "\u{a0}"), ("ndash", "–"), ("ntilde", "ñ"), ("oacute", "ó"), ("ocirc", "ô"),
    ("oelig", "œ"), ("ograve", "ò"), ("ordf", "ª"), ("ordm", "º"), ("oslash", "ø"), ("otilde", "õ"), ("ouml", "ö"),
    ("pound", "£"), ("quot", "\""), ("quote", "\""), ("raquo", "»"), ("rdquo", "”"), ("reg", "®"), ("rsquo", "’"),
    ("szlig", "ß"), ("times", "×"), ("trade", "™"), ("uacute", "ú"), ("ucirc", "û"), ("ugrave", "ù"), ("uuml", "ü"),
    ("yacute", "ý"), ("yen", "¥"), ("yuml", "ÿ"),
];

/// Text made safe to stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars().filter(|c| is_allowed(*c)) {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Text made safe to stand in a path segment or a query.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_so_that_they_are_found() {
        assert!(NAMED.is_sorted());
        assert_eq!((named("amp"), named("yuml"), named("AElig")), (Some("&"), Some("ÿ"), Some("Æ")));
    }

    #[test]
    fn references_are_resolved_or_kept() {
        for (reference, text) in [
            ("&lt;", "<"),
            ("&#39;", "'"),
            ("&#xC9;", "É"),
            ("&nbsp;", "\u{a0}"),
            ("&quote;", "\""),
            ("&frobnicate;", "&frobnicate;"),
            ("&#0;", ""),
            ("&#x1F;", ""),
            ("&#xD800;", ""),
            ("&#junk;", "&#junk;"),
            ("& B;", "& B;"),
        ] {
            assert_eq!(resolved(reference), text, "{reference}");
        }
    }

    #[test]
    fn forbidden_characters_are_dropped() {
        assert_eq!(decoded(b"<a>x\x00\x0by\t</a>").unwrap(), "<a>xy\t</a>");
        assert_eq!(decoded("<a>\u{fffe}\u{fffd}ï</a>".as_bytes()).unwrap(), "<a>\u{fffd}ï</a>");
    }

    #[test]
    fn what_is_no_document_is_told_apart() {
        let what = |body: &[u8]| decoded(body).unwrap_err().what;
        assert_eq!(what(b""), "is empty");
        assert_eq!(what(b" \0\n"), "is empty");
        assert_eq!(what(b"<!DOCTYPE html><html>"), "is a web page, not an answer of the store");
        assert_eq!(what(b"\n<HTML><body>"), "is a web page, not an answer of the store");
        assert_eq!(what(b"Service Unavailable"), "is not XML");
        assert_eq!(what(b"<a>\xe9</a>"), "is not UTF-8");
        assert_eq!(what(b"\xff\xfe<\0a\0"), "is UTF-16 or UTF-32, not UTF-8");
        assert_eq!(what(b"\0<\0a\0>"), "is UTF-16 or UTF-32, not UTF-8");
        assert_eq!(what(&vec![b' '; STORE_DOCUMENT_BYTES + 1]), "is larger than 1 MiB");
    }

    #[test]
    fn what_is_sent_is_escaped() {
        assert_eq!(escaped("a<&>\"'É\u{0}"), "a&lt;&amp;&gt;&quot;&#39;É");
        assert_eq!(percent_encoded("a/b c&É.~"), "a%2Fb%20c%26%C3%89.~");
    }
}
