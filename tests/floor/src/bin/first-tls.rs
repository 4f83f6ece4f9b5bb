//! Uses TLS for the first time in its life, and for the second, and says how many nanoseconds each step took. Both sides of
//! the handshakes are in this process. The certificate and its key are for this and for nothing else.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures time and prints it")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use serde_json::json;

const ROOT: &[u8] = include_bytes!("../../fixtures/root.der");
const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/server.der");
const KEY: &[u8] = include_bytes!("../../fixtures/server.key.der");

fn main() -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let set_up = adapters::tls::built_in();
    let set_up_ns = began.elapsed().as_nanos();
    drop(set_up);

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_slice(ROOT))?;
    let client = Arc::new(adapters::tls::trusting(roots));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE.to_vec())], key)?;
    let server = Arc::new(server);
    let first = handshake(&client, &server)?;
    // Another client's: it resumes no session.
    let client =
        Arc::new(ClientConfig { resumption: rustls::client::Resumption::disabled(), ..(*client).clone() });
    let next = handshake(&client, &server)?;
    println!("{}", json!({"set_up_ns": set_up_ns, "first_handshake_ns": first, "next_handshake_ns": next}));
    Ok(())
}

/// Nanoseconds until both sides are ready to talk.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<u128, Box<dyn Error>> {
    let began = Instant::now();
    let mut client = ClientConnection::new(client.clone(), "localhost".try_into()?)?;
    let mut server = ServerConnection::new(server.clone())?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread)?;
            server.process_new_packets()?;
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread)?;
            client.process_new_packets()?;
        }
    }
    Ok(began.elapsed().as_nanos())
}
