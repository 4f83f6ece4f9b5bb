//! Chance with a seed: which order is special, when something dies.

pub(super) use testkit::numbers::Numbers as Dice;
