//! From the store's full names of countries and regions to ISO 3166 codes; an unknown name stays as it is.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::address::Place;

use super::countries::COUNTRIES;
use super::regions::REGIONS;

/// Codes of countries by folded name.
static COUNTRY_CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let of = |(two, three, names): &(&'static str, &'static str, &'static [&'static str])| {
        let two = *two;
        names.iter().chain([&two, three]).map(|name| (folded(name), two)).collect::<Vec<_>>()
    };
    COUNTRIES.iter().flat_map(of).collect()
});

/// Codes of regions by country and folded name.
static REGION_CODES: LazyLock<HashMap<&'static str, HashMap<String, &'static str>>> = LazyLock::new(|| {
    let region = |(code, names): &(&'static str, &'static [&'static str])| {
        let code = *code;
        names.iter().chain([&code]).map(|name| (folded(name), code)).collect::<Vec<_>>()
    };
    REGIONS.iter().map(|(country, regions)| (*country, regions.iter().flat_map(region).collect())).collect()
});

/// The country of a name, with its ISO 3166-1 alpha-2 code where we know it. A code is taken for a name, too.
pub(super) fn country(name: &str) -> Place {
    let name = name.trim();
    let code = COUNTRY_CODES.get(folded(name).as_str()).map(|code| (*code).to_owned());
    Place { name: name.to_owned(), code }
}

/// The region of a name in a country, with the part of its ISO 3166-2 code after the hyphen where we know it.
pub(super) fn region(name: &str, country: Option<&str>) -> Place {
    let name = name.trim();
    let code = country.and_then(|country| {
        let plain = name.strip_prefix(country).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name);
        REGION_CODES.get(country)?.get(folded(plain).as_str()).map(|code| (*code).to_owned())
    });
    Place { name: name.to_owned(), code }
}

/// A name without what spellings differ in: case, accents, punctuation, "the", "and", "saint".
fn folded(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for word in name.split(|c: char| c.is_whitespace() || matches!(c, '-' | ',' | '(' | ')' | '/')) {
        let start = plain.len();
        word.chars().flat_map(char::to_lowercase).for_each(|c| push_base(c, &mut plain));
        match plain.get(start..) {
            Some("the" | "and") => plain.truncate(start),
            Some("saint") => plain.replace_range(start.., "st"),
            _ => {}
        }
    }
    // Andorra's code is AND.
    if plain.is_empty() { name.to_ascii_lowercase() } else { plain }
}

/// Appends a lower-case letter without its accent; nothing for what is no letter or digit.
fn push_base(c: char, plain: &mut String) {
    plain.push_str(match c {
        '&' => "and",
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ð' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ţ' | 'ť' | 'ț' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        // Letters of other alphabets stay: their names must stay different from each other.
        c if c.is_alphanumeric() => return plain.push(c),
        _ => "",
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn code(name: &str) -> Option<String> {
        country(name).code
    }

    #[test]
    fn every_country_of_iso_3166_is_there_once() {
        assert_eq!(COUNTRIES.len(), 249);
        let two: BTreeSet<_> = COUNTRIES.iter().map(|(two, _, _)| two).collect();
        let three: BTreeSet<_> = COUNTRIES.iter().map(|(_, three, _)| three).collect();
        assert_eq!((two.len(), three.len()), (249, 249));
        assert!(COUNTRIES.iter().all(|(two, three, names)| {
            let capitals = |code: &str| code.bytes().all(|b| b.is_ascii_uppercase());
            two.len() == 2 && three.len() == 3 && capitals(two) && capitals(three) && !names.is_empty()
        }));
    }

    #[test]
    fn no_name_means_two_countries_or_two_regions() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for (two, three, names) in COUNTRIES {
            for name in names.iter().chain([two, three]) {
                let other = seen.insert(folded(name), two);
                assert!(other.is_none_or(|other| other == *two), "{name}");
            }
        }
        for (country, regions) in REGIONS {
            let mut seen: HashMap<String, &str> = HashMap::new();
            for (code, names) in *regions {
                for name in names.iter().chain([code]) {
                    let other = seen.insert(folded(name), code);
                    assert!(other.is_none_or(|other| other == *code), "{country} {name}");
                }
            }
        }
    }

    #[test]
    fn countries_are_found_by_their_common_names() {
        for (name, wanted) in [
            ("United States", "US"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("united states of america", "US"),
            ("Canada", "CA"),
            ("UK", "GB"),
            ("Great Britain", "GB"),
            ("England", "GB"),
            ("South Korea", "KR"),
            ("Korea, Republic of", "KR"),
            ("Côte d'Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Curaçao", "CW"),
            ("CURACAO", "CW"),
            ("The Netherlands", "NL"),
            ("Trinidad & Tobago", "TT"),
            ("Bosnia and Herzegovina", "BA"),
            ("Saint Lucia", "LC"),
            ("St. Lucia", "LC"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Viet Nam", "VN"),
            ("Czech Republic", "CZ"),
            ("DEU", "DE"),
            ("AND", "AD"),
            ("au", "AU"),
        ] {
            assert_eq!(code(name).as_deref(), Some(wanted), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_kept_as_text() {
        for name in ["Atlantis", "", "Rest of World"] {
            assert_eq!(country(name), Place { name: name.to_owned(), code: None });
        }
        assert_eq!(region("Kent", Some("GB")).code, None);
        assert_eq!(region("Ontario", None).code, None);
        assert_eq!(region("Ontario", Some("US")).code, None);
    }

    #[test]
    fn regions_are_found_by_name_or_code() {
        for (country, name, wanted) in [
            ("US", "Illinois", "IL"),
            ("US", "district of columbia", "DC"),
            ("US", "Washington DC", "DC"),
            ("US", "Puerto Rico", "PR"),
            ("US", "Armed Forces Pacific", "AP"),
            ("US", "ny", "NY"),
            ("US", "US-CA", "CA"),
            ("CA", "Ontario", "ON"),
            ("CA", "Québec", "QC"),
            ("CA", "Newfoundland & Labrador", "NL"),
            ("CA", "Yukon Territory", "YT"),
            ("AU", "New South Wales", "NSW"),
            ("MX", "Nuevo León", "NLE"),
            ("MX", "Ciudad de Mexico", "CMX"),
        ] {
            assert_eq!(region(name, Some(country)).code.as_deref(), Some(wanted), "{name}");
        }
        assert_eq!(REGIONS.iter().map(|(_, regions)| regions.len()).collect::<Vec<_>>(), [60, 13, 8, 32]);
    }
}
