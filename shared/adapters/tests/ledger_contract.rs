//! The ledger, the mappings and the connections keep their ports' promises on a DynamoDB engine, through the real SDK.

mod common;

use adapters::dynamodb::{
    Client, DynamoConnections, DynamoLedger, DynamoMappings, DynamoNotes, tables::Names,
};
use testkit::contracts;

async fn whole_contract(client: &Client, names: &Names) {
    let run = common::run();
    contracts::ledger::ledger(&DynamoLedger::new(client.clone(), &names.ledger, None), &run).await;
    contracts::mappings::mappings(&DynamoMappings::new(client.clone(), &names.mappings, None), &run).await;
    contracts::notes::notes(&DynamoNotes::new(client.clone(), &names.ledger), &run).await;
    let connections = DynamoConnections::new(client.clone(), &names.ledger, None);
    contracts::connections::connections(&connections, &run).await;
}

#[tokio::test]
async fn the_contracts_hold_in_memory() {
    let (client, names) = common::in_memory().await;
    whole_contract(&client, &names).await;
}

#[tokio::test]
async fn the_contracts_hold_on_a_file() {
    let path = std::env::temp_dir().join(format!("cartdock-{}.db", common::run()));
    let (client, names) = common::client(&common::start(Some(&path)).await).await;
    whole_contract(&client, &names).await;
    std::fs::remove_file(&path).expect("the file was used");
}

#[tokio::test]
async fn the_contracts_hold_at_a_named_endpoint() {
    if let Some(endpoint) = common::named_endpoint("DYNAMODB_ENDPOINT") {
        let (client, names) = common::client(&endpoint).await;
        whole_contract(&client, &names).await;
    }
}
