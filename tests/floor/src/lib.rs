//! TLS handshakes inside this process, with a server whose certificate a root of the tests has signed. The certificate and
//! its key are for this and for nothing else.

use std::error::Error;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig, ServerConnection,
};

const ROOT: &[u8] = include_bytes!("../fixtures/root.der");
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/server.der");
const KEY: &[u8] = include_bytes!("../fixtures/server.key.der");

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The root of the tests, which nobody else knows.
///
/// # Errors
/// When the fixture is no certificate.
pub fn root() -> Outcome<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_slice(ROOT))?;
    Ok(roots)
}

/// The server `localhost`.
///
/// # Errors
/// When the fixtures do not fit together.
pub fn server() -> Outcome<Arc<ServerConfig>> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE.to_vec())], key)?;
    Ok(Arc::new(server))
}

/// Returns when both sides are ready to talk.
///
/// # Errors
/// When one side refuses the other.
pub fn handshake(client: ClientConfig, server: &Arc<ServerConfig>) -> Outcome<()> {
    let mut client = ClientConnection::new(Arc::new(client), "localhost".try_into()?)?;
    let mut server = ServerConnection::new(server.clone())?;
    while client.is_handshaking() || server.is_handshaking() {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
    }
    Ok(())
}

/// Carries over what one side has to say.
fn carry<A, B>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) -> Outcome<()> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire)?;
    }
    let mut unread = wire.as_slice();
    while !unread.is_empty() {
        to.read_tls(&mut unread)?;
        to.process_new_packets()?;
    }
    Ok(())
}
