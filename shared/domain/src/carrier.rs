//! Carriers and tracking numbers in one spelling, whatever the warehouse calls them.

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A carrier: the canonical code where we know it, and the name to show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Carrier {
    /// Canonical code (`ups`, `usps`), none for a carrier that we do not know.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The name for people and for the store: ours for a known carrier, the warehouse's otherwise.
    #[serde(rename = "n")]
    pub name: String,
}

/// Code, name, and the words (lower case, letters and digits only) that mean it: exactly, or as a beginning with `*`.
/// Facts: tracking_number_data 1.3.2 and the vendors' vocabularies (warehouse dossier section 8).
const CARRIERS: &[(&str, &str, &[&str])] = &[
    ("ups_mail_innovations", "UPS Mail Innovations", &["upsmailinnovations*", "upsmi*"]),
    ("ups", "UPS", &["ups*", "upsn"]),
    ("usps", "USPS", &["usps*", "stampscom", "endicia*", "unitedstatespostalservice", "firstclassmail"]),
    ("fedex", "FedEx", &["fedex*", "fdeg", "fde", "fdxg", "fxfe", "federalexpress", "smartpost"]),
    ("dhl_ecommerce", "DHL eCommerce", &["dhlecommerce*", "dhlglobalmail*", "globalmail*", "dhlc"]),
    ("dhl_express", "DHL Express", &["dhl*", "dhle"]),
    ("amazon", "Amazon Logistics", &["amzl*", "amazon*"]),
    ("ontrac", "OnTrac", &["ontrac*", "ontc"]),
    ("lasership", "LaserShip", &["lasership*", "lasg"]),
    ("canada_post", "Canada Post", &["canadapost*", "postescanada*"]),
    ("purolator", "Purolator", &["purolator*"]),
    ("canpar", "Canpar", &["canpar*"]),
    ("royal_mail", "Royal Mail", &["royalmail*"]),
    ("dpd", "DPD", &["dpd*"]),
    ("yodel", "Yodel", &["yodel*"]),
    ("evri", "Evri", &["evri*", "hermes*"]),
    ("old_dominion", "Old Dominion", &["olddominion*", "odfl"]),
    ("landmark", "Landmark Global", &["landmark*"]),
    ("asendia", "Asendia", &["asendia*"]),
    ("passport", "Passport", &["passport*"]),
    ("osm_worldwide", "OSM Worldwide", &["osmworldwide*", "osm"]),
    ("gofo", "GOFO", &["gofo*"]),
    ("speedx", "SpeedX", &["speedx*"]),
    ("uniuni", "UniUni", &["uniuni*"]),
    ("veho", "Veho", &["veho*"]),
    ("yunexpress", "YunExpress", &["yunexpress*"]),
];

/// Tracking pages, where the number replaces `{}`.
const PAGES: &[(&str, &str)] = &[
    ("ups", "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums={}"),
    ("usps", "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"),
    ("fedex", "https://www.fedex.com/apps/fedextrack/?tracknumbers={}"),
];

/// Words that name no carrier.
const NOBODY: &[&str] = &["", "other", "genericlabel", "generic", "unknown", "none"];

impl Carrier {
    /// Reads the warehouse's word. The word wins over anything that the number looks like, because numbers collide.
    #[must_use]
    pub fn read(word: &str) -> Self {
        let plain: String =
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let means =
            |alias: &&str| alias.strip_suffix('*').map_or(plain == **alias, |start| plain.starts_with(start));
        match CARRIERS.iter().find(|(_, _, aliases)| aliases.iter().any(means)) {
            Some((code, name, _)) => Self { code: Some((*code).to_owned()), name: (*name).to_owned() },
            None if NOBODY.contains(&plain.as_str()) => Self { code: None, name: "Other".to_owned() },
            None => {
                let name = word.trim().chars().filter(|c| !c.is_control()).take(60).collect();
                Self { code: None, name }
            }
        }
    }
}

/// A tracking number without blanks, in capitals where it is a plain code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackingNumber(Text);

impl TrackingNumber {
    /// Reads the warehouse's text; none when it is no number ("Pickup", empty): shipped without tracking.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let has_digit = plain.chars().any(|c| c.is_ascii_digit());
        (has_digit && plain.len() <= 100).then(|| Self(plain.to_ascii_uppercase().into()))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The same number as this text of the store, however it is spaced?
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        Self::read(text).as_ref() == Some(self)
    }
}

/// Carrier, number and link of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Who carries it.
    #[serde(rename = "c")]
    pub carrier: Carrier,
    /// Its number.
    #[serde(rename = "n")]
    pub number: TrackingNumber,
    /// The warehouse's own tracking page, when it gave an https one.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub given_url: Option<String>,
}

impl Tracking {
    /// The tracking page: the warehouse's own, else the carrier's, else none.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        if let Some(url) = self.given_url.as_ref().filter(|url| url.starts_with("https://")) {
            return Some(url.clone());
        }
        let code = self.carrier.code.as_deref()?;
        let (_, page) = PAGES.iter().find(|(carrier, _)| *carrier == code)?;
        Some(page.replace("{}", &percent_encoded(self.number.as_str())))
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_become_one() {
        for (word, code, name) in [
            ("UPS", Some("ups"), "UPS"),
            ("ups_walleted", Some("ups"), "UPS"),
            ("UPS Mail Innovations", Some("ups_mail_innovations"), "UPS Mail Innovations"),
            ("stamps_com", Some("usps"), "USPS"),
            ("FDEG", Some("fedex"), "FedEx"),
            ("FedEx SmartPost®", Some("fedex"), "FedEx"),
            ("DHL eCommerce", Some("dhl_ecommerce"), "DHL eCommerce"),
            ("dhl_express_worldwide", Some("dhl_express"), "DHL Express"),
            ("AMZL_US", Some("amazon"), "Amazon Logistics"),
            ("Pony Express", None, "Pony Express"),
            ("genericlabel", None, "Other"),
            (" ", None, "Other"),
        ] {
            let carrier = Carrier::read(word);
            assert_eq!((carrier.code.as_deref(), carrier.name.as_str()), (code, name), "{word:?}");
        }
    }

    #[test]
    fn a_number_is_stripped_and_a_word_is_none() {
        assert_eq!(TrackingNumber::read(" 1z 999 aa1 ").unwrap().as_str(), "1Z999AA1");
        assert_eq!(TrackingNumber::read("Pickup"), None);
        assert_eq!(TrackingNumber::read(""), None);
        assert!(TrackingNumber::read("9400 1111").unwrap().is("94001111 "));
    }

    #[test]
    fn the_given_page_wins_when_it_is_https() {
        let tracking = |given: Option<&str>| Tracking {
            carrier: Carrier::read("UPS"),
            number: TrackingNumber::read("1Z&9").unwrap(),
            given_url: given.map(str::to_owned),
        };
        assert_eq!(tracking(Some("https://t.example/1")).url().as_deref(), Some("https://t.example/1"));
        assert!(tracking(Some("javascript:1")).url().unwrap().ends_with("trackNums=1Z%269"));
    }
}
