//! The kit: the pair under test, and the steps that most groups share.

use std::sync::{Arc, LazyLock};

use admit::app;
use admit::client::{Client, ClientAuth, GrantType};
use admit::demo::fhir::{self, AskValidator, DiscoverySource, StandIn};
use admit::demo::people::{DemoPerson, PersonKind, World};
use admit::id::{ClientId, PatientId, UserId};
use admit::person::{Patient, User};
use admit::redirect::RedirectUri;
use admit::scope::ScopeSet;
use admit::store::{ImportedPatient, NewUser, Opener};
use admit::token::Algorithm;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use base64::Engine as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::ask::{Ask, encode};
use crate::support::{FHIR1, Forge, ISSUER, Landing, Reply, SECRET, TestApp, VERIFIER, client, password_hash};
use crate::support::{asserting, param_of};

/// Where Inferno runs.
pub const HOST: &str = "https://inferno.test";
/// Where it waits for the browser.
pub const REDIRECT: &str = "https://inferno.test/custom/smart/redirect";
/// Where it waits for an EHR.
const LAUNCH: &str = "https://inferno.test/custom/smart/launch";

/// A client that keeps no secret.
pub const PUBLIC: &str = "inferno-public";
/// One that keeps one, and sends it by HTTP Basic, as it is.
pub const CONFIDENTIAL: &str = "inferno-confidential";
/// Those that sign: with ES384, and with RS384.
pub const ASYMMETRIC: [&str; 2] = ["inferno-es384", "inferno-rs384"];
/// A backend service, which signs with ES384.
pub const BACKEND: &str = "inferno-backend";

/// A resource server, which asks about tokens with one of its own.
pub const RESOURCE_SERVER: &str = "inferno-resource-server";

/// The record system: it opens apps.
const EHR: &str = "inferno-ehr";

/// What the record system says that it has open, for the clinician of [`DOCTOR`] and the patient there.
pub struct EhrWish {
    pub encounter: Option<String>,
    /// Further members.
    pub more: Value,
}

impl Default for EhrWish {
    fn default() -> Self {
        Self { encounter: None, more: json!({}) }
    }
}

/// An encounter of this patient.
pub fn an_encounter(patient: &str) -> String {
    text(WORLD.of_patient("Encounter", patient).next().expect("an encounter"), "id").to_owned()
}

/// Who sits at the browser, and whom they choose where there is a choice.
#[derive(Clone, Copy, Debug)]
pub struct Sitting {
    pub kind: PersonKind,
    pub patient: &'static str,
}

/// The clinician with the largest panel.
pub const DOCTOR: Sitting = Sitting { kind: PersonKind::Clinician, patient: "p001" };

static WORLD: LazyLock<Arc<World>> = LazyLock::new(|| Arc::new(World::generate(time::macros::date!(2026 - 11 - 22))));

/// The authorization server, and the FHIR server beside it.
pub struct Inferno {
    pub app: TestApp,
    fhir: Router,
}

/// A member of a document that has to be text.
#[track_caller]
pub fn text<'v>(document: &'v Value, member: &str) -> &'v str {
    document[member].as_str().unwrap_or_else(|| panic!("no {member} in {document}"))
}

/// What a token response says was granted.
pub fn granted(tokens: &Value) -> Vec<&str> {
    text(tokens, "scope").split(' ').collect()
}

impl Inferno {
    pub async fn start() -> Self {
        Self::facing("2.2").await
    }

    /// With a FHIR base that speaks this version of SMART App Launch.
    pub async fn facing(version: &str) -> Self {
        let app = TestApp::start().await;
        let from = app::router(&app.app);
        app.sql(&format!("update fhir_base set smart_version = '{version}' where name = 'one'")).await;
        populate(&app).await;
        for client in clients() {
            app.register(client).await;
        }
        let clock = app.clock.clone();
        let stand_in = StandIn {
            world: Arc::clone(&WORLD),
            base: FHIR1.to_owned(),
            datastore_endpoint: format!("{FHIR1}/"),
            smart_configuration: configuration(from.clone()),
            ask_validator: validator(from),
            clock: Arc::new(move || clock.now()),
        };
        Self { app, fhir: fhir::router(stand_in) }
    }

