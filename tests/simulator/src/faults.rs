//! When a simulated service misbehaves: the next calls of a kind, one call, every nth call, or always.

/// Which of the calls from now on are hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The next so many calls.
    Next(u32),
    /// Only the call with this number, counted from 1.
    Nth(u32),
    /// Every so manyth call: 3 is the third, the sixth and so on.
    Every(u32),
    /// So many calls in ten thousand, chosen by a seed.
    Chance {
        /// How many in ten thousand.
        in_10_000: u64,
        /// The same seed chooses the same calls.
        seed: u64,
    },
    /// Each call until the plan is cleared.
    Always,
}

impl When {
    fn hits(self, call: u32) -> bool {
        match self {
            Self::Next(calls) => call <= calls,
            Self::Nth(number) => call == number,
            Self::Every(step) => step > 0 && call.is_multiple_of(step),
            Self::Chance { in_10_000, seed } => mixed(seed, u64::from(call)) % 10_000 < in_10_000,
            Self::Always => true,
        }
    }
}

/// The name of a fault, without what it carries.
pub(crate) fn name_of(fault: &impl std::fmt::Debug) -> String {
    let told = format!("{fault:?}");
    told.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// A number that looks random (SplitMix64's finisher).
fn mixed(seed: u64, call: u64) -> u64 {
    let mut z = seed.wrapping_add(call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[derive(Debug, Clone)]
struct Rule<K, F> {
    kind: K,
    subject: Option<String>,
    when: When,
    fault: F,
    calls: u32,
}

/// A list of faults to come, by kind of call. Where several fit one call, the one planned first is done.
#[derive(Debug, Clone)]
pub struct Plan<K, F> {
    rules: Vec<Rule<K, F>>,
}

impl<K, F> Default for Plan<K, F> {
    fn default() -> Self {
        Self { rules: Vec::new() }
    }
}

impl<K: Copy + PartialEq, F: Clone> Plan<K, F> {
    /// A plan without any fault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault for calls of this kind.
    #[must_use]
    pub fn and(mut self, kind: K, when: When, fault: F) -> Self {
        self.rules.push(Rule { kind, subject: None, when, fault, calls: 0 });
        self
    }

    /// Adds a fault for calls of this kind about one subject only: an order number, a reference.
    #[must_use]
    pub fn and_about(mut self, subject: impl ToString, kind: K, when: When, fault: F) -> Self {
        self.rules.push(Rule { kind, subject: Some(subject.to_string()), when, fault, calls: 0 });
        self
    }

    /// Adds another plan behind this one.
    pub(crate) fn extend(&mut self, other: Self) {
        self.rules.extend(other.rules);
    }

    /// Counts a call and gives the fault that it meets, if any.
    pub(crate) fn meet(&mut self, kind: K, subject: &str) -> Option<F> {
        let mut met = None;
        for rule in &mut self.rules {
            if rule.kind == kind && rule.subject.as_ref().is_none_or(|wanted| wanted == subject) {
                rule.calls += 1;
                if met.is_none() && rule.when.hits(rule.calls) {
                    met = Some(rule.fault.clone());
                }
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(when: When) -> Vec<u32> {
        let mut plan = Plan::new().and("read", when, ());
        (1..=7).filter(|_| plan.meet("read", "").is_some()).collect()
    }

    #[test]
    fn each_rule_hits_the_calls_it_names() {
        assert_eq!(hits(When::Next(2)), [1, 2]);
        assert_eq!(hits(When::Nth(3)), [3]);
        assert_eq!(hits(When::Every(3)), [3, 6]);
        assert!(hits(When::Every(0)).is_empty());
        assert_eq!(hits(When::Always).len(), 7);
        let hit = (1..=10_000).filter(|call| When::Chance { in_10_000: 100, seed: 7 }.hits(*call)).count();
        assert!((60..=140).contains(&hit), "{hit} of 10,000 where 100 are meant");
    }

    #[test]
    fn a_fault_about_one_subject_leaves_the_others_alone() {
        let mut plan = Plan::new().and_about(7, "read", When::Always, "hang up");
        assert_eq!(plan.meet("read", "8"), None);
        assert_eq!(plan.meet("list", "7"), None);
        assert_eq!(plan.meet("read", "7"), Some("hang up"));
    }
}
