//! A stand-in for a FHIR R4 server that behaves as AWS HealthLake does at its edge.
//!
//! Every request with a bearer token is put to the validator first, in HealthLake's words; the
//! validator's answer decides who is asking and within which scopes. What is served is the
//! synthetic [`World`], read-only.
//!
//! ```text
//! cors → gate (who asks?) → ask (for what?) → reach (may they?) → search | read
//! ```
//!
//! It is for demonstrations and tests. It is not a FHIR server for production, and its
//! CapabilityStatement says so.

mod access;
mod ask;
mod bundle;
mod capability;
mod cors;
mod gate;
mod moment;
mod negotiation;
mod outcome;
mod page;
mod parameter;
mod query;
mod reach;
mod reply;
mod search;
mod wanted;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::future::BoxFuture;
use serde_json::Value;
use time::OffsetDateTime;

use super::people::World;
use access::Action;
use ask::Ask;
use gate::Caller;
use negotiation::Pairs;
use outcome::Refusal;
use query::Query;

/// Asks a token validator: HealthLake's Lambda event goes in, its answer comes out.
pub type AskValidator = Arc<dyn Fn(Value) -> BoxFuture<'static, Value> + Send + Sync>;

/// Where the SMART configuration comes from, as bytes; `None` while there is none.
pub type DiscoverySource = Arc<dyn Fn() -> BoxFuture<'static, Option<Vec<u8>>> + Send + Sync>;

/// What time it is.
pub type Now = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// Everything the stand-in is told.
pub struct StandIn {
    /// What is served.
    pub world: Arc<World>,
    /// The URL that apps use, without a slash at its end: `http://localhost:8081/fhir`.
    pub base: String,
    /// What the validator is told and what tokens are for. Ends with a slash.
    pub datastore_endpoint: String,
    /// The authorization server's discovery document.
    pub smart_configuration: DiscoverySource,
    /// Decides on every token.
    pub ask_validator: AskValidator,
    /// The time.
    pub clock: Now,
}

/// The stand-in, under `/fhir`.
pub fn router(config: StandIn) -> Router {
    // Spelled out, since a nested router would leave `/fhir/` itself to somebody else.
    Router::new()
        .route("/fhir/metadata", get(metadata))
        .route("/fhir/.well-known/smart-configuration", get(discovery))
        .route("/fhir", any(answer))
        .route("/fhir/", any(answer))
        .route("/fhir/{*rest}", any(answer))
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        .route_layer(middleware::from_fn(cors::open_to_all))
        .with_state(Arc::new(config))
}

/// What the server can do: public, since an app reads it before it has a token.
async fn metadata(State(here): State<Arc<StandIn>>, uri: Uri, headers: HeaderMap) -> Response {
    describe(&here, &uri, &headers).await.unwrap_or_else(Refusal::into_response)
}

async fn describe(here: &StandIn, uri: &Uri, headers: &HeaderMap) -> Result<Response, Refusal> {
    negotiation::json_is_welcome(headers, &Pairs::of_query(uri))?;
    let configuration = (here.smart_configuration)().await.ok_or_else(Refusal::discovery_unavailable)?;
    let configuration = serde_json::from_slice(&configuration).map_err(|_| Refusal::discovery_unavailable())?;
    Ok(reply::fhir(StatusCode::OK, &capability::statement(here, &configuration)))
}

/// The SMART configuration: the authorization server's own bytes.
async fn discovery(State(here): State<Arc<StandIn>>) -> Response {
    match (here.smart_configuration)().await {
        Some(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        None => Refusal::discovery_unavailable().into_response(),
    }
}

/// Everything that needs a token.
async fn answer(State(here): State<Arc<StandIn>>, request: Request) -> Response {
    serve(&here, request).await.unwrap_or_else(Refusal::into_response)
}

async fn serve(here: &StandIn, request: Request) -> Result<Response, Refusal> {
    let now = (here.clock)();
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let ask = Ask::of(&head.method, path.strip_prefix("/fhir").unwrap_or(path));
    // Before anything else, and whatever is asked: so does HealthLake.
    let caller = gate::admit(here, &head.headers, ask.operation(), now).await?;

    let mut pairs = Pairs::of_query(&head.uri);
    let mut offered = None;
    match ask {
        Ask::Search { by_form: true, .. } => pairs.read_form(&head.headers, body).await?,
        Ask::Write { .. } if [Method::POST, Method::PUT].contains(&head.method) => offered = negotiation::read_json(body).await?,
        _ => {}
    }
    negotiation::json_is_welcome(&head.headers, &pairs)?;
    match ask {
        Ask::Read { kind, id } => read(here, &caller, &kind, &id),
        Ask::Search { kind, .. } => find(here, &caller, &kind, &pairs, negotiation::is_strict(&head.headers)),
        Ask::Write { kind, id, action, .. } => Err(refuse_to_write(here, &caller, &kind, id.as_deref(), action, offered.as_ref())),
        Ask::Elsewhere { .. } => Err(Refusal::not_offered()),
    }
}

fn read(here: &StandIn, caller: &Caller, kind: &str, id: &str) -> Result<Response, Refusal> {
    let found = here.world.get(kind, id);
    if !caller.is_self(kind, id) {
        let reach = caller.reach(here, kind, Action::Read)?;
        if found.is_some_and(|resource| !reach.includes(resource)) {
            return Err(Refusal::outside_the_scopes("this record is not within the granted scopes"));
        }
    }
    found.map(reply::resource).ok_or_else(Refusal::not_found)
}

fn find(here: &StandIn, caller: &Caller, kind: &str, pairs: &Pairs, strict: bool) -> Result<Response, Refusal> {
    let reach = caller.reach(here, kind, Action::Search)?;
    if !here.world.types().contains(&kind) && !parameter::is_empty_type(kind) {
        return Err(Refusal::not_offered());
    }
    let query = Query::parse(kind, pairs, strict, &here.base)?;
    reach.check_named(&query)?;
    let found = search::run(&here.world, kind, &query, &reach);
    Ok(reply::fhir(StatusCode::OK, &bundle::searchset(&here.base, kind, &query, &found)))
}

/// The scopes are judged first, so that an app learns which of the two stands in its way: what is
/// there and what is offered in its place have to be within them.
fn refuse_to_write(here: &StandIn, caller: &Caller, kind: &str, id: Option<&str>, action: Action, offered: Option<&Value>) -> Refusal {
    let reach = match caller.reach(here, kind, action) {
        Ok(reach) => reach,
        Err(refusal) => return refusal,
    };
    let held = id.and_then(|id| here.world.get(kind, id));
    if held.into_iter().chain(offered).all(|resource| resource["resourceType"] == kind && reach.includes(resource)) {
        Refusal::read_only()
    } else {
        Refusal::outside_the_scopes("this record is not within the granted scopes")
    }
}