    /// Sends a request to whichever of the two lives at its URL.
    pub async fn http(&self, request: Builder, body: impl Into<Body>) -> Reply {
        let mut request = request.body(body.into()).expect("a request");
        let url = request.uri().to_string();
        let Some(path) = url.strip_prefix(FHIR1) else {
            assert!(url.starts_with(&format!("{ISSUER}/")), "nobody lives at {url}");
            return self.app.call(request).await;
        };
        *request.uri_mut() = format!("/fhir{path}").parse().expect("a path");
        read(self.fhir.clone().oneshot(request).await.expect("the router never fails")).await
    }

    /// A FHIR read or search, with a token or without.
    pub async fn fhir(&self, path: &str, token: Option<&str>) -> Reply {
        let mut request = Request::get(format!("{FHIR1}/{path}")).header("accept", "application/fhir+json").header("origin", HOST);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.http(request, Body::empty()).await
    }

    /// `well_known_endpoint`
    pub async fn configuration(&self) -> Value {
        let request = Request::get(format!("{FHIR1}/.well-known/smart-configuration")).header("accept", "application/json");
        let reply = self.http(request, Body::empty()).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
        assert!(reply.header("content-type").starts_with("application/json"));
        reply.json()
    }

    /// What Inferno asks the authorization endpoint.
    pub fn ask(&self, client: &str, scope: &str) -> Ask {
        let state = "0c2bd72f-1aee-4d73-9a1a-3ba9e8a4a6b2";
        Ask::of(client).with("redirect_uri", REDIRECT).with("scope", scope).with("state", state)
    }

    /// `smart_app_redirect`, `smart_code_received`: the browser goes to the authorization endpoint, by a
    /// link or by the form of a page elsewhere, and comes back with the state and a code.
    pub async fn authorize(&self, ask: &Ask, by_post: bool, who: Sitting) -> Landing {
        let configuration = self.configuration().await;
        let endpoint = text(&configuration, "authorization_endpoint").strip_prefix(ISSUER).expect("on the issuer");
        let mut browser = self.app.browser();
        let page = if by_post {
            let request = Request::post(endpoint)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", HOST)
                .header("sec-fetch-site", "cross-site");
            let reply = browser.send(request.body(Body::from(encode(&ask.pairs()))).expect("a request")).await;
            assert_eq!(reply.status.as_u16(), 303, "{}", reply.body);
            let own = reply.header("location").to_owned();
            browser.go(&own).await
        } else {
            browser.go(&format!("{endpoint}?{}", encode(&ask.pairs()))).await
        };
        let landing = browser.go_through(page, &username(who.kind), who.patient).await;
        assert!(landing.reply.header("location").starts_with(&format!("{REDIRECT}?")), "{}: {}", landing.at, landing.reply.body);
        let state = ask.pairs().into_iter().find(|(name, _)| *name == "state").map(|(_, value)| value.to_owned());
        assert_eq!(landing.reply.param("state"), state);
        assert_eq!(landing.reply.param("error"), None);
        landing
    }

    /// Posts to the token endpoint, with the client's own way of saying who it is. A public client is a
    /// page in a browser, which sends its origin.
    pub async fn token(&self, client: &str, form: &[(&str, &str)]) -> Reply {
        let configuration = self.configuration().await;
        let mut request = Request::post(text(&configuration, "token_endpoint")).header("content-type", "application/x-www-form-urlencoded");
        let assertion;
        let mut form = form.to_vec();
        match client {
            PUBLIC => {
                request = request.header("origin", HOST);
                form.push(("client_id", client));
            }
            CONFIDENTIAL | EHR => request = request.header("authorization", basic(client, SECRET)),
            _ => {
                assertion = self.assertion(client).await;
                form.extend(asserting::form(&assertion));
            }
        }
        self.http(request, encode(&form)).await
    }

    /// What Inferno signs: for the token endpoint, for five minutes, with a new name and without `jku`.
    pub async fn assertion(&self, client: &str) -> String {
        let configuration = self.configuration().await;
        let claims = json!({
            "iss": client, "sub": client, "aud": text(&configuration, "token_endpoint"),
            "exp": self.app.clock.now().unix_timestamp() + 300, "jti": admit::secret::nonce(),
        });
        let key = key_of(client);
        key.token(&key.header("JWT"), &claims)
    }

