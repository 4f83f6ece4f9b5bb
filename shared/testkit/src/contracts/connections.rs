//! What every adapter of [`Connections`] must do.

use domain::connection::Connection;
use domain::ports::Connections;
use futures_util::future::join_all;

use crate::build::{connection, connection_id};

/// Runs the whole contract.
///
/// # Panics
/// When a promise is not kept.
#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
pub async fn connections(connections: &dyn Connections, run: &str) {
    let id = |n: u32| format!("{run}-{n}");
    assert_eq!(connections.get(&connection_id(&id(1))).await.expect("get"), None);

    for n in [2, 1] {
        connections.put(&connection(&id(n))).await.expect("put");
    }
    let mut changed = connection(&id(1));
    changed.enabled = false;
    changed.policies.cooling_off_minutes = 30;
    connections.put(&changed).await.expect("replace");

    assert_eq!(
        connections.get(&changed.id).await.expect("get"),
        Some(changed.clone()),
        "the last one counts"
    );
    let all = connections.all().await.expect("all");
    let ours: Vec<_> = all.into_iter().filter(|c| c.id.as_str().starts_with(run)).collect();
    assert_eq!(ours, [changed.clone(), connection(&id(2))], "all of them, by id, enabled or not");

    let renamed = Connection { name: "Renamed".to_owned(), ..changed.clone() };
    assert!(connections.swap(&changed, &renamed).await.expect("swap"), "it was as expected");
    let late = Connection { name: "Late".to_owned(), ..changed.clone() };
    assert!(!connections.swap(&changed, &late).await.expect("swap"), "somebody else was faster");
    assert_eq!(
        connections.get(&changed.id).await.expect("get"),
        Some(renamed.clone()),
        "who was late changes nothing"
    );
    let named = |n: u32| Connection { name: format!("Name {n}"), ..renamed.clone() };
    let all: Vec<Connection> = (1..=8).map(named).collect();
    let swaps = join_all(all.iter().map(|after| connections.swap(&renamed, after))).await;
    let won: Vec<&Connection> =
        swaps.into_iter().zip(&all).filter_map(|(won, after)| won.expect("swap").then_some(after)).collect();
    let is = connections.get(&changed.id).await.expect("get");
    assert_eq!(won, is.iter().collect::<Vec<_>>(), "of those who come at the same moment one wins");
    let stranger = connection(&id(3));
    assert!(!connections.swap(&stranger, &stranger).await.expect("swap"), "nothing is there");
    assert_eq!(connections.get(&stranger.id).await.expect("get"), None);
}
