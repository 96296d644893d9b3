//! The people, apps and FHIR bases of the threat catalogue.

use admit::audit::Origin;
use admit::client::{Asking, Client, ClientAuth, GrantType};
use admit::id::{ClientId, PatientId, UserId};
use admit::password::Passwords;
use admit::person::{Patient, User};
use admit::pkce::Verifier;
use admit::redirect::RedirectUri;
use admit::scope::ScopeSet;
use admit::secret::ClientSecret;
use admit::store::{ImportedPatient, NewClient, NewUser, Opener, Store};
use admit::tenant::FhirBase;
use time::Duration;
use tokio::sync::OnceCell;

use super::app::{FHIR1, FHIR2};

/// Everybody's password.
pub const PASSWORD: &str = "four words in a row";
/// The code verifier of tests that are not about it.
pub const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";

/// The challenge that belongs to a verifier.
pub fn challenge(verifier: &str) -> String {
    Verifier::parse(verifier).expect("a verifier").challenge().as_str().to_owned()
}

/// The secret of every client that keeps one.
pub const SECRET: &str = "cs_a-secret-that-only-tests-know";

/// The digest of [`PASSWORD`], made once for all tests.
pub async fn password_hash() -> String {
    static HASH: OnceCell<String> = OnceCell::const_new();
    let hash = || async { Passwords::new(1).expect("argon2").hash(PASSWORD).await.expect("a hash") };
    HASH.get_or_init(hash).await.clone()
}

/// What a client is unless a test says otherwise.
pub fn client(id: &str, auth: ClientAuth, redirect_uris: &[&str]) -> Client {
    Client {
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: ScopeSet::parse(
            "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds",
        )
        .expect("scopes"),
        redirect_uris: redirect_uris.iter().map(|uri| RedirectUri::register(uri).expect("a redirect URI")).collect(),
        fhir_bases: vec!["one".to_owned()],
        ..Client::new(ClientId::new(id), &format!("App {id}"), auth, time::OffsetDateTime::UNIX_EPOCH)
    }
}

fn base(name: &str, url: &str) -> FhirBase {
    FhirBase { audience: format!("{url}/"), ..FhirBase::new(name, url) }
}

pub async fn seed(store: &Store, origin: &Origin) {
    store.add_fhir_base(origin, &base("one", FHIR1)).await.expect("a FHIR base");
    store.add_fhir_base(origin, &base("two", FHIR2)).await.expect("a FHIR base");

    let public = ClientAuth::None;
    let basic = ClientAuth::ClientSecretBasic;
    let mut clients = vec![
        client("pub", public, &["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"]),
        Client {
            post_logout_redirect_uris: vec!["https://app.test/bye".to_owned()],
            launch_uri: Some("https://app.test/launch".to_owned()),
            ..client("spa", public, &["https://app.test/cb"])
        },
        Client {
            launch_uri: Some("https://web.test/launch?tenant=1".to_owned()),
            ..client("webq", basic, &["https://web.test/cb?tenant=1"])
        },
        Client { refresh_grace: Duration::ZERO, ..client("strict", public, &["https://strict.test/cb"]) },
        client("post", ClientAuth::ClientSecretPost, &["https://post.test/cb"]),
        Client { launch_uri: Some("https://evil.test/launch".to_owned()), ..client("evil", basic, &["https://evil.test/cb"]) },
        Client {
            asks_clinicians: Asking::PreApproved,
            is_verified: true,
            launch_uri: Some("https://clinic.test/launch".to_owned()),
            ..client("clinic", public, &["https://clinic.test/cb"])
        },
    ];
    clients.push(Client { may_introspect: true, grant_types: vec![], scopes: ScopeSet::default(), ..client("rs", basic, &[]) });
    clients.push(Client {
        grant_types: vec![GrantType::ClientCredentials],
        scopes: ScopeSet::parse("system/Patient.rs system/Observation.rs").expect("scopes"),
        ..client("bsc", basic, &[])
    });
    for client in clients {
        let secret = client.has_secret().then(|| ClientSecret::presented(SECRET).digest());
        store.create_client(origin, NewClient { client, secret }).await.expect("a client");
    }

    let hash = password_hash().await;
    for (name, fhir_user) in [
        ("dr.a", Some("Practitioner/a")),
        ("dr.b", Some("Practitioner/b")),
        ("dr.none", Some("Practitioner/none")),
        ("pat1", Some("Patient/p1")),
        ("proxy", Some("RelatedPerson/x")),
        ("dis", Some("Practitioner/d")),
        ("clerk", None),
    ] {
        let user = User {
            id: UserId::new(format!("u-{name}")),
            username: name.to_owned(),
            display_name: format!("Synthetic {name}"),
            fhir_user: fhir_user.map(|text| text.parse().expect("a reference")),
            disabled_at: None,
            created_at: origin.now,
        };
        store.create_user(origin, NewUser { user, password_hash: hash.clone() }).await.expect("a user");
    }
    store.disable_user(origin, &UserId::new("u-dis")).await.expect("switched off");

    let patients = [
        ("p1", "Ada Test", "1984-03-09"),
        ("p2", "Bo Test", "2019-12-01"),
        ("p3", "Cy Test", "1950-01-31"),
        ("p4", "Di Test", "2020-02-29"),
    ];
    let opened_by = [
        ("p1", &["Practitioner/a", "RelatedPerson/x"][..]),
        ("p2", &["Practitioner/a"]),
        ("p3", &["Practitioner/b"]),
        ("p4", &["RelatedPerson/x"]),
    ];
    let imported = patients.iter().zip(opened_by).map(|((id, name, born), (_, by))| ImportedPatient {
        patient: Patient {
            id: PatientId::new(*id),
            name: (*name).to_owned(),
            birth_date: (*born).to_owned(),
            sex: "female".to_owned(),
            mrn: format!("MRN-{id}"),
        },
        is_inactive: false,
        opened_by: by.iter().map(|person| Opener { who: (*person).to_owned(), since: Some(origin.now) }).collect(),
    });
    store.import_patients(origin, "one", imported.collect(), true).await.expect("patients");
}
