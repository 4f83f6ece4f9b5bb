//! One POST to an address on this machine, as the simulated services send their notifications and webhooks.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends the body and gives the status of the answer; none when no answer came.
pub(crate) async fn post(url: &str, headers: &[(&str, String)], body: &[u8]) -> Option<u16> {
    tokio::time::timeout(PATIENCE, exchange(url, headers, body)).await.ok()?.ok()
}

async fn exchange(url: &str, headers: &[(&str, String)], body: &[u8]) -> io::Result<u16> {
    let rest = url.strip_prefix("http://").ok_or_else(|| io::Error::other("only plain http"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer).await?;
    status(&answer).ok_or_else(|| io::Error::other("no HTTP answer"))
}

/// The status code in the first line of an answer.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_second_word_of_the_first_line() {
        for (answer, expected) in [
            (&b"HTTP/1.1 204 No Content\r\n\r\n"[..], Some(204)),
            (b"HTTP/1.0 503\r\n", Some(503)),
            (b"", None),
            (b"SSH-2.0-x\r\n", None),
        ] {
            assert_eq!(status(answer), expected);
        }
    }
}
