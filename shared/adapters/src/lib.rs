//! The far side of every port: the store, the warehouses, the ledger, the queues, secrets and settings. All I/O lives here.

pub mod clock;
pub mod http;
pub mod secret;
pub mod settings;
pub mod signature;
pub mod wms;
