//! Names of things. Each is its own type, so that one cannot be given where another is wanted.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is: whether such a thing exists is the store's to say.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text, as it stands in the store and on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// One organisation with its own issuer, people, clients and keys.
    TenantId
    /// An app's `client_id` (RFC 6749 §2.2).
    ClientId
    /// A person who can sign in; the `sub` of tokens.
    UserId
    /// The logical id of a FHIR Patient, without `Patient/`.
    PatientId
    /// What a person allowed an app to do, and every token that came of it.
    GrantId
    /// The `kid` of a signing key: its RFC 7638 thumbprint.
    KeyId
    /// One authorization request on its way through the pages.
    FlowId
    /// A browser's sign-in.
    SessionId
    /// What a record system has open for an app that it opens.
    LaunchId
}

impl TenantId {
    /// The tenant that serves the root URL.
    #[must_use]
    pub fn default_tenant() -> Self {
        Self::new("default")
    }
}
