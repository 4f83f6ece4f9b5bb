//! The settings file as something that commands change: one setting, one connection, and every other byte stays.

pub(crate) mod edit;
pub(crate) mod file;
pub(crate) mod render;
