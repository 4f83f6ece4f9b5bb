//! The store's payment status of an order, in one spelling, and what it means for shipping.

use serde::{Deserialize, Serialize};

/// `OrderStatusType` of the store, normalised (dossier section 4.2: only the words are certain, not their spelling).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Paid (`Accepted`, `Approved`).
    Accepted,
    /// Funds reserved, not captured.
    Authorized,
    /// Waits for a confirmation, of PayPal for example.
    Pending,
    /// Failed (`Declined`, `Error`).
    Declined,
    /// The gateway's outcome is not determined (`Unknown`).
    Undetermined,
    /// Taken back before capture (`Voided`, `Cancelled`).
    Voided,
    /// Refunded in full, online or offline.
    Refunded,
    /// Refunded in part, online or offline.
    PartlyRefunded,
    /// Hidden in the store's admin pages.
    Archived,
    /// A word that we do not know, kept as it came.
    Other(String),
}

impl PaymentStatus {
    /// Reads the store's word: case, blanks, hyphens and brackets do not matter.
    #[must_use]
    pub fn read(word: &str) -> Self {
        let plain: String =
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        match plain.as_str() {
            "accepted" | "approved" => Self::Accepted,
            "authorize" | "authorized" => Self::Authorized,
            "pending" => Self::Pending,
            "declined" | "error" => Self::Declined,
            "unknown" | "" => Self::Undetermined,
            "voided" | "cancelled" | "canceled" => Self::Voided,
            "refunded" | "refundedfull" | "refundedoffline" | "refundedfulloffline" => Self::Refunded,
            "refundedpartial" | "refundedpartialoffline" => Self::PartlyRefunded,
            "archived" => Self::Archived,
            _ => Self::Other(word.trim().chars().filter(|c| !c.is_control()).take(40).collect()),
        }
    }

    /// The word used in settings, filters and stories.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Accepted => "accepted",
            Self::Authorized => "authorized",
            Self::Pending => "pending",
            Self::Declined => "declined",
            Self::Undetermined => "undetermined",
            Self::Voided => "voided",
            Self::Refunded => "refunded",
            Self::PartlyRefunded => "partly_refunded",
            Self::Archived => "archived",
            Self::Other(word) => word,
        }
    }

    /// May it still become paid? (Otherwise it is over.)
    #[must_use]
    pub fn may_become_paid(&self) -> bool {
        matches!(self, Self::Pending | Self::Authorized | Self::Undetermined | Self::Other(_))
    }

    /// Has the sale been taken back, so that a warehouse order should be cancelled?
    #[must_use]
    pub fn is_taken_back(&self) -> bool {
        matches!(self, Self::Voided | Self::Refunded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_dossier_is_read() {
        use PaymentStatus::*;
        for (word, status) in [
            ("Accepted", Accepted),
            ("APPROVED", Accepted),
            ("Authorize", Authorized),
            ("pending", Pending),
            ("Declined", Declined),
            ("error", Declined),
            ("unknown", Undetermined),
            ("", Undetermined),
            ("Voided", Voided),
            ("cancelled", Voided),
            ("refunded (offline)", Refunded),
            ("RefundedFullOffline", Refunded),
            ("refunded - partial", PartlyRefunded),
            ("refunded partial (offline)", PartlyRefunded),
            ("Archived", Archived),
            (" In Review ", Other("In Review".into())),
        ] {
            assert_eq!(PaymentStatus::read(word), status, "{word:?}");
        }
    }
}
