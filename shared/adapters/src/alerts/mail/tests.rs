//! Mail against a small server on a loopback port: what it is told, word by word.

use std::sync::Mutex;

use super::*;
use crate::clock::SystemClock;
use crate::secret::{GivenSecrets, Vault};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Heard = Arc<Mutex<Vec<String>>>;

/// A server that answers every command with these words, and what it heard.
async fn server(extensions: &'static str, auth: &'static str) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard: Heard = Arc::default();
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(talk(stream, extensions, auth, &kept).await);
        }
    });
    (port, heard)
}

async fn talk(stream: TcpStream, extensions: &str, auth: &str, heard: &Heard) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await?;
    let mut in_message = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." if in_message => {
                in_message = false;
                "250 taken".to_owned()
            }
            _ if in_message => {
                heard.lock().unwrap().push(line);
                continue;
            }
            "EHLO" => format!("250-test\r\n{extensions}250 8BITMIME"),
            "AUTH" => auth.to_owned(),
            "DATA" => {
                in_message = true;
                "354 go on".to_owned()
            }
            "STARTTLS" => "454 not now".to_owned(),
            _ => "250 ok".to_owned(),
        };
        heard.lock().unwrap().push(line);
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn mail(port: u16, security: Security, with_login: bool) -> Mail {
    let given = [("user", "unmistakable-user"), ("password", "unmistakable-password")];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let vault = Arc::new(Vault::new(vec![Box::new(GivenSecrets::new(given))], Arc::new(SystemClock)));
    let secret = |name: &str| SecretRef::new(vault.clone(), name);
    let settings = MailSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        from: address("cartdock@example.com").unwrap(),
        to: vec![address("ops@example.com").unwrap(), address("ada@example.com").unwrap()],
        login: with_login.then(|| (secret("given:user"), secret("given:password"))),
    };
    Mail::new(settings, Arc::new(SystemClock))
}

fn alert() -> Alert {
    let title = "Cartdock Überraschung: SKU LAMP has no listing\r\nBcc: everybody@example.com".to_owned();
    let text = "OPEN: SKU LAMP-Ü has no listing\n.\n  cure: Add a listing for it.\n".to_owned();
    Alert { title, text }
}

/// What the words of base64 in these lines say.
fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

#[tokio::test]
async fn everybody_gets_the_message_and_no_title_makes_a_header() {
    let (port, heard) = server("", "").await;
    mail(port, Security::None, false).send(&alert()).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    for line in ["MAIL FROM:<cartdock@example.com>", "RCPT TO:<ops@example.com>", "RCPT TO:<ada@example.com>"]
    {
        assert!(heard.iter().any(|told| told.starts_with(line)), "{line} in {heard:?}");
    }
    assert!(heard.iter().all(|line| line.len() <= 78 && !line.starts_with("Bcc")), "{heard:?}");
    let empty = heard.iter().position(String::is_empty).unwrap();
    let body: String = heard[empty..].iter().take_while(|line| *line != ".").cloned().collect();
    assert_eq!(decoded(&body), alert().text.replace('\n', "\r\n"));
    let words = heard.iter().flat_map(|line| line.split("=?UTF-8?B?").nth(1));
    let title: String = words.map(|word| decoded(word.trim_end_matches("?="))).collect();
    assert_eq!(title, alert().title.replace("\r\n", "  "));
}

#[tokio::test]
async fn user_and_password_are_shown_where_the_server_asks_and_a_refusal_does_not_tell_them() {
    let (port, heard) = server("250-AUTH PLAIN\r\n", "235 welcome").await;
    mail(port, Security::None, true).send(&alert()).await.unwrap();
    let auth = heard.lock().unwrap().iter().find(|line| line.starts_with("AUTH PLAIN")).cloned().unwrap();
    assert_eq!(decoded(auth.split(' ').nth(2).unwrap()), "\u{0}unmistakable-user\u{0}unmistakable-password");
    let (port, _) = server("250-AUTH PLAIN\r\n", "535 unmistakable-user is not known here").await;
    let failure = mail(port, Security::None, true).send(&alert()).await.unwrap_err();
    assert!(failure.message.contains("correct the secrets"), "{failure}");
    assert!(!format!("{failure} {failure:?}").contains("unmistakable"), "{failure:?}");
}

#[tokio::test]
async fn nothing_is_said_in_plain_text_to_a_server_that_has_no_tls() {
    for (extensions, security) in
        [("", Security::StartTls), ("250-STARTTLS\r\n", Security::StartTls), ("", Security::OnConnect)]
    {
        let (port, heard) = server(extensions, "235 welcome").await;
        mail(port, security, true).send(&alert()).await.unwrap_err();
        let heard = heard.lock().unwrap().clone();
        assert!(
            heard.iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")),
            "{security:?}: {heard:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_may_be_there_later() {
    let failure = mail(9, Security::None, false).send(&alert()).await.unwrap_err();
    assert!(failure.is_retryable() && failure.message.contains("127.0.0.1:9 cannot be reached"), "{failure}");
    assert!(address("ops").is_err() && address("ops@example.com").is_ok());
}
