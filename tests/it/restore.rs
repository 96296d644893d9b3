//! After a restore nothing that is good once comes to life again. Case ids are those of the threat catalogue.

use admit::audit::Origin;
use admit::key::Purpose;
use admit::secret::InitialAccessToken;
use admit::store::{Location, RegistrationToken, Restored, Store, revive, snapshot};
use admit::token::Algorithm;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::Duration;

use crate::support::ask::Ask;
use crate::support::asserting::{bent, service};
use crate::support::{Browser, FHIR1, Forge, ISSUER, Landing, SCOPE, SECRET, TestApp, fresh};

/// A backup in a folder of its own.
struct Backup {
    dir: TempDir,
    source: Origin,
}

impl Backup {
    async fn of(app: &TestApp) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("backup.db");
        std::fs::write(&file, "").expect("an empty file");
        let taken = snapshot(app.location(), &file, app.clock.now()).await.expect("a snapshot");
        assert!(taken.schema >= 11 && taken.rows["client"] > 5, "{taken:?}");
        Self { dir, source: app.origin() }
    }

    /// A server on what comes back, and what ended.
    async fn restore(&self, app: &TestApp) -> (TestApp, Restored) {
        self.restore_with(app, false).await
    }

    async fn restore_with(&self, app: &TestApp, revoke_keys: bool) -> (TestApp, Restored) {
        let file = self.dir.path().join("backup.db");
        let restored = revive(&file, &app.origin(), "a backup of this test", revoke_keys).await.expect("it is whole");
        let mut store = Store::open(&Location::Sqlite(file), app.clock.now()).await.expect("it opens");
        if let Location::Postgres(_) = app.location() {
            let server = fresh().await.open(app.clock.now()).await;
            store.copy_to(&server).await.expect("a copy");
            store = server;
        }
        (app.another_with(|setup| setup.store = store).await, restored)
    }
}

/// The same browser at the server that came back.
fn moved<'a>(browser: &Browser<'_>, to: &'a TestApp) -> Browser<'a> {
    let mut same = to.browser();
    for (name, value) in browser.cookies().split("; ").filter_map(|pair| pair.split_once('=')) {
        same.set_cookie(name, value);
    }
    same
}

async fn registration_token(app: &TestApp) -> String {
    let token = InitialAccessToken::generate();
    let made = RegistrationToken {
        id: admit::secret::unique_id(app.clock.now()),
        label: "Synthetic maker".to_owned(),
        uses_left: 1,
        created_at: app.clock.now(),
        expires_at: app.clock.now() + Duration::days(7),
    };
    app.store().add_registration_token(&app.origin(), made, token.digest()).await.expect("a token");
    token.expose().to_owned()
}

async fn register_with(app: &TestApp, token: &str) -> u16 {
    let metadata = json!({
        "client_name": "Synthetic", "redirect_uris": ["https://new.test/cb"], "grant_types": ["authorization_code"],
        "response_types": ["code"], "token_endpoint_auth_method": "none", "scope": "openid launch/patient patient/Patient.rs",
    });
    let request = Request::post("/register").header("content-type", "application/json").header("authorization", format!("Bearer {token}"));
    app.call(request.body(Body::from(metadata.to_string())).expect("a request")).await.status.as_u16()
}

async fn for_itself(app: &TestApp) -> Value {
    let form = [("grant_type", "client_credentials"), ("scope", "system/Patient.rs")];
    app.token("bsc", &form).await.tokens()["access_token"].clone()
}

/// Whether the server's own validator lets the token in.
async fn is_let_in(app: &TestApp, token: &Value) -> bool {
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("rs:{SECRET}"));
    let event = json!({ "datastoreEndpoint": format!("{FHIR1}/"), "operationName": "ReadResource", "bearerToken": token });
    let request =
        Request::post("/validate").header("content-type", "application/json").header("authorization", format!("Basic {credentials}"));
    let reply = app.call(request.body(Body::from(event.to_string())).expect("a request")).await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    reply.json()["authPayload"]["isAuthorized"] == "true"
}

async fn assert_dead(app: &TestApp, token: &Value, what: &str) {
    assert!(!app.is_active(token).await, "{what}: introspection");
    assert!(!is_let_in(app, token).await, "{what}: POST /validate");
    assert_eq!(app.userinfo(token.as_str().expect("a token")).await.status.as_u16(), 401, "{what}: userinfo");
}

async fn open_launch(browser: &mut Browser<'_>, launch: &str) -> Landing {
    browser.ask(&Ask::launched("clinic", launch)).await
}

