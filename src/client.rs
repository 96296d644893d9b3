//! An app: what is registered of it, and so what it may do.

use time::{Duration, OffsetDateTime};

use crate::id::ClientId;
use crate::person::User;
use crate::redirect::RedirectUri;
use crate::scope::{Level, Scope, ScopeSet};
use crate::token::Algorithm;

/// The `client_id` in the tokens by which this server itself reads a FHIR base. No app can be registered under it.
pub const DIRECTORY: &str = "admit@directory";

/// A registered client (RFC 6749 §2, RFC 7591 §2).
#[derive(Clone, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: ClientId,
    /// The name that people see.
    pub name: String,
    /// Who made it, where that is known.
    pub developer: Option<String>,
    /// How it proves who it is.
    pub auth: ClientAuth,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// The most it may be given.
    pub scopes: ScopeSet,
    /// Where its users may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where its users may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// The FHIR bases that it may use; empty: every one.
    pub fhir_bases: Vec<String>,
    /// What its ID tokens are signed with.
    pub id_token_alg: Algorithm,
    /// For how long a rotated refresh token still gives its successor.
    pub refresh_grace: Duration,
    /// After how long a refresh token ends however much it is used.
    pub refresh_max_life: Option<Duration>,
    /// An administrator knows who is behind it.
    pub is_verified: bool,
    /// Its own web site, where people can read about it.
    pub website: Option<String>,
    /// Where its developer says what becomes of the data.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
    /// Whether its developer has attested to a code of conduct; `None` where they did not answer.
    pub attested: Option<bool>,
    /// When clinicians are asked for consent.
    pub asks_clinicians: Asking,
    /// When everybody else is: patients, and those who care for them.
    pub asks_patients: Asking,
    /// Where an EHR opens it (SMART App Launch 2.2, "Launch App: EHR Launch").
    pub launch_uri: Option<String>,
    /// The version of SMART App Launch that it speaks, where that is not its FHIR base's.
    pub smart_version: Option<String>,
    /// The public keys of its assertions: a JWK Set, as JSON.
    pub jwks: Option<String>,
    /// Where it publishes them instead.
    pub jwks_uri: Option<String>,
    /// What its assertions may be signed with.
    pub assertion_algs: Vec<Algorithm>,
    /// Its assertions have to name the issuer, and not the token endpoint, as their `aud`.
    pub is_issuer_only: bool,
    /// It registered itself, and no administrator has looked at it yet.
    pub awaits_approval: bool,
    /// It may introspect tokens of other clients.
    pub may_introspect: bool,
    /// It may do without PKCE: STU1 apps and conformance suites only.
    pub is_pkce_exempt: bool,
    /// It was switched off.
    pub disabled_at: Option<OffsetDateTime>,
    /// When it was registered.
    pub created_at: OffsetDateTime,
}

/// When people are asked what an app may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Each time.
    Always,
    /// Once, until it asks for more, or the decision has grown old.
    Remembered,
    /// Never: the administrator has decided. For clinicians only.
    PreApproved,
}

/// How a client proves who it is (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// It cannot keep a secret; PKCE has to do.
    None,
    /// A secret by HTTP Basic.
    ClientSecretBasic,
    /// A secret in the form.
    ClientSecretPost,
    /// A JWT that its own key signed (RFC 7523 §2.2, SMART App Launch 2.2 "Asymmetric").
    PrivateKeyJwt,
}

/// What the token endpoint can be asked for (RFC 6749 §4.1, §4.4, §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// An authorization code for tokens.
    AuthorizationCode,
    /// A refresh token for tokens.
    RefreshToken,
    /// A token for the client itself.
    ClientCredentials,
}

macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal)* }) => {
        impl $type {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The inverse of `as_str`.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|own| own.as_str() == text)
            }
        }
    };
}

names!(ClientAuth { None = "none" ClientSecretBasic = "client_secret_basic" ClientSecretPost = "client_secret_post" PrivateKeyJwt = "private_key_jwt" });
names!(Asking { Always = "always" Remembered = "remembered" PreApproved = "pre-approved" });
names!(GrantType { AuthorizationCode = "authorization_code" RefreshToken = "refresh_token" ClientCredentials = "client_credentials" });

