//! What the warehouse says it shipped (X12 945, warehouse shipping advice), and what became of it in the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::carrier::{Tracking, TrackingNumber};
use crate::ids::{PackageId, Reference, Token, WarehouseOrderId};
use crate::limits::EARLIER_NUMBERS;
use crate::mapping::WarehouseSku;

/// What a package holds, as far as the warehouse tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// The warehouse does not say, or says that it is the whole order (or its last part).
    Everything,
    /// It says that more will follow, not what this one holds.
    Part,
    /// These pieces.
    Lines(Vec<(WarehouseSku, u32)>),
}

/// One package, as a warehouse reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentNotice {
    /// Our reference, which names the order.
    pub reference: Reference,
    /// The warehouse's id of the order, where it tells.
    pub warehouse_order: Option<WarehouseOrderId>,
    /// The warehouse's id of the package.
    pub package: PackageId,
    /// When it left; when we heard of it, where the warehouse does not tell.
    pub shipped_at: Option<Timestamp>,
    /// Carrier and number; none for a package without tracking.
    pub tracking: Option<Tracking>,
    /// What it holds.
    pub contents: Contents,
    /// Was it taken back (label voided, refunded)?
    pub voided: bool,
}

/// What became of a package's tracking in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    /// To be posted.
    Due,
    /// Somebody is posting it; until the lease ends nobody else may.
    Claimed {
        /// Names the attempt.
        token: Token,
        /// When a late request can no longer land.
        until: Timestamp,
    },
    /// The store shows it.
    Posted,
    /// The store cannot take it: it waits in the outbox for a person. Never counted as posted.
    Outbox {
        /// Why, in our words.
        why: String,
    },
    /// Nothing to post: write-back is off, or there is no number.
    NotNeeded,
}

/// One package in the ledger: what was shipped, and its post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The warehouse's id of it.
    pub id: PackageId,
    /// Carrier and number.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// When it left.
    #[serde(rename = "at")]
    pub shipped_at: Timestamp,
    /// What it holds.
    #[serde(rename = "in")]
    pub contents: Contents,
    /// Was it taken back?
    #[serde(rename = "void", default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
    /// What became of its tracking.
    pub post: Post,
    /// Numbers that it had before, the last of them. A notice that tells one of them is an old one that comes late, or
    /// again.
    #[serde(rename = "was", default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<TrackingNumber>,
}

impl Package {
    /// The package that a notice tells of; `now` stands in for a missing shipping time.
    #[must_use]
    pub fn from_notice(notice: &ShipmentNotice, now: Timestamp) -> Self {
        Self {
            id: notice.package.clone(),
            tracking: notice.tracking.clone(),
            shipped_at: notice.shipped_at.unwrap_or(now),
            contents: notice.contents.clone(),
            voided: notice.voided,
            post: if notice.tracking.is_some() && !notice.voided { Post::Due } else { Post::NotNeeded },
            earlier: Vec::new(),
        }
    }

    /// Must somebody still post it?
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.voided && matches!(self.post, Post::Due | Post::Claimed { .. })
    }

    /// May an attempt to post it start now?
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        match &self.post {
            Post::Due => !self.voided,
            Post::Claimed { until, .. } => !self.voided && now >= *until,
            Post::Posted | Post::Outbox { .. } | Post::NotNeeded => false,
        }
    }

    /// Is nothing left to do for it?
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.voided || matches!(self.post, Post::Posted | Post::NotNeeded)
    }

    /// Its tracking number, where it has one.
    #[must_use]
    pub fn number(&self) -> Option<&TrackingNumber> {
        self.tracking.as_ref().map(|tracking| &tracking.number)
    }

    /// Is there nothing new in what a notice tells of it? The same number in other words is no news, a notice that tells
    /// less takes nothing away, a number that has been replaced never comes back, and a label that was taken back stays
    /// so: only another number is news of its package. So a notice that is told again, however late, has no effect.
    #[must_use]
    pub fn knows(&self, news: &Self) -> bool {
        let same_number = news.number().is_none() || news.number() == self.number();
        let replaced = news.number().is_some_and(|number| self.earlier.contains(number));
        replaced || if news.voided { self.voided } else { same_number }
    }

    /// What it becomes by news of it. What is posted stays so, and what was taken back stays so, unless its number has
    /// changed since: notices repeat and overtake each other, so that one which knows nothing of the withdrawal is an old
    /// one, and a package that goes after all goes under another label.
    #[must_use]
    pub fn after(&self, news: Self) -> Self {
        let is_new_number = news.number().is_some() && news.number() != self.number();
        if news.voided || (self.voided && !is_new_number) {
            return Self { voided: true, ..self.clone() };
        }
        let mut earlier = self.earlier.clone();
        earlier.extend(self.number().filter(|_| is_new_number).cloned());
        earlier.drain(..earlier.len().saturating_sub(EARLIER_NUMBERS));
        let post = if is_new_number { Post::Due } else { self.post.clone() };
        Self { tracking: news.tracking.or_else(|| self.tracking.clone()), post, earlier, ..news }
    }

    /// How many pieces it says it holds; none when it does not say.
    fn pieces(&self) -> Option<u32> {
        match &self.contents {
            Contents::Lines(lines) => Some(lines.iter().fold(0, |sum, (_, n)| sum.saturating_add(*n))),
            Contents::Everything | Contents::Part => None,
        }
    }
}