/// KF-11: everything that is good once is made before the backup, used after it, and tried again
/// after the restore; so is what was made in between. All within one second, so that no artefact
/// dies of its age.
#[tokio::test]
async fn nothing_that_was_used_after_the_backup_is_good_again() {
    let app = TestApp::with_ehr().await;
    let key = Forge::new(Algorithm::Es384);
    app.register(service("pkj", &key.jwks_text())).await;

    let unused_code = app.code("spa", SCOPE).await;
    let tokens = app.tokens("spa", SCOPE).await;
    let revoked = app.tokens("spa", SCOPE).await;
    let own = for_itself(&app).await;
    let launch = app.launch("clinic", "p2").await;
    let registration = registration_token(&app).await;
    let assertion = app.assertion("pkj", &key);
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let page = browser.ask(&Ask::of("spa").with("scope", "openid launch/patient patient/Patient.rs")).await;
    let page = browser.pick(&page, "p2").await;
    assert_eq!(page.path(), "/consent");

    let backup = Backup::of(&app).await;

    app.redeem("spa", &unused_code).await.tokens();
    let successor = app.refresh("spa", &tokens["refresh_token"]).await.tokens();
    app.as_client("/revoke", "spa", &[("token", revoked["access_token"].as_str().expect("a token"))]).await;
    assert!(!app.is_active(&revoked["access_token"]).await);
    app.as_client("/revoke", "bsc", &[("token", own.as_str().expect("a token"))]).await;
    app.assert(&assertion).await.tokens();
    assert_eq!(register_with(&app, &registration).await, 201);
    browser.approve(&page).await.code();
    open_launch(&mut browser, &launch).await.code();
    let later_code = app.code("spa", SCOPE).await;
    let later = app.tokens("spa", SCOPE).await;
    let later_own = for_itself(&app).await;
    let later_launch = app.launch("clinic", "p2").await;
    assert!(app.is_active(&later_own).await && is_let_in(&app, &later["access_token"]).await);

    let (restored, came_back) = backup.restore(&app).await;
    // Whoever starts a server waits for the second to be over.
    assert_eq!(came_back.valid_from, app.clock.now().replace_nanosecond(0).expect("a second") + Duration::SECOND);
    app.advance(Duration::SECOND);

    for (code, what) in [(&unused_code, "used since"), (&later_code, "issued since")] {
        let reply = restored.redeem("spa", code).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_grant")), "a code {what}");
    }
    for (tokens, what) in [(&tokens, "rotated since"), (&successor, "a successor"), (&revoked, "revoked"), (&later, "issued since")] {
        restored.refresh("spa", &tokens["refresh_token"]).await.assert_invalid_grant();
        assert!(!restored.is_active(&tokens["refresh_token"]).await, "{what}");
        assert_dead(&restored, &tokens["access_token"], what).await;
    }
    assert_dead(&restored, &own, "a service's, revoked since").await;
    assert_dead(&restored, &later_own, "a service's, issued since").await;
    restored.assert(&assertion).await.assert_turned_away("used before");
    assert_eq!(register_with(&restored, &registration).await, 401);

    let mut browser = moved(&browser, &restored);
    for launch in [&launch, &later_launch] {
        let landing = open_launch(&mut browser, launch).await;
        assert!(landing.reply.param("code").is_none() && landing.path() != "/consent", "{}: {}", landing.at, landing.reply.body);
    }
    let scopes = page.scopes();
    let csrf = page.csrf();
    let mut form = vec![("csrf", csrf.as_str()), ("decision", "approve")];
    form.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
    let landing = browser.submit(&page.at, &form).await;
    assert!(landing.reply.param("code").is_none(), "a flow of before was answered: {}", landing.reply.header("location"));
    let landing = browser.ask(&Ask::of("spa").with("prompt", "none")).await;
    assert_eq!(landing.reply.param("error").as_deref(), Some("login_required"), "a session of before still stands");
}

/// KF-11: what is asked for anew works at once.
#[tokio::test]
async fn a_server_that_came_back_works_at_once() {
    let app = TestApp::with_ehr().await;
    let key = Forge::new(Algorithm::Es384);
    app.register(service("pkj", &key.jwks_text())).await;
    let backup = Backup::of(&app).await;
    let (restored, _) = backup.restore(&app).await;
    app.advance(Duration::SECOND);

    let tokens = restored.tokens("spa", SCOPE).await;
    assert!(restored.is_active(&tokens["access_token"]).await && is_let_in(&restored, &tokens["access_token"]).await);
    let refreshed = restored.refresh("spa", &tokens["refresh_token"]).await.tokens();
    assert_eq!(restored.userinfo(refreshed["access_token"].as_str().expect("a token")).await.status.as_u16(), 200);
    assert!(restored.is_active(&for_itself(&restored).await).await);
    let mut browser = restored.browser();
    browser.sign_in("dr.a").await;
    let launch = restored.launch("clinic", "p2").await;
    open_launch(&mut browser, &launch).await.code();
    let registration = registration_token(&restored).await;
    assert_eq!(register_with(&restored, &registration).await, 201);

    // A client's clock may be ahead, by ten seconds when it comes to `exp`: only then is it certain that this was not used before.
    app.advance(Duration::seconds(9));
    restored.assert(&restored.assertion("pkj", &key)).await.assert_turned_away("After a restore");
    app.advance(Duration::SECOND);
    let assertion = restored.assertion("pkj", &key);
    restored.assert(&assertion).await.tokens();
    restored.assert(&assertion).await.assert_turned_away("used before");
}