impl Client {
    /// A client with nothing but a name: no grants, no scopes, and what is usual for the rest.
    #[must_use]
    pub fn new(id: ClientId, name: &str, auth: ClientAuth, created_at: OffsetDateTime) -> Self {
        Self {
            id,
            name: name.to_owned(),
            developer: None,
            auth,
            grant_types: vec![],
            scopes: ScopeSet::default(),
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![],
            fhir_bases: vec![],
            id_token_alg: Algorithm::Rs256,
            refresh_grace: Duration::seconds(10),
            refresh_max_life: None,
            is_verified: false,
            website: None,
            policy_uri: None,
            tos_uri: None,
            attested: None,
            asks_clinicians: Asking::Always,
            asks_patients: Asking::Always,
            launch_uri: None,
            smart_version: None,
            jwks: None,
            jwks_uri: None,
            assertion_algs: vec![Algorithm::Rs384, Algorithm::Es384],
            is_issuer_only: false,
            awaits_approval: false,
            may_introspect: false,
            is_pkce_exempt: false,
            disabled_at: None,
            created_at,
        }
    }

    /// Whether anybody has anything to do with it: it is neither switched off nor waiting for approval.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.disabled_at.is_none() && !self.awaits_approval
    }

    /// Whether it proves who it is: with a secret, or with a key.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.auth != ClientAuth::None
    }

    /// Whether it shares a secret with us.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        matches!(self.auth, ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost)
    }

    /// Whether it may use this grant.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether it may use this FHIR base.
    #[must_use]
    pub fn may_use(&self, fhir_base: &str) -> bool {
        self.fhir_bases.is_empty() || self.fhir_bases.iter().any(|own| own == fhir_base)
    }

    /// When this person is asked. Nobody but a clinician is ever spared the first question.
    #[must_use]
    pub fn asking(&self, user: &User) -> Asking {
        match (user.is_clinician(), self.asks_clinicians, self.asks_patients) {
            (true, asking, _) => asking,
            (false, _, Asking::Remembered) => Asking::Remembered,
            (false, _, Asking::Always | Asking::PreApproved) => Asking::Always,
        }
    }

    /// What a person can be asked to allow this client: nothing at the system's level, nothing of
    /// what is a backend service's, no refresh token where it may not refresh.
    #[must_use]
    pub fn scopes_with_a_person(&self, asked: &ScopeSet) -> ScopeSet {
        asked.within(&self.scopes).filtered(|scope| match scope {
            Scope::Resource(resource) => resource.level != Level::System,
            Scope::OfflineAccess | Scope::OnlineAccess => self.may(GrantType::RefreshToken),
            Scope::LaunchContext(_) => false, // an EHR tells all that it has open by `launch`; there is no picker for it
            Scope::Email | Scope::Phone | Scope::Address => false, // nothing of the kind is known of anybody
            Scope::CreateLaunch | Scope::Introspect => false, // rights of a client itself
            Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter | Scope::OpenId | Scope::FhirUser | Scope::Profile => true,
        })
    }

    /// What of this any of its grants can lead to.
    #[must_use]
    pub fn attainable(&self, asked: &ScopeSet) -> ScopeSet {
        let with_a_person = self.may(GrantType::AuthorizationCode).then(|| self.scopes_with_a_person(asked));
        let of_its_own = self.may(GrantType::ClientCredentials).then(|| self.scopes_of_its_own(asked));
        asked.filtered(|scope| [&with_a_person, &of_its_own].into_iter().flatten().any(|some| some.has(scope)))
    }

    /// Whether an EHR can open it on this FHIR base: it has said where, and may ask for what is open.
    #[must_use]
    pub fn can_be_launched(&self, fhir_base: &str) -> bool {
        let may = self.may(GrantType::AuthorizationCode) && self.scopes.has(&Scope::Launch);
        self.is_active() && may && self.launch_uri.is_some() && self.may_use(fhir_base)
    }

    /// What the client can be given for itself (SMART Backend Services): the system's level, and rights at this server; those
    /// to others' tokens only where it may see them.
    #[must_use]
    pub fn scopes_of_its_own(&self, asked: &ScopeSet) -> ScopeSet {
        asked.within(&self.scopes).filtered(|scope| match scope {
            Scope::Resource(resource) => resource.level == Level::System,
            Scope::CreateLaunch => true,
            Scope::Introspect => self.may_introspect,
            _ => false,
        })
    }
}
