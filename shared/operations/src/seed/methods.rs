//! Shipping methods that no rule takes, and the service that each may be.

use std::collections::{BTreeMap, BTreeSet};

use domain::mapping::{Decision, Gap, Matcher};

use super::alike::{Certainty, Codes, Found, plain};
use super::{ProposedRule, SAME_BUT, Seeding, Use};
use crate::mapping_csv::sheet::first_column;
use crate::recent::{Recent, RecentOrders};

impl Seeding<'_> {
    /// The methods of orders that no rule takes.
    pub(super) fn rules(&self, read: &RecentOrders, notes: &mut Vec<String>) -> Vec<ProposedRule> {
        let Recent { connection, now, .. } = self.recent;
        let mut methods: BTreeMap<String, (String, BTreeSet<String>, Use)> = BTreeMap::new();
        for order in &read.orders {
            if !crate::plan::is_to_be_shipped(order, &connection.policies, now) {
                continue;
            }
            let Err(Gap::UnknownMethod { method, country }) =
                self.mapping.service(order, &connection.policies)
            else {
                continue;
            };
            let worded = order.ship_method.as_ref().map_or(method.as_str(), |method| method.as_str());
            let known = methods
                .entry(method.clone())
                .or_insert_with(|| (worded.to_owned(), BTreeSet::new(), Use::default()));
            known.1.insert(country);
            known.2.orders += 1;
        }
        let services = self.services();
        if services.len() == 0 && !methods.is_empty() {
            notes.push("no service of the warehouse is known: give them with --services FILE".to_owned());
        }
        let mut rules: Vec<_> = methods
            .into_values()
            .map(|(method, countries, used)| self.proposed_rule(method, countries, used, &services))
            .collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.used.orders));
        rules
    }

    /// Every service of the warehouse that can be known.
    fn services(&self) -> Codes {
        let mut services = Codes::default();
        for rule in &self.mapping.rules {
            if let Decision::Book(service) = &rule.decision {
                services.add(service.as_str());
            }
        }
        if let Some(Ok(given)) = self.services.map(first_column) {
            given.iter().for_each(|service| services.add(service));
        }
        services
    }

    fn proposed_rule(
        &self,
        method: String,
        countries: BTreeSet<String>,
        used: Use,
        services: &Codes,
    ) -> ProposedRule {
        let is_code =
            |country: &String| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
        let all_codes = countries.iter().all(is_code);
        let countries = if all_codes { countries.into_iter().collect() } else { Vec::new() };
        let (service, certainty, why) = match (services.find(&method), self.alike_rule(&method)) {
            (Found::Exact(service), _) => {
                (service, Certainty::Exact, "the warehouse has this very service".into())
            }
            (Found::Alike(service), _) => (service, Certainty::Guess, SAME_BUT.to_owned()),
            (_, Some((text, service))) => {
                let why = format!("guess: the rule for \"{text}\" differs only in case, blanks or hyphens");
                (service, Certainty::Guess, why)
            }
            (Found::Several(several), None) => (
                String::new(),
                Certainty::Open,
                format!("several services look like it: {}", several.join(", ")),
            ),
            (Found::Nothing, None) => (String::new(), Certainty::Open, "nothing looks like it".to_owned()),
        };
        ProposedRule { method, countries, service, certainty, why, used }
    }

    /// A rule in force whose text is the same but for how it is typed.
    fn alike_rule(&self, method: &str) -> Option<(String, String)> {
        let wanted = plain(method);
        self.mapping.rules.iter().find_map(|rule| match (&rule.method, &rule.decision) {
            (Matcher::Is(text), Decision::Book(service)) if plain(text) == wanted => {
                Some((text.clone(), service.to_string()))
            }
            _ => None,
        })
    }
}
