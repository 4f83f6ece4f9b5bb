//! Marks in every secret and every personal field, and the search for them where they must not be.

use std::path::Path;

/// What every mark contains, whatever it marks.
pub(super) const MARK: &str = "CANARY";

/// The marked secrets of one connection.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    pub(super) store_key: String,
    pub(super) notify: String,
    pub(super) warehouse_key: String,
    pub(super) webhook: String,
}

impl Secrets {
    /// Those of the shop with this number and id.
    pub(super) fn of(number: usize, id: &str) -> Self {
        Self {
            // A merchant's key is 32 hex digits.
            store_key: format!("CA4A27CA4A27CA4A27CA4A27CA4A27{number:02}"),
            notify: format!("{MARK}-notify-{id}"),
            warehouse_key: format!("{MARK}-warehouse-key-{id}"),
            // Base64 of "CANARY-webhook-secret-of-the-r", and the number.
            webhook: format!("whsec_Q0FOQVJZLXdlYmhvb2stc2VjcmV0LW9mLXRoZS1yd{number:02}u"),
        }
    }

    /// The environment variables that hold them.
    pub(super) fn variables(&self, id: &str) -> [(String, String); 4] {
        [
            (variable("STORE_KEY", id), self.store_key.clone()),
            (variable("NOTIFY_SECRET", id), self.notify.clone()),
            (variable("WAREHOUSE_KEY", id), self.warehouse_key.clone()),
            (variable("WEBHOOK_SECRET", id), self.webhook.clone()),
        ]
    }
}

/// The variable that holds a secret of a shop.
pub(super) fn variable(what: &str, id: &str) -> String {
    format!("{what}_{}", id.to_uppercase().replace('-', "_"))
}

/// What is looked for, in lower case: the marks, and the secrets that cannot carry the word itself.
const NEEDLES: [&str; 3] = ["canary", "ca4a27ca4a27", "q0foqvjzlxdlymhvb2st"];

/// The text around the first mark in some bytes, if there is one.
pub(super) fn found(bytes: &[u8]) -> Option<String> {
    let lower = bytes.to_ascii_lowercase();
    let at = NEEDLES.iter().find_map(|needle| position(&lower, needle.as_bytes()))?;
    let around = bytes.get(at.saturating_sub(120)..(at + 80).min(bytes.len())).unwrap_or_default();
    Some(String::from_utf8_lossy(around).into_owned())
}

fn position(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// Every file below a directory that holds a mark, with the text around it. Says how many bytes were searched.
pub(super) fn search(dir: &Path, leaks: &mut Vec<String>) -> u64 {
    let mut searched = 0;
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            searched += search(&path, leaks);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        searched += bytes.len() as u64;
        leaks.extend(found(&bytes).map(|text| format!("{}: {text}", path.display())));
    }
    searched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_wherever_it_is_and_in_any_case() {
        for (number, id) in ["k", "ld-2"].into_iter().enumerate() {
            for (_, secret) in Secrets::of(number, id).variables(id) {
                let line = format!("{{\"message\":\"GET https://x/?key={}\"}}", secret.to_lowercase());
                assert!(found(line.as_bytes()).is_some(), "{line}");
            }
        }
        assert!(found(b"an order of \xff Pat CanaryName800000001, refused").is_some());
        assert_eq!(found(b"order main-1 was refused"), None);
    }

    #[test]
    fn files_are_searched_in_all_directories() {
        let dir = std::env::temp_dir().join(format!("cartdock-marks-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("a/b")).unwrap();
        std::fs::write(dir.join("a/b/log"), "nothing\nPat CANARYname1\n").unwrap();
        let mut leaks = Vec::new();
        assert_eq!(search(&dir, &mut leaks), 24);
        assert_eq!(leaks.len(), 1, "{leaks:?}");
    }
}
