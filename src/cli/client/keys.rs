//! The public keys of a client that proves itself by a key of its own.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::cli::fhir_base::algorithm;
use crate::cli::{Failure, input};
use crate::client::{Client, ClientAuth};
use crate::label;
use crate::token::{ASSERTION_ALGORITHMS, Algorithm, BadKeySet, Jwks};

/// Where the keys are.
#[derive(Args)]
#[group(id = "client_keys", multiple = false)]
pub(super) struct Keys {
    /// A file with its public keys, a JWK Set; `-` is the standard input
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Where it publishes them; they are fetched when they are needed
    #[arg(long, value_name = "URL", value_parser = label::link)]
    jwks_uri: Option<String>,
}

/// How it uses them.
#[derive(Args)]
pub(super) struct Assertions {
    /// What its assertions may be signed with [repeatable; default: RS384 and ES384]
    #[arg(long = "assertion-alg", value_name = "ALG", value_parser = algorithm(&["RS384", "ES384", "ES256", "PS384"]))]
    algorithms: Vec<Algorithm>,
    /// Its assertions have to name the issuer as their `aud`; the token endpoint will not do
    #[arg(long)]
    issuer_only: bool,
}

impl Keys {
    /// The set, checked, or where it is published.
    pub(super) fn read(&self) -> Result<(Option<String>, Option<String>), Failure> {
        let Some(path) = &self.jwks else { return Ok((None, self.jwks_uri.clone())) };
        let bytes = input::read(path)?;
        let bad = |why: &str| Failure::usage(format!("the keys in {} cannot be registered: {why}", path.display()));
        let keys = Jwks::parse(&bytes).map_err(|reason| match reason {
            BadKeySet::Private => {
                bad("a private key is among them. Only the client may have it: make a new pair, because this one has been copied, and \
                 register its public half")
            }
            BadKeySet::DuplicateKid => bad("two keys have the same kid, so that an assertion would not say which one signed it"),
            other => bad(&other.to_string()),
        })?;
        if keys.is_empty() {
            return Err(bad(
                "none of them can be used. A key is EC on P-256 or P-384, or RSA of 2048 bits or more, for signatures, with a kid",
            ));
        }
        let set: Value = serde_json::from_slice(&bytes).map_err(|error| bad(&error.to_string()))?;
        Ok((Some(set.to_string()), None))
    }

    fn is_given(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }
}

/// The client with its keys, if it is one that has some.
pub(super) fn with_keys(client: Client, keys: &Keys, assertions: Assertions) -> Result<Client, Failure> {
    let has_keys = client.auth == ClientAuth::PrivateKeyJwt;
    if has_keys != keys.is_given() {
        return Err(Failure::usage(
            "--auth private_key_jwt and its keys, --jwks FILE or --jwks-uri URL, go together: give both or neither",
        ));
    }
    let Assertions { algorithms, issuer_only } = assertions;
    if !has_keys && (issuer_only || !algorithms.is_empty()) {
        return Err(Failure::usage("--assertion-alg and --issuer-only are for --auth private_key_jwt"));
    }
    let (jwks, jwks_uri) = keys.read()?;
    let in_order = ASSERTION_ALGORITHMS.into_iter().filter(|known| algorithms.contains(known)).collect();
    let assertion_algs = if algorithms.is_empty() { client.assertion_algs } else { in_order };
    Ok(Client { jwks, jwks_uri, assertion_algs, is_issuer_only: issuer_only, ..client })
}

/// The names of the keys that it is registered with.
pub(super) fn key_ids(client: &Client) -> Vec<String> {
    let keys = client.jwks.as_deref().and_then(|text| Jwks::parse(text.as_bytes()).ok()).unwrap_or_default();
    keys.kids().into_iter().map(str::to_owned).collect()
}
