//! Shipping rules as rows, in order.

use domain::limits::SHIPPING_RULES;
use domain::mapping::{Decision, Mapping, Matcher, Service, ShipMethod, ShippingRule};
use rust_decimal::Decimal;

use super::sheet::{Row, Sheet};
use super::{Content, Noted, PLACEHOLDER, Parsed, RowError, is_placeholder, shown};

/// The service that says: a person decides.
pub(super) const HOLD: &str = "HOLD";

pub(super) fn parse(sheet: Sheet<'_>) -> Result<Parsed, Vec<RowError>> {
    let comma_is_decimal = sheet.separator != b',';
    let (mut rules, mut numbers, mut errors, mut left) = (Vec::new(), Vec::new(), Noted::default(), 0);
    for row in sheet {
        let read = row.and_then(|row| Ok((row.is_left()?, row))).map_err(|wrong| vec![wrong]);
        if matches!(read, Ok((true, _))) {
            left += 1;
            continue;
        }
        match read.and_then(|(_, row)| Ok((row.number, rule(&row, comma_is_decimal)?))) {
            Ok((number, _)) if rules.len() >= SHIPPING_RULES => {
                return Err(vec![RowError::of_row(
                    number,
                    format!("there are more than {SHIPPING_RULES} rules"),
                )]);
            }
            Ok((number, rule)) => {
                numbers.push(number);
                rules.push(rule);
            }
            Err(wrong) => errors.extend(wrong),
        }
        if errors.is_full() {
            break;
        }
    }
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    let mut warnings = Noted::default();
    warnings.extend(unreachable(&numbers, &rules));
    Ok(Parsed { content: Content::Rules(rules), warnings: warnings.0, left })
}

/// Rows after a rule that takes everything never decide.
fn unreachable(numbers: &[usize], rules: &[ShippingRule]) -> Vec<RowError> {
    let takes_all = |rule: &ShippingRule| {
        rule.method == Matcher::Any
            && rule.countries.is_empty()
            && rule.min_total.is_none_or(|min| min <= Decimal::ZERO)
            && rule.below_total.is_none()
    };
    let Some(last) = rules.iter().position(takes_all) else { return Vec::new() };
    let Some(number) = numbers.get(last) else { return Vec::new() };
    let reason = format!("never decides: row {number} takes every order before it");
    numbers.iter().skip(last + 1).map(|number| RowError::of_row(*number, reason.clone())).collect()
}

fn rule(row: &Row, comma_is_decimal: bool) -> Result<ShippingRule, Vec<RowError>> {
    let mut errors = Vec::new();
    let mut note =
        |column: &'static str, reason: String| errors.push(RowError::new(row.number, column, reason));
    let method = matcher(row).map_err(|(column, reason)| note(column, reason)).ok();
    let countries = countries(row.cell("countries")).map_err(|reason| note("countries", reason)).ok();
    let mut amount = |column: &'static str| {
        amount(row.cell(column), comma_is_decimal).map_err(|reason| note(column, reason)).ok().flatten()
    };
    let (min_total, below_total) = (amount("min_total"), amount("below_total"));
    if below_total.is_some_and(|below| below <= min_total.unwrap_or_default()) {
        note(
            "below_total",
            "no total is below it and at least min_total; the rule would never apply".to_owned(),
        );
    }
    let decision = decision(row.cell("service")).map_err(|reason| note("service", reason)).ok();
    match (method, countries, decision) {
        (Some(method), Some(countries), Some(decision)) if errors.is_empty() => {
            Ok(ShippingRule { method, countries, min_total, below_total, decision })
        }
        _ => Err(errors),
    }
}

fn matcher(row: &Row) -> Result<Matcher, (&'static str, String)> {
    let word = row.cell("match").to_lowercase().replace([' ', '-'], "_");
    let text = row.cell("method");
    let make: fn(String) -> Matcher = match word.as_str() {
        "is" => Matcher::Is,
        "starts_with" => Matcher::StartsWith,
        "like" => Matcher::Like,
        "any" if text.is_empty() => return Ok(Matcher::Any),
        "any" => {
            return Err((
                "method",
                "must be empty where match is any; or write is, starts_with or like".to_owned(),
            ));
        }
        _ => {
            return Err((
                "match",
                format!("{} is not known; write is, starts_with, like or any", shown(&word)),
            ));
        }
    };
    let method = ShipMethod::parse(text).map_err(|e| ("method", e.to_string()))?;
    Ok(make(method.as_str().to_owned()))
}

/// Two-letter codes, between blanks, commas, semicolons, bars or slashes.
fn countries(text: &str) -> Result<Vec<String>, String> {
    let codes = text.split([' ', ',', ';', '|', '/']).filter(|code| !code.is_empty());
    codes
        .map(|code| {
            let upper = code.to_ascii_uppercase();
            let is_code = upper.len() == 2 && upper.bytes().all(|byte| byte.is_ascii_uppercase());
            is_code.then_some(upper).ok_or_else(|| {
                format!("{} is no two-letter country code (ISO 3166), as in US CA GB", shown(code))
            })
        })
        .collect()
}

