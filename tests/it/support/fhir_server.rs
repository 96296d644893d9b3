//! FHIR servers on loopback that patients are looked up in: the demo's stand-in, with our validator at its door.

use std::net::SocketAddr;
use std::sync::Arc;

use admit::client::{Client, ClientAuth};
use admit::demo::fhir::{StandIn, router};
use admit::demo::people::World;
use admit::listener::{self, Handle};
use admit::tenant::{FhirBase, Panel, PatientSource, Patients};
use admit::token::Jwks;
use admit::validate::{KeySource, Profile, Trust, Validator};

use super::ask::Ask;
use super::{ISSUER, ROLE, TestApp, client};

/// The name of the FHIR base, and of the app that uses it.
pub const LIVE: &str = "live";

impl TestApp {
    /// The stand-in as the FHIR base `live`, with the app `live`; its population comes along.
    pub async fn stand_in(&self, panels: &[Panel]) -> Arc<World> {
        let listener = listener::listen(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let url = format!("http://{}/fhir", listener.local_addr().expect("an address"));
        let keys = self.get("/.well-known/jwks.json").await;
        let trust =
            Trust { tenant: Some("default".to_owned()), datastores: vec![format!("{url}/")], ..Trust::new(ISSUER, Profile::Admit, ROLE) };
        let keys = KeySource::embedded(Jwks::parse(keys.body.as_bytes()).expect("a key set"));
        let validator = Arc::new(Validator::new(trust, keys));
        let (clock, time) = (self.clock.clone(), self.clock.clone());
        let world = Arc::new(World::generate(self.clock.now().date()));
        let stand_in = StandIn {
            world: Arc::clone(&world),
            base: url.clone(),
            datastore_endpoint: format!("{url}/"),
            smart_configuration: Arc::new(|| Box::pin(async { None })),
            ask_validator: Arc::new(move |event| {
                let (validator, now) = (Arc::clone(&validator), time.now());
                Box::pin(async move { validator.answer(&event, now).await })
            }),
            clock: Arc::new(move || clock.now()),
        };
        let handle = Handle::new();
        tokio::spawn(listener::serve(listener, None, router(stand_in), handle.clone(), false));
        handle.listening().await;
        self.live_at(&url, panels).await;
        world
    }

    /// Whatever answers at this URL as the FHIR base `live`, with the app `live`.
    pub async fn live_at(&self, url: &str, panels: &[Panel]) {
        let patients = Patients { source: PatientSource::Fhir, panels: panels.to_vec(), ..Patients::default() };
        let base = FhirBase { audience: format!("{url}/"), patients, ..FhirBase::new(LIVE, url) };
        self.store().add_fhir_base(&self.origin(), &base).await.expect("a FHIR base");
        self.register(Client { fhir_bases: vec![LIVE.to_owned()], ..client(LIVE, ClientAuth::None, &["https://app.test/cb"]) }).await;
    }

    /// Makes a person of the seed somebody else.
    pub async fn is_now(&self, user: &str, fhir_user: &str) {
        self.sql(&format!("update user_account set fhir_user = '{fhir_user}' where user_id = 'u-{user}'")).await;
    }

    /// A request of the app `live`.
    pub async fn live(&self) -> Ask {
        let bases = self.store().fhir_bases(&self.origin().tenant).await.expect("FHIR bases");
        let base = bases.iter().find(|base| base.name == LIVE).expect("the live one");
        let scope = "openid fhirUser launch/patient patient/*.rs offline_access";
        Ask::of(LIVE).with("aud", &base.public_urls[0]).with("scope", scope)
    }
}