    /// `smart_app_launch`, `smart_launch_received`: the record system opens the app at its registered address, with the
    /// `iss` that it was told and a `launch`, which is returned.
    pub async fn open_app(&self, client: &str, wish: &EhrWish) -> String {
        let token = tokens(&self.token(EHR, &[("grant_type", "client_credentials"), ("scope", "__launch")]).await);
        let doctor = WORLD.people().into_iter().find(|person| person.kind == DOCTOR.kind).expect("somebody").fhir_user;
        let mut body = json!({
            "client_id": client, "iss": FHIR1, "fhirUser": format!("{FHIR1}/{doctor}"), "patient": DOCTOR.patient,
        });
        body["encounter"] = wish.encounter.clone().into();
        let members = body.as_object_mut().expect("an object");
        members.retain(|_, value| !value.is_null());
        members.extend(wish.more.as_object().expect("an object").clone());
        let request = Request::post(format!("{ISSUER}/launch"))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", text(&token, "access_token")));
        let reply = self.http(request, body.to_string()).await;
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
        let url = text(&reply.json(), "launch_url").to_owned();
        assert!(url.starts_with(&format!("{LAUNCH}?")), "{url}");
        assert_eq!(param_of(&url, "iss").as_deref(), Some(FHIR1), "byte for byte what the tester typed");
        param_of(&url, "launch").filter(|launch| !launch.is_empty()).expect("a launch")
    }

    /// Posts exactly this to the token endpoint.
    pub async fn post_token(&self, form: &[(&str, &str)]) -> Reply {
        let configuration = self.configuration().await;
        let request = Request::post(text(&configuration, "token_endpoint"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        self.http(request, encode(form)).await
    }

    /// `smart_token_exchange`
    pub async fn exchange(&self, client: &str, code: &str) -> Reply {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)];
        self.token(client, &form).await
    }

    /// The use of a refresh token, with a scope or without.
    pub async fn refresh(&self, client: &str, token: &str, scope: Option<&str>) -> Reply {
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        form.extend(scope.map(|scope| ("scope", scope)));
        self.token(client, &form).await
    }

    /// A standalone launch from end to end.
    pub async fn launch(&self, client: &str, scope: &str, who: Sitting) -> Value {
        let landing = self.authorize(&self.ask(client, scope), false, who).await;
        tokens(&self.exchange(client, &landing.code()).await)
    }

    /// `g10_patient_context`: the patient of the token response can be read with its token.
    pub async fn assert_patient_can_be_read(&self, tokens: &Value) {
        let patient = text(tokens, "patient");
        assert!(!patient.contains('/'), "{patient} is no bare id");
        let reply = self.fhir(&format!("Patient/{patient}"), Some(text(tokens, "access_token"))).await;
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
        assert_eq!((text(&reply.json(), "resourceType"), text(&reply.json(), "id")), ("Patient", patient));
    }
}

/// `smart_token_response_body`, `smart_token_response_headers`: of an exchange and of a refresh alike.
#[track_caller]
pub fn tokens(reply: &Reply) -> Value {
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert!(reply.header("cache-control").contains("no-store") && reply.header("pragma").contains("no-cache"));
    let body = reply.json();
    for required in ["access_token", "token_type", "scope"] {
        assert!(!text(&body, required).trim().is_empty(), "{required}: {body}");
    }
    assert!(body["expires_in"].is_number(), "{body}");
    assert!(text(&body, "token_type").eq_ignore_ascii_case("bearer"));
    for optional in ["refresh_token", "id_token", "patient", "encounter", "intent", "smart_style_url", "tenant"] {
        assert!(body.get(optional).is_none_or(Value::is_string), "{optional}: {body}");
    }
    assert!(body.get("need_patient_banner").is_none_or(Value::is_boolean), "{body}");
    body
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}

/// The first person of this kind who can sign in.
fn username(kind: PersonKind) -> String {
    WORLD.people().into_iter().find(|person| person.kind == kind).expect("somebody").username
}

