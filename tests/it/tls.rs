//! TLS by certificate files: what is spoken, and what is not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as BlockingStream;
use std::sync::Arc;
use std::time::Duration;

use admit::listener::RustlsConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::AsyncWriteExt as _;

use crate::support::TestApp;
use crate::support::certificate::self_signed;
use crate::support::wire::{Wire, hear};

/// A listener with a certificate of its own, as `admit serve` would read it from files.
async fn secured(app: &TestApp) -> (Wire, CertificateDer<'static>) {
    let (certificate, key) = self_signed();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (certificate_file, key_file) = (dir.path().join("tls.pem"), dir.path().join("tls.key"));
    std::fs::write(&certificate_file, &certificate).expect("written");
    std::fs::write(&key_file, key).expect("written");
    let tls = RustlsConfig::from_pem_file(certificate_file, key_file).await.expect("a usable certificate");
    (Wire::open_with(app, Some(tls)).await, CertificateDer::from_pem_slice(certificate.as_bytes()).expect("our own certificate"))
}

/// One request over this version of TLS; the protocol and the answer.
async fn speak(
    wire: &Wire,
    trusted: &CertificateDer<'static>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Result<(String, String), String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("a known version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = wire.address;
    let talk = move || {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection = rustls::ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
        let mut socket = BlockingStream::connect(address).map_err(|error| error.to_string())?;
        socket.set_read_timeout(Some(Duration::from_secs(5))).map_err(|error| error.to_string())?;
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        stream.write_all(b"GET /login HTTP/1.1\r\nHost: idp.test\r\nConnection: close\r\n\r\n").map_err(|error| error.to_string())?;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
        Ok((cipher, answer))
    };
    tokio::task::spawn_blocking(talk).await.expect("no panic")
}

/// WB-22: TLS 1.3 and 1.2 with forward secrecy, and pages that insist on it.
#[tokio::test(flavor = "multi_thread")]
async fn modern_tls_is_spoken() {
    let app = TestApp::start().await;
    let (wire, certificate) = secured(&app).await;
    for (version, expected) in [(&rustls::version::TLS13, "TLS13_"), (&rustls::version::TLS12, "TLS_ECDHE_")] {
        let (cipher, answer) = speak(&wire, &certificate, version).await.expect("a conversation");
        assert!(cipher.starts_with(expected) && !cipher.contains("CBC"), "{cipher}");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age=31536000; includeSubDomains"), "{answer}");
    }
}

/// A ClientHello (RFC 5246 §7.4.1.2) that offers this version and these cipher suites, and no more.
fn client_hello(version: [u8; 2], suites: &[[u8; 2]]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend(u16::try_from(suites.len() * 2).expect("few suites").to_be_bytes());
    hello.extend(suites.concat());
    hello.extend([1, 0]);
    // Curves, point formats and signatures that the server knows: they are not why it refuses.
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, // supported_groups: P-256
        0, 11, 0, 2, 1, 0, // ec_point_formats: uncompressed
        0, 13, 0, 4, 0, 2, 4, 3, // signature_algorithms: ecdsa_secp256r1_sha256
        0, 23, 0, 0, // extended_master_secret
    ];
    hello.extend(u16::try_from(extensions.len()).expect("few").to_be_bytes());
    hello.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(hello.len()).expect("short").to_be_bytes());
    message.extend(hello);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(message.len()).expect("short").to_be_bytes());
    record.extend(message);
    record
}

/// What a server answers to these bytes: the type of its first record, and its alert if it is one.
async fn first_record(wire: &Wire, bytes: &[u8]) -> (Option<u8>, Option<u8>) {
    let mut stream = wire.connect().await;
    stream.write_all(bytes).await.expect("sent");
    let mut answer = [0; 7];
    match tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await {
        Ok(_) if answer[0] == 21 => (Some(21), Some(answer[6])),
        Ok(_) => (Some(answer[0]), None),
        Err(_) => (None, None),
    }
}

/// WB-22: TLS 1.0 and 1.1, and 1.2 without forward secrecy or authenticated encryption.
#[tokio::test(flavor = "multi_thread")]
async fn outdated_tls_is_refused() {
    const GCM: [u8; 2] = [0xc0, 0x2b];
    const PROTOCOL_VERSION: u8 = 70;
    const HANDSHAKE_FAILURE: u8 = 40;
    let app = TestApp::start().await;
    let (wire, _) = secured(&app).await;
    for (what, version, suites, alert) in [
        ("SSL 3.0", [3, 0], &[GCM, [0xc0, 0x09]][..], PROTOCOL_VERSION),
        ("TLS 1.0", [3, 1], &[GCM, [0xc0, 0x09]], PROTOCOL_VERSION),
        ("TLS 1.1", [3, 2], &[GCM, [0xc0, 0x09]], PROTOCOL_VERSION),
        ("CBC alone", [3, 3], &[[0xc0, 0x09], [0xc0, 0x23], [0xc0, 0x24]], HANDSHAKE_FAILURE),
        ("RSA key exchange alone", [3, 3], &[[0x00, 0x9c], [0x00, 0x2f]], HANDSHAKE_FAILURE),
        ("RC4, 3DES and NULL", [3, 3], &[[0xc0, 0x07], [0xc0, 0x08], [0xc0, 0x06]], HANDSHAKE_FAILURE),
    ] {
        assert_eq!(first_record(&wire, &client_hello(version, suites)).await, (Some(21), Some(alert)), "{what}");
    }
    // The same greeting with a good suite is answered: it was not the greeting's form.
    assert_eq!(first_record(&wire, &client_hello([3, 3], &[GCM])).await, (Some(22), None));
}

/// WB-21: a listener that speaks TLS does not speak anything else: no answer, no redirect.
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_at_a_tls_listener_gets_no_answer() {
    let app = TestApp::start().await;
    let (wire, _) = secured(&app).await;
    for request in ["GET /authorize HTTP/1.1\r\nHost: idp.test\r\n\r\n", "POST /token HTTP/1.1\r\nHost: idp.test\r\n\r\n"] {
        let (answer, closed) = wire.say(request.as_bytes()).await;
        assert!(closed && !answer.contains("HTTP"), "{answer}");
    }
}

/// WB-14: half a handshake is cut off like half a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_goes_nowhere_is_cut_off() {
    let app = TestApp::start().await;
    let (wire, _) = secured(&app).await;
    let mut silent = wire.connect().await;
    let mut half = wire.connect().await;
    half.write_all(&client_hello([3, 3], &[[0xc0, 0x2b]])[..20]).await.expect("sent");
    let patience = Duration::from_secs(7);
    let (first, second) = tokio::join!(hear(&mut silent, patience), hear(&mut half, patience));
    assert!(first.1 && second.1, "{first:?} {second:?}");
}
