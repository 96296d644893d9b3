//! How a client says who it is when it asks the issuer: the validator, or a command that stands in for a program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;

use crate::token::{CLIENT_ASSERTION_TYPE, Signer, UnusableKey, client_assertion};

/// A client of the issuer's, and its way to prove that it is that client. It is never printed.
pub struct ClientAuthentication(Method);

enum Method {
    /// `client_secret_basic`: the whole header.
    Basic { id: String, header: String },
    /// `private_key_jwt`
    Key { id: String, signer: Signer, audience: String },
}

/// What goes into one request.
pub struct ClientProof<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// What is appended to the form.
    pub form: String,
}

impl ClientAuthentication {
    /// With a secret (RFC 6749 §2.3.1).
    #[must_use]
    pub fn secret(id: &str, secret: &str) -> Self {
        let credentials = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        Self(Method::Basic { id: id.to_owned(), header: format!("Basic {credentials}") })
    }

    /// With a key (RFC 7523 §2.2). The `audience` is what the issuer calls itself, or its endpoint.
    #[must_use]
    pub fn key(id: &str, signer: Signer, audience: &str) -> Self {
        Self(Method::Key { id: id.to_owned(), signer, audience: audience.to_owned() })
    }

    /// The proof for one request.
    ///
    /// # Errors
    /// [`UnusableKey`], where the library refuses to sign.
    pub fn prove(&self, now: OffsetDateTime) -> Result<ClientProof<'_>, UnusableKey> {
        match &self.0 {
            Method::Basic { header, .. } => Ok(ClientProof { authorization: Some(header), form: String::new() }),
            Method::Key { id, signer, audience } => {
                let assertion = client_assertion(signer, id, audience, now)?;
                let form = format!("&client_assertion_type={}&client_assertion={assertion}", encoded(CLIENT_ASSERTION_TYPE));
                Ok(ClientProof { authorization: None, form })
            }
        }
    }

    /// Who asks, and how they prove it, for an administrator to read.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.0 {
            Method::Basic { id, .. } => format!("{id} (client_secret_basic)"),
            Method::Key { id, signer, .. } => format!("{id} (private_key_jwt, {} with kid {})", signer.algorithm(), signer.kid()),
        }
    }
}

/// What stays as it is in a form. Servers that forget to decode Basic credentials are many: what need not be encoded is not.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// As a value in `application/x-www-form-urlencoded`.
pub(super) fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 §2.3.1 and its appendix B: both halves are encoded before they are joined.
    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        for (id, secret, joined) in [
            ("rs-1.a_b", "plain", "rs-1.a_b:plain"),
            ("a:b", "c:d", "a%3Ab:c%3Ad"),
            ("a b", " +&%£€~", "a%20b:%20%2B%26%25%C2%A3%E2%82%AC%7E"),
        ] {
            let client = ClientAuthentication::secret(id, secret);
            let proof = client.prove(OffsetDateTime::UNIX_EPOCH).expect("a header");
            assert_eq!(proof.authorization, Some(format!("Basic {}", STANDARD.encode(joined)).as_str()));
            assert_eq!(proof.form, "");
            assert!(!client.describe().contains(secret));
        }
    }
}
