//! Who is believed: those whom the list names, and nobody else.

use adapters::tls;

#[test]
fn a_certificate_of_a_root_that_is_not_in_the_list_is_refused() {
    let server = floor::server().unwrap();
    let refused = floor::handshake(tls::built_in(), &server).unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    floor::handshake(tls::trusting(floor::root().unwrap()), &server).unwrap();
}
