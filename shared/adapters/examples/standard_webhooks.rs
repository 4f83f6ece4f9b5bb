//! Our side of the comparison with the published Standard Webhooks libraries (`.ci/webhooks`): signs messages as lines of
//! JSON, or verifies such lines.
//!
//! `standard_webhooks sign COUNT` writes messages; each tenth has been changed after it was signed, and says so.
//! `standard_webhooks verify` reads them and ends with 1 when it believes one that it should not, or the other way round.
#![expect(clippy::print_stderr, reason = "a program for the command line")]

use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use adapters::clock::SystemClock;
use adapters::signature::Scheme;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ports::Clock;
use domain::warehouse::RawWebhook;
use ring::hmac;
use serde::{Deserialize, Serialize};
use testkit::numbers::Numbers;

/// Seconds that the libraries allow either way.
const WINDOW: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Message {
    secret: String,
    id: String,
    timestamp: String,
    signature: String,
    body: String,
    /// Must it be believed?
    expect: bool,
}

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sign", count] => sign(count.parse()?),
        ["verify"] => verify(),
        _ => Err("usage: standard_webhooks sign COUNT | verify".into()),
    }
}

fn verify() -> Done {
    let (mut believed, mut refused, mut wrong) = (0, 0, 0);
    for line in stdin().lock().lines() {
        let message: Message = serde_json::from_str(&line?)?;
        let is_believed = is_believed(&message);
        if is_believed {
            believed += 1
        } else {
            refused += 1
        }
        if is_believed != message.expect {
            wrong += 1;
            eprintln!("should be {}: message {}", message.expect, message.id);
        }
    }
    eprintln!("cartdock: {believed} believed, {refused} refused, {wrong} wrongly");
    if wrong > 0 || believed == 0 { Err("we and the other library do not agree".into()) } else { Ok(()) }
}

fn is_believed(message: &Message) -> bool {
    let header = |name: &str, value: &str| (format!("webhook-{name}"), value.to_owned());
    let headers = vec![
        header("id", &message.id),
        header("timestamp", &message.timestamp),
        header("signature", &message.signature),
    ];
    let body = message.body.clone().into_bytes();
    let raw = RawWebhook { headers, path_rest: String::new(), body };
    Scheme::Standard.check(&raw, &message.secret, WINDOW, SystemClock.now()).is_ok()
}

fn sign(count: u64) -> Done {
    let (mut out, mut numbers) = (BufWriter::new(stdout().lock()), Numbers::of(1));
    let now = SystemClock.now().as_second();
    for number in 0..count {
        let key: Vec<u8> = (0..24 + numbers.below(41)).map(|_| numbers.byte()).collect();
        let (id, body) = (format!("msg_{number}_{:x}", numbers.draw()), document(&mut numbers));
        let tag =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{now}.{body}").as_bytes());
        let message = Message {
            secret: format!("whsec_{}", STANDARD.encode(key)),
            id,
            timestamp: now.to_string(),
            signature: format!("v1,{}", STANDARD.encode(tag)),
            body,
            expect: true,
        };
        let message = if number % 10 == 9 { changed(message, number / 10) } else { message };
        serde_json::to_writer(&mut out, &message)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// The message with one thing changed after it was signed.
fn changed(mut message: Message, kind: u64) -> Message {
    message.expect = false;
    match kind % 5 {
        0 => message.body.push(' '),
        1 => message.id.push('0'),
        2 => {
            message.timestamp =
                message.timestamp.parse::<i64>().map_or(String::new(), |t| (t - 1).to_string())
        }
        3 => message.secret = format!("whsec_{}", STANDARD.encode([7; 24])),
        _ => message.signature = format!("v1,{}", STANDARD.encode([7; 32])),
    }
    message
}

/// A JSON document with text of many scripts.
fn document(numbers: &mut Numbers) -> String {
    const PIECES: [&str; 12] = ["a", "7", " ", "\"", "\\", "\n", "é", "ß", "北", "🚚", "\u{7f}", "e\u{301}"];
    let text: String = (0..numbers.below(60)).map(|_| PIECES[numbers.place(12)]).collect();
    serde_json::json!({ "text": text, "number": numbers.below(1 << 50) }).to_string()
}
