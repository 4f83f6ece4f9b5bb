//! Uses TLS for the first time in its life, and for the second, and says how many nanoseconds each step took. Both sides of
//! the handshakes are in this process.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures time and prints it")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use rustls::client::Resumption;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    black_box(adapters::tls::built_in());
    let set_up = began.elapsed();

    let mut client = adapters::tls::trusting(floor::root()?);
    // The second is to resume nothing of the first.
    client.resumption = Resumption::disabled();
    let server = floor::server()?;
    let began = Instant::now();
    floor::handshake(client.clone(), &server)?;
    let first = began.elapsed();
    let began = Instant::now();
    floor::handshake(client, &server)?;
    let next = began.elapsed();
    let told = json!({
        "set_up_ns": set_up.as_nanos(),
        "first_handshake_ns": first.as_nanos(),
        "next_handshake_ns": next.as_nanos(),
    });
    println!("{told}");
    Ok(())
}
