//! Self-signed certificates for `localhost`, made for one test and forgotten.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

/// The certificate and its private key, both PEM.
pub fn self_signed() -> (String, String) {
    ending("490101000000Z")
}

/// The same, but good from the first of January 2025 until then (`YYMMDDhhmmssZ`).
pub fn ending(end: &str) -> (String, String) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("our own key");

    let ecdsa_with_sha256 = sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])]);
    let ec_p256 =
        sequence(&[&tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]), &tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])]);
    let common_name = sequence(&[&tlv(0x06, &[0x55, 0x04, 0x03]), &tlv(0x0c, b"synthetic test certificate")]);
    let name = sequence(&[&tlv(0x31, &common_name)]);
    let validity = sequence(&[&tlv(0x17, b"250101000000Z"), &tlv(0x17, end.as_bytes())]);
    let public = sequence(&[&ec_p256, &tlv(0x03, &[&[0][..], key.public_key().as_ref()].concat())]);
    let names = sequence(&[&tlv(0x82, b"localhost")]);
    let extension = sequence(&[&tlv(0x06, &[0x55, 0x1d, 0x11]), &tlv(0x04, &names)]);
    let extensions = tlv(0xa3, &sequence(&[&extension]));
    let version = tlv(0xa0, &tlv(0x02, &[2]));
    let body = sequence(&[&version, &tlv(0x02, &[1]), &ecdsa_with_sha256, &name, &validity, &name, &public, &extensions]);
    let signature = key.sign(&random, &body).expect("a signature");
    let certificate = sequence(&[&body, &ecdsa_with_sha256, &tlv(0x03, &[&[0][..], signature.as_ref()].concat())]);
    (pem("CERTIFICATE", &certificate), pem("PRIVATE KEY", pkcs8.as_ref()))
}

/// One DER element (X.690 §8.1).
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u16::try_from(value.len()).expect("a short value").to_be_bytes() {
        [0, low] if low < 0x80 => bytes.push(low),
        [0, low] => bytes.extend([0x81, low]),
        [high, low] => bytes.extend([0x82, high, low]),
    }
    bytes.extend(value);
    bytes
}

fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &elements.concat())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
