//! Groups 9.13 and 9.22 of (g)(10): a standalone launch with v1 scopes.

use super::standalone::{TYPES, search};
use super::{CONFIDENTIAL, DOCTOR, Inferno, granted, text};

/// `g10_smart_scopes` (any version comes back), `g10_unauthorized_access`, `g10_patient_context`, and the searches.
#[tokio::test]
async fn v1_scopes_are_granted_as_they_were_asked_for() {
    let inferno = Inferno::start().await;
    let types = TYPES.map(|kind| format!("patient/{kind}.read")).join(" ");
    let scope = format!("launch/patient openid fhirUser offline_access {types}");
    let tokens = inferno.launch(CONFIDENTIAL, &scope, DOCTOR).await;
    assert_eq!(granted(&tokens), scope.split(' ').collect::<Vec<_>>());
    assert_eq!(inferno.fhir("Patient/p001", None).await.status.as_u16(), 401);
    inferno.assert_patient_can_be_read(&tokens).await;
    for kind in TYPES {
        let reply = inferno.fhir(&search(kind, DOCTOR.patient), Some(text(&tokens, "access_token"))).await;
        assert_eq!(reply.status.as_u16(), 200, "{kind}: {}", reply.body);
    }
}
