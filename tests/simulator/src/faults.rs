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
    /// Each call until the plan is cleared.
    Always,
}

impl When {
    fn hits(self, call: u32) -> bool {
        match self {
            Self::Next(calls) => call <= calls,
            Self::Nth(number) => call == number,
            Self::Every(step) => step > 0 && call.is_multiple_of(step),
            Self::Always => true,
        }
    }
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
    }

    #[test]
    fn a_fault_about_one_subject_leaves_the_others_alone() {
        let mut plan = Plan::new().and_about(7, "read", When::Always, "hang up");
        assert_eq!(plan.meet("read", "8"), None);
        assert_eq!(plan.meet("list", "7"), None);
        assert_eq!(plan.meet("read", "7"), Some("hang up"));
    }
}
