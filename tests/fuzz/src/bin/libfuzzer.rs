//! The same targets, driven by libFuzzer, which is guided by what the code does with an input. `FUZZ_TARGET` names the target.
//!
//! ```text
//! bash tests/fuzz/libfuzzer order_xml -max_total_time=60
//! ```

#![no_main]

use std::sync::LazyLock;

use fuzz::target::{Target, Verdict};
use fuzz::targets;
use libfuzzer_sys::{Corpus, fuzz_target};

#[expect(clippy::disallowed_methods, reason = "libFuzzer has the arguments to itself")]
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    targets::named(&name).unwrap_or_else(|| panic!("FUZZ_TARGET names no target: {name:?}"))
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let (Verdict::Accepted | Verdict::Refused) = (TARGET.read)(input);
    Corpus::Keep
});
