//! Where a package goes, with names and ISO codes side by side.

use serde::{Deserialize, Serialize};

/// A named place with its code where we know it: a region (ISO 3166-2 part) or a country (ISO 3166-1 alpha-2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The name as the store gave it.
    pub name: String,
    /// The ISO code, when the name is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Place {
    /// The code, or the name where no code is known.
    #[must_use]
    pub fn code_or_name(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.name)
    }
}

/// A ship-to address with the buyer's contact data. Personal data: only in the order's body and the warehouse request.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Full name, one field, as the store has it.
    pub name: String,
    /// First street line.
    pub line1: String,
    /// Second street line, empty when there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub line2: String,
    /// City.
    pub city: String,
    /// State, province or region; empty name when there is none.
    pub region: Place,
    /// Postal code, empty when there is none.
    pub postal_code: String,
    /// Country.
    pub country: Place,
    /// Whether the store believes it to be a home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residential: Option<bool>,
    /// Phone of the buyer, from the client record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail of the buyer, from the client record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// An address never prints itself: a careless `{:?}` must not leak personal data into a log.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address(… {})", self.country.code_or_name())
    }
}

impl Address {
    /// The names of the parts in which this address is not the other one, as far as a parcel's way depends on them.
    #[must_use]
    pub fn parts_unlike(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("name", &self.name, &other.name),
            ("address line 1", &self.line1, &other.line1),
            ("address line 2", &self.line2, &other.line2),
            ("city", &self.city, &other.city),
            ("region", &self.region.name, &other.region.name),
            ("postal code", &self.postal_code, &other.postal_code),
            ("country", &self.country.name, &other.country.name),
        ];
        parts.into_iter().filter(|(_, ours, theirs)| ours != theirs).map(|(part, ..)| part).collect()
    }

    /// The parts without which no carrier can deliver, that are missing here.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        [
            ("name", &self.name),
            ("address line 1", &self.line1),
            ("city", &self.city),
            ("country", &self.country.name),
        ]
        .into_iter()
        .filter(|(_, value)| value.trim().is_empty())
        .map(|(field, _)| field)
        .collect()
    }

    /// First and last name, split at the last blank: "Ana María Pérez" is "Ana María" and "Pérez".
    #[must_use]
    pub fn first_and_last_name(&self) -> (&str, &str) {
        let name = self.name.trim();
        name.rsplit_once(char::is_whitespace).map_or((name, ""), |(first, last)| (first.trim_end(), last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_is_named() {
        let address = Address { name: "A".into(), city: " ".into(), ..Address::default() };
        assert_eq!(address.missing(), ["address line 1", "city", "country"]);
    }

    #[test]
    fn a_name_is_split_at_its_last_blank() {
        for (name, parts) in
            [("Ana María Pérez", ("Ana María", "Pérez")), ("Cher", ("Cher", "")), ("", ("", ""))]
        {
            assert_eq!(Address { name: name.into(), ..Address::default() }.first_and_last_name(), parts);
        }
    }

    #[test]
    fn an_address_does_not_print_itself() {
        let address =
            Address { name: "Avery Example".into(), line1: "100 Sample Street".into(), ..Address::default() };
        assert!(!format!("{address:?}").contains("Sample"));
    }
}
