//! Warehouses against recordings and small servers on this machine.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should say where")]

mod contract;
mod http;
mod shipbob;
mod support;
