//! Addresses that nobody outside may lead us to, times the ways in which they can be spelt.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The ends and the famous ones of every IPv4 range that is not the public internet.
const V4: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.254",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
];

/// The same of IPv6.
const V6: &[&str] = &[
    "::",
    "::1",
    "64:ff9b::1",
    "64:ff9b:1::1",
    "100::1",
    "1fff::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff05::1:3",
];

/// Names that mean this machine or a cloud's inside, or that somebody may point there.
const NAMES: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "a.b.localhost.",
    "localhost.localdomain",
    "localhost6",
    "ip6-localhost",
    "ip6-loopback",
    "metadata",
    "metadata.google.internal",
    "instance-data",
    "instance-data.ec2.internal",
    "kubernetes.default.svc",
    "host.docker.internal",
    "router.local",
    "127.0.0.1.nip.io",
    "xn--localhost-.test",
    "loc\u{430}lhost",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "rebind.test",
];

/// Every address, as a resolver could answer it: those of IPv6 that stand for an IPv4 one as well.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let v4 = V4.iter().map(|text| text.parse::<Ipv4Addr>().unwrap());
    let v6 = V6.iter().map(|text| IpAddr::V6(text.parse().unwrap()));
    let inside = v4.clone().flat_map(|ip| embedded(ip).map(|text| IpAddr::V6(text.parse().unwrap())));
    v4.map(IpAddr::V4).chain(v6).chain(inside).collect()
}

/// Every address in every spelling, as the host (perhaps with a user before it) of a URL.
pub(crate) fn hosts() -> Vec<String> {
    let v4 = V4.iter().map(|text| text.parse::<Ipv4Addr>().unwrap());
    let mut hosts: Vec<String> = v4.clone().flat_map(spellings).collect();
    hosts.extend(v4.flat_map(embedded).map(|text| format!("[{text}]")));
    for text in V6 {
        let ip: Ipv6Addr = text.parse().unwrap();
        let whole = ip.segments().map(|segment| format!("{segment:04x}")).join(":");
        hosts.extend([
            format!("[{text}]"),
            format!("[{}]", whole.to_uppercase()),
            format!("user:pass@[{text}]"),
        ]);
        hosts.push(format!("[{text}%25eth0]"));
    }
    hosts.extend(NAMES.iter().map(|name| (*name).to_owned()));
    let distinct: BTreeSet<&String> = hosts.iter().collect();
    assert_eq!(distinct.len(), hosts.len(), "every form is another one");
    hosts
}

/// The ways in which a URL may spell an IPv4 address.
fn spellings(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let all = u32::from(ip);
    let tail = |octets: u32| all & ((1 << (8 * octets)) - 1);
    let dotted = ip.to_string();
    let wide: String = dotted.chars().map(full_width).collect();
    let percent: String = dotted.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut spelt = vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{all:#010x}"),
        format!("0X{all:X}."),
        format!("0{all:o}"),
        format!("000000{all:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("{a}.{b}.{:#x}", tail(2)),
        format!("{a:#x}.{}", tail(3)),
        format!("0{a:o}.{b:#x}.{}", tail(2)),
        wide,
        percent,
        format!("example.com@{dotted}"),
        format!("user:pass@{all:#x}"),
        format!("example.com%2F@{dotted}"),
    ];
    if all > 255 {
        spelt.extend([all.to_string(), format!("{a}.{}", tail(3)), format!("{a}.{b}.{}", tail(2))]);
    }
    spelt
}

fn full_width(c: char) -> char {
    match c {
        '0'..='9' => char::from_u32(c as u32 - '0' as u32 + '０' as u32).unwrap(),
        _ => '。',
    }
}

/// The IPv6 addresses that stand for an IPv4 one: mapped, translated, NAT64 (both prefixes), 6to4, Teredo, ISATAP. (The
/// compatible form of a small address is an ordinary one.)
fn embedded(ip: Ipv4Addr) -> [String; 10] {
    let [a, b, c, d] = ip.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [
        format!("::ffff:{ip}"),
        format!("0:0:0:0:0:FFFF:{high:04X}:{low:04X}"),
        format!("0:0::{ip}"),
        format!("::ffff:0:{ip}"),
        format!("64:ff9b::{ip}"),
        format!("64:ff9b:1::{high:x}:{low:x}"),
        format!("2002:{high:x}:{low:x}::1"),
        format!("2001:0:4136:e378:8000:63bf:{:x}:{:x}", !high, !low),
        format!("2606:4700::5efe:{ip}"),
        format!("2606:4700::200:5efe:{ip}"),
    ]
}
