//! How long things may take, by the names that settings give them: the table `[pace]` of the local settings, and the
//! variable `PACE` of the functions. Only for tests and demos, where nobody wants to wait for minutes.

use std::time::Duration;

use domain::life::Pace;

/// The shortest and the longest time, in milliseconds, that make sense here: the longest is a day.
pub const MILLIS: std::ops::RangeInclusive<u32> = 10..=24 * 60 * 60 * 1000;

/// The times of a pace, by their names.
pub fn times(pace: &mut Pace) -> [(&'static str, &mut Duration); 6] {
    [
        ("send_within_ms", &mut pace.send_within),
        ("lease_ms", &mut pace.lease),
        ("grace_ms", &mut pace.grace),
        ("first_retry_ms", &mut pace.first_retry),
        ("longest_retry_ms", &mut pace.longest_retry),
        ("first_watch_ms", &mut pace.first_watch),
    ]
}

/// Why these times do not go together, if they do not.
#[must_use]
pub fn contradiction(pace: &Pace) -> Option<String> {
    let (lease, send_within) = (pace.lease.as_millis(), pace.send_within.as_millis());
    (lease <= send_within).then(|| {
        format!("lease_ms ({lease}) is not longer than send_within_ms ({send_within}): an order could be sent twice")
    })
}

/// Reads `send_within_ms=3000,lease_ms=6000`; what is not named stays as it usually is.
///
/// # Errors
/// What is wrong, and the cure.
pub fn read(text: &str) -> Result<Pace, String> {
    let mut pace = Pace::default();
    let mut named = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, value) =
            entry.split_once('=').map_or((entry, ""), |(name, value)| (name.trim(), value.trim()));
        let mut all = times(&mut pace);
        let names = all.each_ref().map(|(name, _)| *name).join(", ");
        let Some((name, time)) = all.iter_mut().find(|(known, _)| *known == name) else {
            return Err(format!("has the unknown entry \"{name}\"; known are: {names}"));
        };
        if named.contains(name) {
            return Err(format!("has {name} twice; remove one of them"));
        }
        named.push(name);
        let millis = value.parse::<u32>().ok().filter(|millis| MILLIS.contains(millis));
        let (least, most) = (MILLIS.start(), MILLIS.end());
        let wrong =
            || format!("has no good {name}; write {name}=N with a whole number from {least} to {most}");
        **time = Duration::from_millis(u64::from(millis.ok_or_else(wrong)?));
    }
    match contradiction(&pace) {
        None => Ok(pace),
        Some(problem) => {
            Err(format!("is wrong: {problem}; make the lease longer, or leave the variable out"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_taken_and_the_rest_is_as_usual() {
        let usual = Pace::default();
        assert_eq!(read(""), Ok(usual));
        let read = read(" send_within_ms = 3000, lease_ms=6000,grace_ms=8000,first_retry_ms=300,").unwrap();
        let millis = Duration::from_millis;
        let wanted = Pace {
            send_within: millis(3000),
            lease: millis(6000),
            grace: millis(8000),
            first_retry: millis(300),
            ..usual
        };
        assert_eq!(read, wanted);
    }

    #[test]
    fn every_name_is_a_time_of_its_own() {
        let mut pace = Pace::default();
        let text: Vec<String> =
            (1_u32..).zip(times(&mut pace)).map(|(n, (name, _))| format!("{name}={}", 100 * n)).collect();
        // The lease is the second one, and the sending the first.
        let mut read = read(&text.join(",")).unwrap();
        assert_eq!(times(&mut read).map(|(_, time)| time.as_millis()), [100, 200, 300, 400, 500, 600]);
    }

    #[test]
    fn each_mistake_is_told_by_its_key_and_its_cure() {
        for (text, key, cure) in [
            ("lease=6000", "\"lease\"", "known are: send_within_ms, lease_ms"),
            ("sweep_ms=1000", "\"sweep_ms\"", "known are"),
            ("lease_ms", "lease_ms", "whole number from 10 to 86400000"),
            ("lease_ms=6 s", "lease_ms", "write lease_ms=N"),
            ("grace_ms=9", "grace_ms", "from 10"),
            ("grace_ms=86400001", "grace_ms", "to 86400000"),
            ("grace_ms=-1", "grace_ms", "write grace_ms=N"),
            ("grace_ms=10,grace_ms=20", "grace_ms twice", "remove one"),
            ("lease_ms=3000", "lease_ms (3000)", "make the lease longer"),
            ("send_within_ms=900000", "send_within_ms (900000)", "make the lease longer"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(key) && problem.contains(cure), "{text}: {problem}");
        }
    }
}
