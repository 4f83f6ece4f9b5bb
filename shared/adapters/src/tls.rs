//! The one TLS set-up of a process: rustls with ring, and the roots that certificates are checked against.

use std::sync::Arc;

use domain::Failure;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The settings that name certificates to be believed instead of the built-in ones.
const NAMED: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How connections are secured. Whoever issues public certificates is believed, by Mozilla's list, which is built in: it is
/// there at once, while a system's takes milliseconds to read. Cheap to clone; clones resume each other's sessions.
#[must_use]
pub fn built_in() -> ClientConfig {
    trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

/// The same; whom the system believes is believed, by its own list or by the one that `SSL_CERT_FILE` and `SSL_CERT_DIR`
/// name.
///
/// # Errors
/// When there is nobody to believe.
pub fn of_the_system() -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        let cure =
            "the system has no certificates; install its ca-certificates or name a file in SSL_CERT_FILE";
        return Err(Failure::permanent("set up TLS", cure));
    }
    Ok(trusting(roots))
}

/// The built-in list, unless one of these settings names another.
///
/// # Errors
/// As [`of_the_system`].
pub fn named_by<'a>(mut settings: impl Iterator<Item = &'a str>) -> Result<ClientConfig, Failure> {
    if settings.any(|name| NAMED.contains(&name)) { of_the_system() } else { Ok(built_in()) }
}

/// The same; these are believed and nobody else.
#[must_use]
pub fn trusting(roots: RootCertStore) -> ClientConfig {
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions();
    #[expect(
        clippy::expect_used,
        reason = "fails only without a cipher suite, and ring has some for both versions"
    )]
    let versions = versions.expect("ring speaks TLS 1.2 and 1.3");
    versions.with_root_certificates(roots).with_no_client_auth()
}
