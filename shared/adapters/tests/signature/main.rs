//! Webhooks: whoever knows the secret is believed, and nobody else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod mutations;
mod published_keys;
mod senders;
mod standard;
mod vectors;
mod verifier;