/// An amount of money, none for nothing. Where cells are not separated by commas, a comma may be the decimal sign.
fn amount(text: &str, comma_is_decimal: bool) -> Result<Option<Decimal>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let expected = || format!("{} is no amount; write digits with a decimal point, as in 49.90", shown(text));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match text.split_once(',') {
        Some((whole, cents)) if comma_is_decimal && cents.len() <= 2 => (whole, cents),
        Some(_) => return Err(expected()),
        None => text.split_once('.').unwrap_or((text, "0")),
    };
    if !digits(whole) || !digits(fraction) {
        return Err(expected());
    }
    Decimal::from_str_exact(&text.replace(',', ".")).map(Some).map_err(|_| expected())
}

fn decision(text: &str) -> Result<Decision, String> {
    if text.eq_ignore_ascii_case(HOLD) {
        return Ok(Decision::Hold);
    }
    let empty = || format!("is empty; write the warehouse's code, or {HOLD} if a person decides");
    if text.is_empty() {
        return Err(empty());
    }
    if is_placeholder(text) {
        return Err(PLACEHOLDER.to_owned());
    }
    Service::parse(text).map(Decision::Book).map_err(|e| e.to_string())
}

/// The words of a matcher: how it compares, and with what.
pub(crate) fn matcher_words(matcher: &Matcher) -> (&'static str, &str) {
    match matcher {
        Matcher::Is(text) => ("is", text),
        Matcher::StartsWith(text) => ("starts_with", text),
        Matcher::Like(text) => ("like", text),
        Matcher::Any => ("any", ""),
    }
}

/// The word of a decision.
pub(crate) fn decision_word(decision: &Decision) -> &str {
    match decision {
        Decision::Book(service) => service.as_str(),
        Decision::Hold => HOLD,
    }
}

/// The rows of a mapping's rules.
pub(super) fn rows(mapping: &Mapping) -> Vec<Vec<String>> {
    mapping.rules.iter().map(rule_row).collect()
}

/// One rule as a row.
pub(crate) fn rule_row(rule: &ShippingRule) -> Vec<String> {
    let amount = |amount: Option<Decimal>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let (compare, text) = matcher_words(&rule.method);
    vec![
        compare.to_owned(),
        text.to_owned(),
        rule.countries.join(" "),
        amount(rule.min_total),
        amount(rule.below_total),
        decision_word(&rule.decision).to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn parsed(rows: &str) -> Result<(Vec<ShippingRule>, Vec<String>), Vec<String>> {
        let texts = |errors: Vec<RowError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        let parsed = parse(rows.as_bytes()).map_err(texts)?;
        let Content::Rules(rules) = parsed.content else { panic!("no rules") };
        Ok((rules, texts(parsed.warnings)))
    }

    const HEADER: &str = "match,method,countries,min_total,below_total,service\n";

    #[test]
    fn rules_keep_their_order_and_their_conditions() {
        let (rules, warnings) =
            parsed(&format!("{HEADER}Starts with,UPS,us|ca,10,49.90,UPSG\nany,,,,,hold\n")).unwrap();
        assert_eq!(
            rules,
            [
                ShippingRule {
                    method: Matcher::StartsWith("UPS".into()),
                    countries: vec!["US".into(), "CA".into()],
                    min_total: Some(Decimal::new(10, 0)),
                    below_total: Some(Decimal::new(4990, 2)),
                    decision: Decision::Book(Service::parse("UPSG").unwrap()),
                },
                ShippingRule {
                    method: Matcher::Any,
                    countries: Vec::new(),
                    min_total: None,
                    below_total: None,
                    decision: Decision::Hold,
                },
            ]
        );
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_decimal_comma_is_understood_between_semicolons() {
        let (rules, _) =
            parsed("match;method;service;countries;min_total\nis;Post;P;DE, AT;49,90\n").unwrap();
        assert_eq!(rules[0].min_total, Some(Decimal::new(4990, 2)));
        assert_eq!(rules[0].countries, ["DE", "AT"]);
        assert!(
            parsed("match;method;service;min_total\nis;Post;P;1,000\n").is_err(),
            "one thousand, or one?"
        );
    }

    #[test]
    fn every_wrong_cell_is_named_at_once() {
        let rows = "equals,UPS,,,,A\nany,UPS,,,,A\nis,,,,,A\nis,UPS,USA,x,-1,\nis,UPS,,50,20,A\n";
        assert_eq!(
            parsed(&format!("{HEADER}{rows}")).unwrap_err(),
            [
                "row 2, match: \"equals\" is not known; write is, starts_with, like or any",
                "row 3, method: must be empty where match is any; or write is, starts_with or like",
                "row 4, method: not a shipping method: 1 to 200 bytes without control characters",
                "row 5, countries: \"USA\" is no two-letter country code (ISO 3166), as in US CA GB",
                "row 5, min_total: \"x\" is no amount; write digits with a decimal point, as in 49.90",
                "row 5, below_total: \"-1\" is no amount; write digits with a decimal point, as in 49.90",
                "row 5, service: is empty; write the warehouse's code, or HOLD if a person decides",
                "row 6, below_total: no total is below it and at least min_total; the rule would never apply",
            ]
        );
    }

    #[test]
    fn a_rule_behind_a_catch_all_is_pointed_out() {
        let (_, warnings) = parsed(&format!("{HEADER}any,,,,,STD\nis,UPS,,,,UPSG\n")).unwrap();
        assert_eq!(warnings, ["row 3: never decides: row 2 takes every order before it"]);
    }
}
