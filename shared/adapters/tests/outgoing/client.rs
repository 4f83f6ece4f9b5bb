//! The real client and the whole corpus: as addresses, as what names resolve to, and as where redirects lead.

use std::error::Error;
use std::net::IpAddr;
use std::process::Command;

use adapters::http::{Http, MAX_ANSWER_BYTES, Sent, is_public};
use domain::Failure;
use reqwest::Url;
use tokio::net::TcpListener;

use crate::corpus;
use crate::witness::{Answers, OK, Witness, client, get};

/// A public address that nobody has (the 6bone's, given back in 2006), so that no test knocks at a stranger's door.
const NOBODY: &str = "3ffe::1";

/// The failure with its sources: the guard's reasons are the last words of it, a socket's error would be others.
fn told(sent: Sent) -> Result<u16, String> {
    let failure: Failure = match sent {
        Sent::Answered(answer) => return Ok(answer.status),
        Sent::NotSent(failure) | Sent::Unclear(failure) => failure,
    };
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(error) = source {
        text.push_str(&format!(" / {error}"));
        source = error.source();
    }
    Err(text)
}

/// Was it the guard that refused the address, before any socket was opened?
fn is_guarded(told: &Result<u16, String>) -> bool {
    let reasons = ["is not a public address", "has no public address", "carries a user name"];
    told.as_ref().is_err_and(|text| reasons.iter().any(|reason| text.contains(reason)))
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_is_connected_to() {
    let witness = Witness::answering(OK).await;
    let http = client(Answers::local());
    let hosts = corpus::hosts();
    assert!(hosts.len() >= 300, "{} forms", hosts.len());
    let (mut tried, mut unspeakable) = (0, Vec::new());
    for host in &hosts {
        let urls = [
            format!("https://{host}/"),
            format!("https://{host}:{}/", witness.port),
            format!("http://{host}/"),
        ];
        for (index, url) in urls.iter().enumerate() {
            // What is no URL at all cannot be set in the first place.
            let Ok(url) = Url::parse(url) else {
                unspeakable.push(host.clone());
                break;
            };
            let told = told(http.only([&url]).send("test", get(&url)).await);
            // A name is looked up only for https on its own port.
            let is_name = url.domain().is_some() && index > 0;
            let refused =
                ["only port 443", "only https"].iter().any(|word| format!("{told:?}").contains(word));
            assert!(is_guarded(&told) || (is_name && refused), "{url} (from {host}): {told:?}");
            tried += 1;
        }
    }
    println!("{} forms, {tried} addresses tried, {} are no address", hosts.len(), unspeakable.len());
    assert!(unspeakable.iter().all(|host| host.contains('%') || host.contains("xn--")), "{unspeakable:?}");
    assert_eq!(witness.seen(), 0);
    assert!(tried >= 1000, "{tried}");
}

#[tokio::test]
async fn no_name_leads_to_a_forbidden_address() {
    let witness = Witness::answering(OK).await;
    let url = Url::parse("https://rebind.test/").unwrap();
    let addresses = corpus::addresses();
    assert!(addresses.len() >= 300, "{} addresses", addresses.len());
    let resolver = Answers::new(addresses.iter().map(|ip| vec![*ip, *ip]).collect());
    let http = client(resolver.clone()).only([&url]);
    for ip in &addresses {
        assert!(!is_public(*ip), "{ip}");
        let told = told(http.send("test", get(&url)).await);
        assert!(is_guarded(&told), "{ip}: {told:?}");
    }
    println!("{} addresses answered by a resolver", addresses.len());
    assert_eq!(resolver.asked().len(), addresses.len());
    assert_eq!(witness.seen(), 0);
}

#[tokio::test]
async fn a_name_that_is_public_when_it_is_checked_and_local_afterwards_gains_nothing() {
    let witness = Witness::answering(OK).await;
    let (nobody, local): (IpAddr, IpAddr) = (NOBODY.parse().unwrap(), "127.0.0.1".parse().unwrap());
    let standard = Url::parse("https://rebind.test/").unwrap();
    let resolver = Answers::new(vec![vec![local, nobody], vec![local]]);
    let http = client(resolver.clone()).only([&standard]);
    let first = told(http.send("test", get(&standard)).await);
    assert!(first.is_err() && !is_guarded(&first), "it was tried where nobody is: {first:?}");
    assert_eq!(resolver.asked().len(), 1, "one look-up for one connection");
    let second = told(http.send("test", get(&standard)).await);
    assert!(is_guarded(&second), "{second:?}");
    assert_eq!(witness.seen(), 0);
}

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    let target = Witness::answering(OK).await;
    let http = Http::with_resolver(["127.0.0.1".to_owned()], Answers::local()).unwrap();
    for (index, host) in corpus::hosts().into_iter().enumerate() {
        // What cannot stand in a header is no redirect.
        if !host.is_ascii() {
            continue;
        }
        let status = [301, 302, 303, 307, 308][index % 5];
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://{host}:{}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            target.port
        );
        let door = Witness::answering(answer).await;
        let url = Url::parse(&format!("http://127.0.0.1:{}/", door.port)).unwrap();
        assert_eq!(told(http.only([&url]).send("test", get(&url)).await), Ok(status), "{host}");
        assert_eq!(door.seen(), 1, "{host}");
    }
    assert_eq!(target.seen(), 0);
}