/// Do these packages hold the whole order of `units` pieces?
#[must_use]
pub fn is_complete(packages: &[Package], units: u32) -> bool {
    let mut live = packages.iter().filter(|package| !package.voided).peekable();
    if live.peek().is_none() {
        return false;
    }
    let mut pieces: u32 = 0;
    for package in live {
        if package.contents == Contents::Everything {
            return true;
        }
        pieces = pieces.saturating_add(package.pieces().unwrap_or(0));
    }
    pieces >= units && pieces > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carrier::Carrier;

    fn package(contents: Contents) -> Package {
        Package {
            id: PackageId::parse("P-1").unwrap(),
            tracking: None,
            shipped_at: Timestamp::UNIX_EPOCH,
            contents,
            voided: false,
            post: Post::NotNeeded,
            earlier: Vec::new(),
        }
    }

    fn lines(pieces: u32) -> Package {
        package(Contents::Lines(vec![(WarehouseSku::parse("WH-1").unwrap(), pieces)]))
    }

    fn voided(package: Package) -> Package {
        Package { voided: true, ..package }
    }

    fn numbered(number: &str, post: Post) -> Package {
        let number = TrackingNumber::read(number).unwrap();
        let tracking = Some(Tracking { carrier: Carrier::read("UPS"), number, given_url: None });
        Package { tracking, post, ..package(Contents::Everything) }
    }

    #[test]
    fn an_order_is_complete_when_its_pieces_or_its_last_package_have_left() {
        let (all, part) = (package(Contents::Everything), package(Contents::Part));
        for (packages, complete) in [
            (vec![], false),
            (vec![all.clone()], true),
            (vec![part.clone()], false),
            (vec![part.clone(), part.clone()], false),
            (vec![part.clone(), all.clone()], true),
            (vec![lines(2)], false),
            (vec![lines(3)], true),
            (vec![lines(2), lines(1)], true),
            (vec![lines(2), part], false),
            (vec![voided(all.clone())], false),
            (vec![lines(2), voided(lines(1))], false),
            (vec![voided(lines(2)), lines(3)], true),
            (vec![lines(u32::MAX), lines(u32::MAX)], true),
            (vec![lines(0)], false),
        ] {
            assert_eq!(is_complete(&packages, 3), complete, "{packages:?}");
        }
        assert!(!is_complete(&[lines(0)], 0), "a package without pieces completes nothing");
    }

    #[test]
    fn a_package_is_posted_when_it_has_a_number_and_is_not_taken_back() {
        let notice = |number: Option<&str>, voided| ShipmentNotice {
            reference: Reference::parse("main-7").unwrap(),
            warehouse_order: None,
            package: PackageId::parse("P-1").unwrap(),
            shipped_at: None,
            tracking: number.and_then(|number| numbered(number, Post::Due).tracking),
            contents: Contents::Everything,
            voided,
        };
        for (number, voided, post) in [
            (Some("1Z5"), false, Post::Due),
            (None, false, Post::NotNeeded),
            (Some("1Z5"), true, Post::NotNeeded),
        ] {
            let package = Package::from_notice(&notice(number, voided), Timestamp::MAX);
            assert_eq!((package.post, package.shipped_at), (post, Timestamp::MAX));
        }
    }

    #[test]
    fn news_of_a_package_changes_its_post_only_with_its_number() {
        let outbox = || Post::Outbox { why: "refused".into() };
        for (known, news, post) in [
            (numbered("1Z5", Post::Posted), numbered("1Z5", Post::Due), Post::Posted),
            (numbered("1Z5", Post::Posted), numbered("1Z6", Post::Due), Post::Due),
            (numbered("1Z5", outbox()), numbered("1Z5", Post::Due), outbox()),
            (numbered("1Z5", Post::Posted), package(Contents::Everything), Post::Posted),
            (numbered("1Z5", Post::Posted), voided(package(Contents::Everything)), Post::Posted),
            (voided(numbered("1Z5", Post::Posted)), numbered("1Z6", Post::Due), Post::Due),
            (package(Contents::Everything), numbered("1Z5", Post::Due), Post::Due),
        ] {
            let after = known.after(news.clone());
            assert_eq!((&after.post, after.voided), (&post, news.voided), "{known:?} after {news:?}");
            assert!(known.number().is_none() || after.number().is_some(), "a number is not forgotten");
        }
    }

    #[test]
    fn a_package_that_was_taken_back_stays_so_when_an_older_notice_of_it_comes() {
        for post in [Post::Due, Post::Posted, Post::NotNeeded] {
            let back = voided(numbered("1Z5", post));
            assert_eq!(back.after(numbered("1Z5", Post::Due)), back);
            assert_eq!(back.after(package(Contents::Everything)), back);
            assert!(!back.after(numbered("1Z6", Post::Due)).voided, "another label is another departure");
        }
    }

    #[test]
    fn a_notice_that_comes_late_or_again_is_no_news() {
        let [first, second, third] = ["1Z1", "1Z2", "1Z3"].map(|number| numbered(number, Post::Due));
        let replaced = first.after(second.clone());
        assert_eq!(replaced.earlier, [first.number().unwrap().clone()]);
        let again = replaced.after(third.clone());
        let taken_back = first.after(voided(first.clone()));
        for (known, news, old) in [
            (&first, first.clone(), true),
            (&first, package(Contents::Part), true),
            (&first, second.clone(), false),
            (&first, voided(first.clone()), false),
            (&replaced, first.clone(), true),
            (&replaced, voided(first.clone()), true),
            (&replaced, voided(second.clone()), false),
            (&replaced, third, false),
            (&again, first.clone(), true),
            (&again, second.clone(), true),
            (&taken_back, first.clone(), true),
            (&taken_back, voided(first.clone()), true),
            (&taken_back, voided(package(Contents::Part)), true),
            (&taken_back, package(Contents::Everything), true),
            (&taken_back, second, false),
        ] {
            assert_eq!(known.knows(&news), old, "{known:?} and {news:?}");
        }
    }

    #[test]
    fn a_package_whose_number_changes_for_ever_stays_small_and_remembers_the_last_ones() {
        let label = |n: usize| numbered(&format!("1Z{n}"), Post::Due);
        let package = (1..=1000).fold(label(0), |package, n| package.after(label(n)));
        assert_eq!(package.earlier.len(), 16);
        for n in 984..=1000 {
            assert!(package.knows(&label(n)), "an old notice of label {n}");
        }
        assert!(!package.knows(&label(983)), "the oldest are forgotten");
    }

    #[test]
    fn a_claimed_post_is_free_when_its_lease_has_ended_and_never_once_taken_back() {
        let (before, until) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        let claimed = numbered("1Z5", Post::Claimed { token: Token(1), until });
        assert_eq!((claimed.is_free(before), claimed.is_free(until)), (false, true));
        assert!(claimed.is_due() && !claimed.is_settled());
        let back = voided(claimed);
        assert!(!back.is_free(until) && !back.is_due() && back.is_settled());
        assert!(
            !numbered("1Z5", Post::Outbox { why: String::new() }).is_settled(),
            "a person must still act"
        );
    }
}
