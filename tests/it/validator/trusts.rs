//! One function for several data stores, issuers and tenants: nobody's token opens another's door.

use std::sync::Arc;

use admit::token::Algorithm;
use admit::validate::{KeySource, Profile, Proof, Rule, Trust, Validator};
use serde_json::{Value, json};

use super::{ENDPOINT, noon};
use crate::support::{Forge, ISSUER, genuine_claims};

const OTHER: &str = "https://other.test/r4/";
const COGNITO: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_synthetic";

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

fn rule(issuer: &str, profile: Profile, tenant: Option<&str>, datastore: &str, name: &str, keys: &Arc<KeySource>) -> Rule {
    let trust = Trust {
        tenant: tenant.map(str::to_owned),
        datastores: vec![datastore.to_owned()],
        clients: if profile == Profile::Cognito { vec!["spa".to_owned()] } else { vec![] },
        ..Trust::new(issuer, profile, &role(name))
    };
    Rule { trust, proof: Proof::Signature(Arc::clone(keys)) }
}

async fn answer(validator: &Validator, datastore: &str, token: &str) -> Value {
    let event = json!({ "datastoreEndpoint": datastore, "operationName": "ReadResource", "bearerToken": token });
    validator.answer(&event, noon()).await
}

/// The role that a token gets at a data store; `None`: it is refused.
async fn opens(validator: &Validator, datastore: &str, token: &str) -> Option<String> {
    answer(validator, datastore, token).await["iamRoleARN"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_token_opens_the_data_store_of_its_own_tenant_and_no_other() {
    let forge = Forge::new(Algorithm::Es256);
    let keys = Arc::new(KeySource::embedded(forge.jwks()));
    let validator = Validator::of(vec![
        rule(ISSUER, Profile::Admit, Some("a"), ENDPOINT, "a", &keys),
        rule(ISSUER, Profile::Admit, Some("b"), OTHER, "b", &keys),
        rule(ISSUER, Profile::Admit, Some("c"), ENDPOINT, "c", &keys),
    ]);
    for (tenant, aud, at, expected) in [
        ("a", ENDPOINT, ENDPOINT, Some("a")),
        ("b", OTHER, OTHER, Some("b")),
        ("c", ENDPOINT, ENDPOINT, Some("c")), // two tenants in one store, each with its role
        ("a", OTHER, OTHER, None),
        ("b", ENDPOINT, ENDPOINT, None),
        ("a", ENDPOINT, OTHER, None),
        ("b", OTHER, ENDPOINT, None),
        ("d", ENDPOINT, ENDPOINT, None),
        ("", ENDPOINT, ENDPOINT, None),
        ("A", ENDPOINT, ENDPOINT, None),
        ("a", "https://third.test/r4/", "https://third.test/r4/", None),
    ] {
        let mut claims = genuine_claims(noon().unix_timestamp());
        claims["tenant_id"] = json!(tenant);
        claims["aud"] = json!(aud);
        let token = forge.access_token(&claims);
        assert_eq!(opens(&validator, at, &token).await, expected.map(role), "{tenant:?} for {aud} at {at}");
    }
}

/// Cognito's tokens name no audience, so the map alone keeps them where they belong.
#[tokio::test]
async fn an_issuer_is_believed_at_its_own_data_stores_with_its_own_keys_alone() {
    let (ours, theirs) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Rs256));
    let (our_keys, their_keys) = (Arc::new(KeySource::embedded(ours.jwks())), Arc::new(KeySource::embedded(theirs.jwks())));
    let validator = Validator::of(vec![
        rule(ISSUER, Profile::Admit, None, ENDPOINT, "ours", &our_keys),
        rule(COGNITO, Profile::Cognito, None, OTHER, "theirs", &their_keys),
    ]);
    let now = noon().unix_timestamp();
    let cognito = |issuer: &str| json!({ "iss": issuer, "sub": "x", "client_id": "spa", "token_use": "access", "scope": "user/*.read", "iat": now, "exp": now + 60 });
    let header = |forge: &Forge| json!({ "alg": forge.algorithm.as_str(), "kid": forge.kid });
    let genuine = theirs.token(&header(&theirs), &cognito(COGNITO));
    assert_eq!(opens(&validator, OTHER, &genuine).await, Some(role("theirs")));
    assert_eq!(opens(&validator, ENDPOINT, &genuine).await, None);
    let own = ours.access_token(&genuine_claims(now));
    assert_eq!(opens(&validator, ENDPOINT, &own).await, Some(role("ours")));
    assert_eq!(opens(&validator, OTHER, &own).await, None);
    // One issuer's key signs nothing for the other (JW-06).
    for (signer, claims, at) in [
        (&ours, cognito(COGNITO), OTHER),
        (&theirs, genuine_claims(now), ENDPOINT),
        (&theirs, cognito(ISSUER), OTHER),
        (&theirs, cognito(ISSUER), ENDPOINT),
    ] {
        for typ in [None, Some("at+jwt")] {
            let mut header = header(signer);
            typ.into_iter().for_each(|typ| header["typ"] = json!(typ));
            assert_eq!(opens(&validator, at, &signer.token(&header, &claims)).await, None, "{claims} at {at}");
        }
    }
}

/// Nobody is asked about an issuer that is not trusted.
#[tokio::test]
async fn a_token_of_a_strange_issuer_causes_no_fetch() {
    use crate::support::{KeyServer, Mood};
    let (ours, theirs) = (Forge::new(Algorithm::Es256), Forge::new(Algorithm::Es256));
    let server = KeyServer::start(Mood::Publishes(ours.jwks_text())).await;
    let keys = KeySource::remote(&server.uri(), admit::token::Jwks::default()).expect("a client");
    let trust = Trust { datastores: vec![ENDPOINT.to_owned()], ..Trust::new(ISSUER, Profile::Admit, &role("a")) };
    let validator = Validator::new(trust, keys);
    let mut claims = genuine_claims(noon().unix_timestamp());
    claims["iss"] = json!(server.uri());
    let strange = theirs.access_token(&claims);
    assert_eq!(answer(&validator, ENDPOINT, &strange).await["authPayload"]["error"], "the token comes from another issuer");
    assert_eq!(server.asked(), 0);
}
