//! Groups 9.9 and 9.19 of (g)(10): an EHR launch that asks for a patient's data, and for `launch` alone.

use super::kit::{EhrWish, tokens};
use super::{CONFIDENTIAL, DOCTOR, Inferno, granted};

/// `g10_patient_context`, `g10_patient_scope`
#[tokio::test]
async fn an_ehr_launch_brings_the_patient_without_launch_patient() {
    let inferno = Inferno::start().await;
    for by_post in [false, true] {
        let launch = inferno.open_app(CONFIDENTIAL, &EhrWish::default()).await;
        let scope = "launch openid fhirUser offline_access patient/Patient.rs";
        let ask = inferno.ask(CONFIDENTIAL, scope).and("launch", &launch);
        let landing = inferno.authorize(&ask, by_post, DOCTOR).await;
        let tokens = tokens(&inferno.exchange(CONFIDENTIAL, &landing.code()).await);
        assert!(granted(&tokens).contains(&"patient/Patient.rs"), "{tokens}");
        inferno.assert_patient_can_be_read(&tokens).await;
    }
}
