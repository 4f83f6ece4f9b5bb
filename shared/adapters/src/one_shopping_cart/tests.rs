//! Tests of the store's adapter: what becomes of documents, good and bad, and of calls to a server that misbehaves.

mod attacks;
mod orders;
mod server;
mod store;
mod writeback;