fn clients() -> Vec<Client> {
    let scopes = "launch launch/patient launch/encounter openid fhirUser offline_access online_access patient/*.cruds user/*.cruds";
    let client = |id: &str, auth| Client {
        scopes: ScopeSet::parse(scopes).expect("scopes"),
        redirect_uris: vec![RedirectUri::register(REDIRECT).expect("a redirect URI")],
        launch_uri: Some(LAUNCH.to_owned()),
        id: ClientId::new(id),
        ..client(id, auth, &[])
    };
    let signing = |id: &str| Client { jwks: Some(key_of(id).jwks_text()), ..client(id, ClientAuth::PrivateKeyJwt) };
    let backend = Client {
        scopes: ScopeSet::parse("system/*.cruds").expect("scopes"),
        grant_types: vec![GrantType::ClientCredentials],
        redirect_uris: vec![],
        launch_uri: None,
        ..signing(BACKEND)
    };
    let resource_server = Client {
        scopes: ScopeSet::parse("__introspect").expect("scopes"),
        may_introspect: true,
        id: ClientId::new(RESOURCE_SERVER),
        ..backend.clone()
    };
    let [es384, rs384] = ASYMMETRIC.map(signing);
    let ehr = Client {
        auth: ClientAuth::ClientSecretBasic,
        scopes: ScopeSet::parse("__launch").expect("scopes"),
        id: ClientId::new(EHR),
        ..backend.clone()
    };
    vec![client(PUBLIC, ClientAuth::None), client(CONFIDENTIAL, ClientAuth::ClientSecretBasic), es384, rs384, backend, resource_server, ehr]
}

/// The key that a client signs with.
fn key_of(client: &str) -> &'static Forge {
    static EC: LazyLock<Forge> = LazyLock::new(|| Forge::new(Algorithm::Es384));
    static RSA: LazyLock<Forge> = LazyLock::new(|| Forge::new(Algorithm::Rs384));
    if client == ASYMMETRIC[1] { &RSA } else { &EC }
}

/// The synthetic people may sign in, and open whom they may open.
async fn populate(app: &TestApp) {
    let hash = password_hash().await;
    let people = WORLD.people();
    for person in &people {
        let user = User {
            id: UserId::new(format!("u-{}", person.username)),
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            fhir_user: person.fhir_user.parse().ok(),
            disabled_at: None,
            created_at: app.clock.now(),
        };
        app.store().create_user(&app.origin(), NewUser { user, password_hash: hash.clone() }).await.expect("a user");
    }
    let now = app.clock.now();
    let opener = |person: &DemoPerson| Opener { who: person.fhir_user.clone(), since: Some(now) };
    let of = |id: &str| people.iter().filter(|person| person.opens.iter().any(|own| own == id)).map(opener).collect();
    let patients = WORLD.resources("Patient").iter().map(|patient| ImportedPatient {
        patient: Patient {
            id: PatientId::new(text(patient, "id")),
            name: text(&patient["name"][0], "family").to_owned(),
            birth_date: text(patient, "birthDate").to_owned(),
            sex: text(patient, "gender").to_owned(),
            mrn: String::new(),
        },
        is_inactive: false,
        opened_by: of(text(patient, "id")),
    });
    app.store().import_patients(&app.origin(), "one", patients.collect(), false).await.expect("patients");
}

async fn read(response: axum::response::Response) -> Reply {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 4 << 20).await.expect("a body");
    Reply { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).expect("UTF-8") }
}

/// The FHIR server passes the authorization server's document on.
fn configuration(server: Router) -> DiscoverySource {
    Arc::new(move || {
        let server = server.clone();
        Box::pin(async move {
            let request = Request::get("/fhir-bases/one/.well-known/smart-configuration").body(Body::empty()).expect("a request");
            let reply = read(server.oneshot(request).await.ok()?).await;
            reply.status.is_success().then(|| reply.body.into_bytes())
        })
    })
}

/// The FHIR server asks for every token, over HTTP.
fn validator(server: Router) -> AskValidator {
    Arc::new(move |event| {
        let server = server.clone();
        Box::pin(async move {
            let request = Request::post("/validate")
                .header("host", "idp.test")
                .header("content-type", "application/json")
                .header("authorization", basic("rs", SECRET))
                .body(Body::from(event.to_string()))
                .expect("a request");
            read(server.oneshot(request).await.expect("the router never fails")).await.json()
        })
    })
}
