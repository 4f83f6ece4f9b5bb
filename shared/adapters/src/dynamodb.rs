//! DynamoDB, or anything that speaks its protocol: the ledger, the mappings and the connections.

pub mod connections;
pub mod erasure;
mod keys;
pub mod ledger;
pub mod mappings;
pub mod meter;
pub mod notes;
mod table;
pub mod tables;

pub use aws_sdk_dynamodb::Client;
pub use connections::{CachedConnections, DynamoConnections};
pub use erasure::DynamoErasure;
pub use ledger::DynamoLedger;
pub use mappings::{CachedMappings, DynamoMappings};
pub use meter::{Meter, Usage};
pub use notes::DynamoNotes;
pub use tables::Names;
