//! What every adapter of [`Mappings`] must do.

use domain::mapping::{Mapping, Target};
use domain::ports::Mappings;

use crate::build::{change, connection_id, mapping, sku};

/// Runs the whole contract.
///
/// # Panics
/// When a promise is not kept.
pub async fn mappings(mappings: &dyn Mappings, run: &str) {
    starts_empty_and_counts_its_versions(mappings, run).await;
    a_large_one_comes_back_whole(mappings, run).await;
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn starts_empty_and_counts_its_versions(mappings: &dyn Mappings, run: &str) {
    let here = connection_id(&format!("{run}-a"));
    assert_eq!(*mappings.current(&here).await.expect("current"), Mapping::default());
    assert_eq!(mappings.history(&here, 10).await.expect("history"), []);
    assert!(!mappings.replace(&here, &mapping(2), &change("too far")).await.expect("replace"), "no gap");

    assert!(mappings.replace(&here, &mapping(1), &change("first")).await.expect("replace"));
    assert!(
        mappings.replace(&here, &mapping(1), &change("first")).await.expect("replace"),
        "our own earlier write is done"
    );
    let mut other = mapping(1);
    other.listings.clear();
    assert!(!mappings.replace(&here, &other, &change("somebody else")).await.expect("replace"), "taken");
    assert_eq!(*mappings.current(&here).await.expect("current"), mapping(1), "the first one stays");

    let mut second = mapping(2);
    second.listings.insert(sku("NEW"), Target::DoNotShip);
    assert!(mappings.replace(&here, &second, &change("second")).await.expect("replace"));
    assert_eq!(*mappings.current(&here).await.expect("current"), second);
    let history = mappings.history(&here, 10).await.expect("history");
    assert_eq!(history, [(2, change("second")), (1, change("first"))], "newest first");
    assert_eq!(mappings.history(&here, 1).await.expect("history"), [(2, change("second"))], "limited");

    for (version, kept) in
        [(0, Some(Mapping::default())), (1, Some(mapping(1))), (2, Some(second)), (3, None)]
    {
        let at = mappings.at(&here, version).await.expect("at");
        assert_eq!(at.as_deref(), kept.as_ref(), "version {version} as it was written");
    }

    let elsewhere = connection_id(&format!("{run}-b"));
    assert_eq!(mappings.at(&elsewhere, 1).await.expect("at"), None, "each has its own versions");
    assert_eq!(mappings.current(&elsewhere).await.expect("current").version, 0, "each has its own");
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn a_large_one_comes_back_whole(mappings: &dyn Mappings, run: &str) {
    let here = connection_id(&format!("{run}-large"));
    let mut large = mapping(1);
    // Digits that do not repeat, so that no compression makes it small.
    let mut seed: u64 = 7;
    for n in 0..40_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        large.listings.insert(sku(&format!("{n}-{seed:x}")), Target::DoNotShip);
    }
    assert!(mappings.replace(&here, &large, &change("large")).await.expect("replace"));
    assert_eq!(*mappings.current(&here).await.expect("current"), large);
    let next = Mapping { version: 2, ..Mapping::default() };
    assert!(mappings.replace(&here, &next, &change("small")).await.expect("replace"));
    assert_eq!(mappings.at(&here, 1).await.expect("at").as_deref(), Some(&large), "an older one, too");
}
