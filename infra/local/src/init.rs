//! `cartdock init`: writes a commented settings file to start from. It never overwrites one.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// What a person replaces before the first start.
#[cfg(test)]
const PLACEHOLDERS: [(&str, &str); 3] = [
    ("<MERCHANT-ID>", "900001"),
    ("https://<YOUR-WAREHOUSE>", "https://wms.example.com"),
    ("<FIRST-ORDER-DATE>", "2026-11-23"),
];

/// The starting file. What stands in `<…>` is to be filled in; the parser refuses the file until it is.
#[must_use]
pub(crate) fn starter() -> String {
    include_str!("init/cartdock.toml").to_owned()
}

/// Writes the starting file, readable by its owner only.
///
/// # Errors
/// When something is there already, or it cannot be written: what to do.
pub(crate) fn write(path: &Path) -> Result<(), String> {
    let mut options = OpenOptions::new();
    // `create_new` leaves no moment between looking and writing.
    options.write(true).create_new(true);
    owner_only(&mut options);
    let shown = path.display();
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{shown} is there already and was not touched; give another name with --path")
        }
        kind => format!("{shown} cannot be written: {kind}"),
    };
    let mut file = options.open(path).map_err(refused)?;
    file.write_all(starter().as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a file would keep the next try from writing a whole one.
        drop(std::fs::remove_file(path));
        refused(error)
    })
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

/// What to do after the file has been written.
#[must_use]
pub(crate) fn next_steps(path: &Path) -> String {
    let path = path.display();
    format!(
        "Wrote {path}. Now:\n\
         \n\
         \x20 1. Fill in what stands in <...>: Merchant ID, warehouse address, date of the first order.\n\
         \x20 2. Put the two secrets where the file says:\n\
         \x20      export CARTDOCK_STORE_KEY=...   CARTDOCK_WAREHOUSE_KEY=...\n\
         \x20 3. cartdock --config {path} check\n\
         \x20 4. cartdock --config {path} map import listings.csv, and rules.csv\n\
         \x20 5. cartdock --config {path} connection enable main, then: cartdock --config {path} run\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Adapters, Known, parse};

    const STORE: Known = Known {
        keys: &[
            "merchant_id",
            "api_key",
            "base_url",
            "time_zone",
            "verb",
            "timeout_seconds",
            "requests_per_second",
            "contact",
            "writeback.mode",
        ],
        secrets: &[],
    };
    const WAREHOUSE: Known = Known {
        keys: &[
            "base_url",
            "auth",
            "auth.key",
            "auth.header",
            "repeat",
            "lag_seconds",
            "webhook.scheme",
            "webhook.secret",
            "requests_per_second",
            "timeout_seconds",
            "header.*",
        ],
        secrets: &[],
    };

    fn read(text: &str) -> Result<crate::config::Config, crate::config::Mistakes> {
        let warehouse = |kind: &str| (kind == "http").then_some(WAREHOUSE);
        parse("cartdock.toml", text, &Adapters { store: STORE, kinds: &["http"], warehouse: &warehouse })
    }

    fn filled() -> String {
        PLACEHOLDERS.iter().fold(starter(), |text, (placeholder, value)| {
            assert!(text.contains(placeholder), "{placeholder}");
            text.replace(placeholder, value)
        })
    }

    #[test]
    fn the_starting_file_is_accepted_once_it_is_filled_in() {
        let config = read(&filled()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let main = &config.connections[0];
        assert!(!main.enabled, "a new connection does not run");
        assert_eq!(main.store["merchant_id"], "900001");
        assert_eq!((main.warehouse["kind"].as_str(), main.warehouse["auth"].as_str()), ("http", "bearer"));
        assert_eq!(config.secrets.len(), 2);
        let placeholder_left = filled().lines().any(|line| !line.starts_with('#') && line.contains('<'));
        assert!(!placeholder_left);
    }

    #[test]
    fn what_is_not_filled_in_is_refused() {
        assert!(read(&starter()).is_err());
    }

    #[test]
    fn every_setting_that_is_commented_out_shows_its_default() {
        let usual = read(&filled()).unwrap();
        let uncommented: Vec<String> =
            filled().lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned()).collect();
        let full = read(&uncommented.join("\n")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(full.connections[0].policies, usual.connections[0].policies);
        assert_eq!(full.connections[0].schedule, usual.connections[0].schedule);
        assert_eq!(full.tempo, usual.tempo);
        assert_eq!((full.listen, full.data_dir), (usual.listen, usual.data_dir));
    }

    #[test]
    fn a_file_that_is_there_is_left_alone_and_a_new_one_is_private() {
        let path = std::env::temp_dir().join(format!("cartdock-init-{}.toml", std::process::id()));
        write(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "mine").unwrap();
        assert!(write(&path).unwrap_err().contains("is there already"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        std::fs::remove_file(&path).unwrap();
    }
}