#[tokio::test]
async fn a_local_server_is_reached_where_a_setting_names_it() {
    let witness = Witness::answering(OK).await;
    for host in ["127.0.0.1", "named.test"] {
        let named = format!("{host}:{}", witness.port);
        let url = Url::parse(&format!("http://{named}/")).unwrap();
        let reaches = async |local: Option<String>, allowed: &[&Url]| {
            let http = Http::with_resolver(local, Answers::local()).unwrap();
            told(http.only(allowed.iter().copied()).send("test", get(&url)).await).is_ok()
        };
        assert!(reaches(Some(named.clone()), &[&url]).await, "{host}");
        assert!(!reaches(None, &[&url]).await, "{host} is not named as local");
        assert!(!reaches(Some(named), &[]).await, "{host} is no address of the settings");
    }
    assert_eq!(witness.seen(), 2);
}

/// The test above is run again, by itself, in an environment full of proxies: it needs the direct way.
#[tokio::test]
async fn no_proxy_of_the_environment_is_asked() {
    let proxy = Witness::answering("HTTP/1.1 502 Proxy\r\ncontent-length: 0\r\n\r\n").await;
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "client::a_local_server_is_reached_where_a_setting_names_it"]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env(name, &address).env(name.to_uppercase(), &address);
    }
    let output = tokio::task::spawn_blocking(move || command.env_remove("NO_PROXY").output()).await;
    let output = output.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(proxy.seen(), 0);
}

#[tokio::test]
async fn an_answer_is_bounded_in_size_and_in_time() {
    let large = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'x'; MAX_ANSWER_BYTES + 1]].concat();
    let fits = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'x'; MAX_ANSWER_BYTES]].concat();
    // Opens its door and says nothing; says it begins and then nothing more.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let endless = endless().await;
    for (port, expected) in [
        (Witness::answering(fits).await.port, Ok(200)),
        (Witness::answering(large).await.port, Err("answered with more than")),
        (silent_port, Err("did not answer in time")),
        (endless, Err("hung up in the middle of its answer")),
    ] {
        let named = format!("127.0.0.1:{port}");
        let url = Url::parse(&format!("http://{named}/")).unwrap();
        let http = Http::new([named]).unwrap().only([&url]);
        let told = told(http.send("test", get(&url)).await);
        match expected {
            Ok(status) => assert_eq!(told, Ok(status)),
            Err(word) => assert!(told.as_ref().is_err_and(|text| text.contains(word)), "{told:?}"),
        }
    }
}

/// A server that sends one byte after the other and never ends.
async fn endless() -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let _read = stream.read(&mut [0; 4096]).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Err(gone) = stream.write_all(b"x").await {
                return std::io::Result::<()>::Err(gone);
            }
        }
    });
    port
}
