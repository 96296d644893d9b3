//! Groups 9.2 and 9.16 of (g)(10): standalone launch of a public client.

use super::{DOCTOR, Inferno, PUBLIC, Sitting, text};

/// `g10_patient_context`, `g10_public_launch_id_token`
#[tokio::test]
async fn a_public_client_gets_its_patient_and_an_id_token() {
    let inferno = Inferno::start().await;
    let tokens = inferno.launch(PUBLIC, "launch/patient openid fhirUser offline_access patient/Patient.rs", DOCTOR).await;
    assert_eq!(text(&tokens, "id_token").split('.').count(), 3);
    inferno.assert_patient_can_be_read(&tokens).await;
}

/// The same for a patient who opens the own record, and for a parent who chooses a child.
#[tokio::test]
async fn patients_and_parents_launch_as_well() {
    use admit::demo::people::PersonKind;
    let inferno = Inferno::start().await;
    for (kind, patient) in [(PersonKind::Patient, "p001"), (PersonKind::Carer, "p057")] {
        let tokens = inferno.launch(PUBLIC, "launch/patient openid fhirUser patient/Patient.rs", Sitting { kind, patient }).await;
        assert_eq!(text(&tokens, "patient"), patient, "{kind:?}");
        inferno.assert_patient_can_be_read(&tokens).await;
    }
}
