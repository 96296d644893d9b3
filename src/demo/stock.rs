//! Puts the demo's people, apps and FHIR base into a fresh store.

use serde_json::Value;
use time::OffsetDateTime;

use super::people::World;
use super::sample_app::{DIARY, RESULTS, SampleApp, VIEWER};
use crate::audit::Origin;
use crate::client::{Asking, Client, ClientAuth, GrantType};
use crate::id::{ClientId, PatientId, UserId};
use crate::key::NewKey;
use crate::password::Passwords;
use crate::person::{Patient, User};
use crate::redirect::RedirectUri;
use crate::scope::ScopeSet;
use crate::secret::{ClientSecret, unique_id};
use crate::store::{ImportedPatient, NewClient, NewUser, Opener, Store};
use crate::tenant::{FhirBase, Panel, PatientSource, Patients};
use crate::token::Algorithm;

use super::start::StartError;

/// The FHIR base's name.
pub const BASE: &str = "demo";
/// The backend service's `client_id`.
pub const SERVICE: &str = "nightly-report";
/// The `client_id` of the backend service that has a key instead of a secret.
pub const KEYED_SERVICE: &str = "population-report";
/// The `client_id` of the resource server, which may ask about anybody's tokens.
pub const GATEWAY: &str = "fhir-gateway";
/// Everybody's password. Nothing here is worth a better one: the server is on loopback, the
/// people are synthetic, and everything is gone when it ends.
pub const PASSWORD: &str = "only synthetic people";

/// What was made up for those clients that need one.
pub struct Secrets {
    /// The backend service's.
    pub service: ClientSecret,
    /// The resource server's.
    pub gateway: ClientSecret,
    /// That of the backend service with a key.
    pub key: NewKey,
}

/// Registers everything.
///
/// `launch_url` is where an EHR opens the developer's own app.
pub async fn stock(
    store: &Store,
    origin: &Origin,
    world: &World,
    fhir_base: &str,
    app_url: &str,
    launch_url: Option<String>,
) -> Result<Secrets, StartError> {
    // The FHIR server itself is asked for patients and visits; the carers' list stands beside it.
    let patients_of = Patients {
        source: PatientSource::Fhir,
        panels: vec![Panel::GeneralPractitioner, Panel::CareTeam],
        has_emergency_access: true,
        ..Patients::default()
    };
    let base = FhirBase { audience: format!("{fhir_base}/"), patients: patients_of, ..FhirBase::new(BASE, fhir_base) };
    store.add_fhir_base(origin, &base).await?;
    store.import_patients(origin, BASE, patients(world, origin.now), true).await?;
    let hash = Passwords::new(1)?.hash(PASSWORD).await?;
    for person in world.people() {
        let user = User {
            id: UserId::new(unique_id(origin.now)),
            username: person.username,
            display_name: person.display_name,
            fhir_user: person.fhir_user.parse().ok(),
            disabled_at: None,
            created_at: origin.now,
        };
        store.create_user(origin, NewUser { user, password_hash: hash.clone() }).await?;
    }
    let apps = [
        Client {
            attested: Some(true),
            asks_clinicians: Asking::PreApproved,
            launch_uri: Some(format!("{app_url}/{}/launch.html", VIEWER.id)),
            ..sample(&VIEWER, app_url, origin)?
        },
        Client { attested: Some(true), ..sample(&DIARY, app_url, origin)? },
        // Its developer has not answered.
        sample(&RESULTS, app_url, origin)?,
    ];
    for app in apps {
        store.create_client(origin, NewClient { client: app, secret: None }).await?;
    }
    // For whoever writes an app of their own: any port of a loopback address will do.
    let own = Client {
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: ["http://127.0.0.1/callback", "http://[::1]/callback"]
            .into_iter()
            .map(RedirectUri::register)
            .collect::<Result<_, _>>()?,
        launch_uri: launch_url,
        ..client(
            "my-app",
            "Your app",
            ClientAuth::None,
            "openid fhirUser profile email phone address launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds",
            origin,
        )
    };
    store.create_client(origin, NewClient { client: own, secret: None }).await?;
    let secrets =
        Secrets { service: ClientSecret::generate(), gateway: ClientSecret::generate(), key: NewKey::generate(Algorithm::Es384)? };
    let service = Client {
        grant_types: vec![GrantType::ClientCredentials],
        is_verified: true,
        ..client(SERVICE, "Nightly report", ClientAuth::ClientSecretBasic, "system/*.rs", origin)
    };
    store.create_client(origin, NewClient { client: service, secret: Some(secrets.service.digest()) }).await?;
    let keyed_service = Client {
        grant_types: vec![GrantType::ClientCredentials],
        is_verified: true,
        jwks: Some(format!(r#"{{"keys":[{}]}}"#, secrets.key.public_jwk)),
        ..client(KEYED_SERVICE, "Population report", ClientAuth::PrivateKeyJwt, "system/Patient.rs system/Condition.rs", origin)
    };
    store.create_client(origin, NewClient { client: keyed_service, secret: None }).await?;
    let gateway =
        Client { may_introspect: true, is_verified: true, ..client(GATEWAY, "FHIR gateway", ClientAuth::ClientSecretBasic, "", origin) };
    store.create_client(origin, NewClient { client: gateway, secret: Some(secrets.gateway.digest()) }).await?;
    Ok(secrets)
}

/// One of the sample apps.
fn sample(app: &SampleApp, app_url: &str, origin: &Origin) -> Result<Client, StartError> {
    let scope = if app.id == VIEWER.id { format!("launch {}", app.scope) } else { app.scope.to_owned() };
    Ok(Client {
        developer: Some("The makers of Admit".to_owned()),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec![RedirectUri::register(&format!("{app_url}/{}/callback.html", app.id))?],
        post_logout_redirect_uris: vec![format!("{app_url}/")],
        is_verified: true,
        website: Some(format!("{app_url}/{}/", app.id)),
        policy_uri: Some(format!("{app_url}/policy.html#privacy")),
        tos_uri: Some(format!("{app_url}/policy.html#terms")),
        ..client(app.id, app.name, ClientAuth::None, &scope, origin)
    })
}

fn client(id: &str, name: &str, auth: ClientAuth, scopes: &str, origin: &Origin) -> Client {
    Client {
        scopes: ScopeSet::parse(scopes).unwrap_or_default(),
        fhir_bases: vec![BASE.to_owned()],
        ..Client::new(ClientId::new(id), name, auth, origin.now)
    }
}

/// The population's patients, each with the people who may open them.
fn patients(world: &World, now: OffsetDateTime) -> Vec<ImportedPatient> {
    let people = world.people();
    let opened_by = |id: &str| {
        people
            .iter()
            .filter(|person| person.opens.iter().any(|own| own == id))
            .map(|person| Opener { who: person.fhir_user.clone(), since: Some(now) })
            .collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let patients = world.resources("Patient").iter();
    patients
        .map(|resource| ImportedPatient {
            patient: Patient {
                id: PatientId::new(text(&resource["id"])),
                name: format!("{} {}", text(&resource["name"][0]["given"][0]), text(&resource["name"][0]["family"])),
                birth_date: text(&resource["birthDate"]),
                sex: text(&resource["gender"]),
                mrn: text(&resource["identifier"][0]["value"]),
            },
            is_inactive: false,
            opened_by: opened_by(resource["id"].as_str().unwrap_or_default()),
        })
        .collect()
}
