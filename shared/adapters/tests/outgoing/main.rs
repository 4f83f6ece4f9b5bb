//! Where requests may go: to no address of ours or of our neighbours, however it is spelt, by whichever setting.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod client;
mod corpus;
mod partners;
mod witness;
