//! The tokens by which this server itself reads a FHIR base: for one type of resources, for a minute, in nobody's name.

use std::collections::HashMap;

use time::Duration;
use tokio::sync::Mutex;

use super::{Directory, Error};
use crate::audit::{Entry, Origin};
use crate::client::DIRECTORY;
use crate::id::{ClientId, TenantId};
use crate::key::Purpose;
use crate::secret::nonce;
use crate::tenant::{FhirBase, Strategy};
use crate::token::AccessClaims;

/// How long such a token is good.
const LIFE: Duration = Duration::minutes(1);
/// A token is not sent any more when so little of its life is left.
const MARGIN: Duration = Duration::seconds(10);

/// Those that are still good, by tenant, audience and type. Held while one is made, so that several who need it make one.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Place, Kept>>);

type Place = (TenantId, String, &'static str);

struct Kept {
    token: String,
    exp: i64,
}

impl Tokens {
    /// Whoever refuses it may believe the next one: keys change.
    pub(super) async fn forget(&self, tenant: &TenantId, audience: &str, kind: &'static str) {
        self.0.lock().await.remove(&(tenant.clone(), audience.to_owned(), kind));
    }
}

impl Directory {
    /// A token that reads and searches resources of this type in this FHIR base, and nothing else.
    pub(super) async fn token(&self, origin: &Origin, base: &FhirBase, kind: &'static str) -> Result<String, Error> {
        let now = origin.now.unix_timestamp();
        let mut kept = self.tokens.0.lock().await;
        let place = (origin.tenant.clone(), base.audience.clone(), kind);
        let is_good = |left: i64| left > MARGIN.whole_seconds() && left <= LIFE.whole_seconds();
        if let Some(own) = kept.get(&place).filter(|own| is_good(own.exp - now)) {
            return Ok(own.token.clone());
        }
        let access = match base.strategy {
            Strategy::SmartOnFhir => "rs",
            Strategy::SmartOnFhirV1 => "read",
        };
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            sub: DIRECTORY.to_owned(),
            aud: base.audience.clone(),
            exp: now + LIFE.whole_seconds(),
            iat: now,
            nbf: now,
            jti: nonce(),
            client_id: DIRECTORY.to_owned(),
            scope: format!("system/{kind}.{access}"),
            tenant_id: origin.tenant.to_string(),
            patient: None,
            encounter: None,
            fhir_user: None,
            launch_response_patient: None,
        };
        let keys = self.keys.current(&self.store, origin.now).await?;
        let token = keys.sign(Purpose::Access, base.access_token_alg, "at+jwt", &claims, origin.now)?;
        // No token without its entry in the books.
        let entry = Entry::done("token.issued").client(&ClientId::new(DIRECTORY)).jti(&claims.jti).detail(&claims.scope);
        self.store.audit(origin, entry).await?;
        kept.insert(place, Kept { token: token.clone(), exp: claims.exp });
        Ok(token)
    }
}
