//! The beginning of every launch.

use crate::app::{App, smart_style_url};
use crate::audit::{Entry, Origin};
use crate::client::Client;
use crate::id::{LaunchId, PatientId};
use crate::launch::{Launch, LaunchContext, launch_url};
use crate::person::User;
use crate::secret::{LaunchToken, unique_id};
use crate::store::{Error, NewLaunch};
use crate::tenant::FhirBase;

/// What is to be opened, and for whom. All of it has been looked at.
pub(super) struct Opening<'a> {
    /// The app; it can be launched on this FHIR base.
    pub client: &'a Client,
    /// Who uses it.
    pub user: &'a User,
    /// Where.
    pub base: &'a FhirBase,
    /// The patient, who may be opened by this user.
    pub patient: Option<PatientId>,
    /// An encounter of this patient's.
    pub encounter: Option<String>,
    /// What else the app is to know.
    pub context: LaunchContext,
}

/// A launch that waits for its app.
pub(super) struct Begun {
    /// The value of the parameter `launch`.
    pub token: LaunchToken,
    /// Where the browser goes.
    pub url: String,
}

/// Begins a launch; `entry` says by whom. What was not said about the surroundings is said here: the
/// app stands alone on its page, and ours is the look to follow.
pub(super) async fn begin(app: &App, origin: &Origin, opening: Opening<'_>, entry: Entry) -> Result<Begun, Error> {
    let Opening { client, user, base, patient, encounter, mut context } = opening;
    context.need_patient_banner.get_or_insert(true);
    context.smart_style_url.get_or_insert_with(|| smart_style_url(&app.tenant.issuer));
    context.tenant.get_or_insert_with(|| app.tenant.id.to_string());
    let token = LaunchToken::generate();
    let launch = Launch {
        id: LaunchId::new(unique_id(origin.now)),
        client_id: client.id.clone(),
        user_id: user.id.clone(),
        fhir_base: base.name.clone(),
        patient_id: patient,
        encounter_id: encounter,
        context,
    };
    app.store.begin_launch(origin, NewLaunch { launch, digest: token.digest() }, entry).await?;
    let url = launch_url(client.launch_uri.as_deref().unwrap_or_default(), base.public_url(), &token);
    Ok(Begun { token, url })
}
