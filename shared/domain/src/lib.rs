//! What Cartdock is about, without any I/O: orders, mappings, shipments, the life of an order, and the ports to the world.
//!
//! Nothing here knows a vendor, a database or an async runtime. Use cases (the `functions`) are told against [`ports`];
//! adapters are the far side of them. `shared/ARCHITECTURE.md` has the map.

pub mod address;
pub mod admission;
pub mod alert;
pub mod arrivals;
pub mod carrier;
pub mod circuit;
pub mod connection;
pub mod deadline;
pub mod failure;
pub mod fulfillment;
pub mod ids;
pub mod intake;
pub mod life;
pub mod limits;
pub mod listing;
pub mod mapping;
pub mod message;
pub mod money;
pub mod notes;
pub mod order;
pub mod payment;
pub mod policy;
pub mod ports;
pub mod reconciliation;
pub mod reconsider;
pub mod record;
pub mod ruling;
pub mod shipment;
pub mod text;
pub mod warehouse;

pub use failure::{Failure, Kind};
pub use ids::{ConnectionId, OrderId, OrderKey, PackageId, Reference, Token, WarehouseOrderId};
