//! Hostile input: everything that reads bytes from outside, tried with bytes that were made to hurt.
//!
//! A target (`targets`) gives one reader its input and checks what comes out: what is accepted keeps its promises, what
//! is refused says why and repeats nothing of the input. `attacks` makes documents that are known to hurt; `mutate` makes
//! endless variations of the kept inputs in `corpus/`; `run` watches over memory, time and panics while it is tried.

// It has no tests of its own; those of the settings file's reader run where that belongs.
#![cfg(not(test))]

pub mod attacks;
pub mod corpus;
pub mod mutate;
pub mod run;
pub mod target;
pub mod targets;

/// The settings file's reader is part of the command line's program; here it is built a second time, to be called.
#[path = "../../../infra/local/src"]
mod local {
    #[expect(dead_code, reason = "only the reader is called")]
    pub(crate) mod config;
}

/// Counts what is allocated, in every program that is linked with this crate.
#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