/// KF-11: whoever has a key that was revoked since the backup signs what they like, with a time after the restore.
#[tokio::test]
async fn keys_may_be_revoked_with_everything_else() {
    let app = TestApp::start().await;
    let stolen = Forge::of(&app, Purpose::Access).await;
    let backup = Backup::of(&app).await;
    let (restored, Restored { ended, .. }) = backup.restore_with(&app, true).await;
    app.advance(Duration::SECOND);
    assert!(ended.keys >= 2, "{ended}");
    let now = app.clock.now().unix_timestamp();
    let forged = json!({
        "iss": ISSUER, "sub": "bsc", "client_id": "bsc", "aud": format!("{FHIR1}/"), "exp": now + 300, "iat": now, "nbf": now,
        "jti": admit::secret::nonce(), "scope": "system/Patient.rs", "tenant_id": "default",
    });
    let forged = Value::from(stolen.access_token(&forged));
    assert!(app.is_active(&forged).await, "it is a good forgery where its key stands");
    assert_dead(&restored, &forged, "by a revoked key").await;
    let tokens = restored.tokens("spa", SCOPE).await;
    assert!(restored.is_active(&tokens["access_token"]).await && is_let_in(&restored, &tokens["access_token"]).await);
}

/// KF-11: an assertion may have been used as soon as its `exp` was near enough, its `iat` not too far ahead.
#[tokio::test]
async fn an_assertion_that_could_have_been_used_before_waits_until_it_must_be_new() {
    let app = TestApp::start().await;
    let key = Forge::new(Algorithm::Es384);
    app.register(service("pkj", &key.jwks_text())).await;
    let backup = Backup::of(&app).await;
    let (restored, _) = backup.restore(&app).await;
    let that_lives = |life: i64, iat: Option<i64>| {
        let exp = app.clock.now().unix_timestamp() + life;
        key.token(&key.header("JWT"), &bent(&restored, "pkj", &json!({ "iat": iat, "exp": exp })))
    };
    app.advance(Duration::seconds(10));
    restored.assert(&that_lives(300, None)).await.assert_turned_away("used before");
    app.advance(Duration::SECOND);
    restored.assert(&that_lives(300, None)).await.tokens();
    restored.assert(&that_lives(299, None)).await.assert_turned_away("used before");
    app.advance(Duration::seconds(19));
    let now = || Some(app.clock.now().unix_timestamp());
    restored.assert(&that_lives(60, now())).await.assert_turned_away("used before");
    app.advance(Duration::SECOND);
    restored.assert(&that_lives(60, now())).await.tokens();
}

/// KF-11: the trail says what ended; a second restore of the same file ends nothing more, and never goes back.
#[tokio::test]
async fn a_restore_says_in_the_audit_trail_what_it_ended() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    browser.ask(&Ask::of("spa")).await;
    app.tokens("spa", SCOPE).await;
    app.launch("clinic", "p2").await;
    registration_token(&app).await;
    let backup = Backup::of(&app).await;

    let (restored, Restored { ended, known_until, valid_from }) = backup.restore(&app).await;
    assert_eq!((ended.sessions, ended.flows, ended.launches, ended.grants, ended.registration_tokens), (2, 1, 1, 2, 1));
    assert_eq!(known_until, Some(app.clock.now()));
    let [entry] = restored.audit("database.restored").await.try_into().expect("one entry");
    assert_eq!(entry.detail, Some(format!("a backup of this test; ended: {ended}")));
    assert_eq!(entry.request_id.as_ref().map(String::len), Some(backup.source.request_id.len()));
    restored.store().close().await;

    let earlier = Origin { now: app.clock.now() - Duration::hours(1), ..app.origin() };
    let again = revive(&backup.dir.path().join("backup.db"), &earlier, "again", false).await.expect("it is whole");
    assert_eq!((again.ended, again.valid_from), (admit::store::Ended::default(), valid_from));
}
