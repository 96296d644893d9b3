//! What an app may ask for at `/authorize`, and who is told when it may not.

use admit::id::ClientId;

use crate::support::TestApp;
use crate::support::ask::{Ask, claims};

/// The request without what makes two refusals differ anyway: the number of the request.
fn without_reference(body: &str) -> String {
    body.lines().filter(|line| !line.contains("eference")).collect()
}

/// AR-01
#[tokio::test]
async fn a_client_that_is_not_known_gets_a_page_and_no_redirect() {
    let app = TestApp::start().await;
    app.assert_person_is_told(&app.ask(&Ask::of("spa").without("client_id")).await, "invalid_request", "no client_id");
    app.assert_person_is_told(&app.ask(&Ask::of("spa").with("client_id", "")).await, "invalid_request", "an empty client_id");
    let nul = app.get(&Ask::of("spa").without("client_id").path_and("client_id=spa%00")).await;
    app.assert_person_is_told(&nul, "invalid_request", "a NUL");
    let unknown = app.ask(&Ask::of("spa").with("client_id", "nobody")).await;
    app.assert_person_is_told(&unknown, "invalid_client", "unknown");

    app.store().disable_client(&app.origin(), &ClientId::new("spa")).await.expect("switched off");
    let disabled = app.ask(&Ask::of("spa")).await;
    app.assert_person_is_told(&disabled, "invalid_client", "switched off");
    assert_eq!(without_reference(&unknown.body), without_reference(&disabled.body));

    // As much as an address can hold; more of it does not get past the reading of the request line.
    let huge = "x".repeat(60_000);
    assert_eq!(app.ask(&Ask::of("spa").with("client_id", &huge)).await.status.as_u16(), 414);
    let huge = "x".repeat(1 << 20);
    assert_eq!(app.post("/authorize", None, &Ask::of("spa").with("client_id", &huge).pairs()).await.status.as_u16(), 413);
    let large = "x".repeat(60_000);
    let large = app.post("/authorize", None, &Ask::of("spa").with("client_id", &large).pairs()).await;
    app.assert_person_is_told(&large, "invalid_client", "60 kB");
}

/// AR-01: an app with a secret of its own but no business with people.
#[tokio::test]
async fn a_client_without_redirect_uris_gets_a_page() {
    let app = TestApp::start().await;
    for client in ["bsc", "rs"] {
        app.assert_person_is_told(&app.ask(&Ask::of(client)).await, "invalid_request", client);
    }
}

/// AR-02
#[tokio::test]
async fn a_missing_response_type_is_an_invalid_request() {
    let app = TestApp::start().await;
    for ask in [Ask::of("spa").without("response_type"), Ask::of("spa").with("response_type", "")] {
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

/// AR-03
#[tokio::test]
async fn no_response_type_but_code_is_supported() {
    let app = TestApp::start().await;
    for other in ["none", "CODE", "code code", " code", "code "] {
        let ask = Ask::of("spa").with("response_type", other);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "unsupported_response_type");
    }
    for other in ["token", "id_token", "code token", "code id_token", "id_token token", "code id_token token"] {
        let reply = app.ask(&Ask::of("spa").with("response_type", other)).await;
        let location = reply.header("location");
        assert!(location.starts_with("https://app.test/cb#error=unsupported_response_type&"), "{location}");
        reply.assert_redirect_error("https://app.test/cb#", "unsupported_response_type");
        assert_eq!(reply.param("state").as_deref(), Some("a-state"));
        assert!(!location.contains("access_token") && !location.contains("id_token="), "{location}");
    }
}

/// AR-03: nothing that is asked for beside it brings the implicit flow back.
#[tokio::test]
async fn a_signed_in_person_s_browser_gets_no_token_in_a_fragment() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    for mode in ["", "query", "fragment"] {
        let ask = Ask::of("clinic").with("response_type", "token").with("response_mode", mode).with("prompt", "none");
        let landing = browser.ask(&ask).await;
        let error = if mode == "fragment" { "invalid_request" } else { "unsupported_response_type" };
        landing.reply.assert_redirect_error("https://clinic.test/cb", error);
    }
}

/// AR-04
#[tokio::test]
async fn two_client_ids_or_two_redirect_uris_get_a_page() {
    let app = TestApp::start().await;
    for (name, value) in
        [("client_id", "spa"), ("client_id", "evil"), ("redirect_uri", "https://app.test/cb"), ("redirect_uri", "https://evil.test/cb")]
    {
        app.assert_person_is_told(&app.ask(&Ask::of("spa").and(name, value)).await, "invalid_request", name);
        let posted = app.post("/authorize", None, &Ask::of("spa").and(name, value).pairs()).await;
        app.assert_person_is_told(&posted, "invalid_request", name);
    }
}

/// AR-05
#[tokio::test]
async fn two_states_are_refused_without_giving_back_either() {
    let app = TestApp::start().await;
    for second in ["another", "a-state"] {
        let reply = app.ask(&Ask::of("spa").and("state", second)).await;
        app.assert_app_is_told(&reply, &Ask::of("spa").without("state"), "invalid_request");
    }
}

/// AR-06
#[tokio::test]
async fn every_other_parameter_that_stands_twice_is_refused_with_the_state() {
    let app = TestApp::start().await;
    for name in [
        "scope",
        "response_type",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        "aud",
        "resource",
        "launch",
        "nonce",
        "prompt",
        "max_age",
        "login_hint",
        "id_token_hint",
        "request",
        "request_uri",
        "registration",
        "claims",
        "acr_values",
        "ui_locales",
        "display",
    ] {
        // The same value twice is twice all the same.
        let ask = Ask::of("spa").with(name, "code").and(name, "code");
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    assert!(app.audit("code.issued").await.is_empty());
}

/// AR-08
#[tokio::test]
async fn parameters_that_nobody_knows_are_ignored() {
    let app = TestApp::start().await;
    // Once, twice, badly encoded; and one that our own URLs use.
    let path = Ask::of("spa").and("extra", "foobar").and("extra", "again").and("flow", "theirs").path_and("%ff=%00");
    let mut browser = app.browser();
    let page = browser.go(&path).await;
    browser.go_through(page, "dr.a", "p1").await.assert_code_at("https://app.test/cb");
}

/// AR-10: nothing of a request object is read, and nothing is fetched: this server has no HTTP
/// client at this place that could.
#[tokio::test]
async fn request_objects_and_registration_on_the_fly_are_not_supported() {
    let app = TestApp::start().await;
    for (name, value, error) in [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://evil.test/request.jwt", "request_uri_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let ask = Ask::of("spa").with(name, value);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, error);
    }
    let document = app.get("/.well-known/openid-configuration").await.json();
    assert_eq!((&document["request_parameter_supported"], &document["request_uri_parameter_supported"]), (&false.into(), &false.into()));
}

/// AR-16
#[tokio::test]
async fn a_state_comes_back_byte_for_byte_and_does_no_harm() {
    let app = TestApp::start().await;
    let long = "s".repeat(2048);
    for state in [
        "x",
        &long,
        "\u{1f9d1}\u{200d}\u{2695}\u{fe0f}",
        "<script>alert(1)</script>",
        "\r\nSet-Cookie:a=b",
        "a b+c%20&iss=https://evil.test",
        "\"'\\",
    ] {
        let ask = Ask::of("spa").with("state", state).without("code_challenge");
        let reply = app.ask(&ask).await;
        app.assert_app_is_told(&reply, &ask, "invalid_request");
        assert!(reply.header("location").bytes().all(|b| b.is_ascii_graphic()));

        let ask = Ask::of("clinic").with("state", state);
        let mut browser = app.browser();
        let page = browser.ask(&ask).await;
        let landing = browser.log_in(&page, "dr.a").await;
        landing.assert_code_at("https://clinic.test/cb");
        assert_eq!(landing.reply.param("state").as_deref(), Some(state));
    }
}

/// AR-16
#[tokio::test]
async fn a_state_that_cannot_be_given_back_is_refused() {
    let app = TestApp::start().await;
    let bare = Ask::of("spa").without("state");
    for raw in ["state=%00", "state=a%00b", "state=%ff", "state=%zz"] {
        app.assert_app_is_told(&app.get(&bare.path_and(raw)).await, &bare, "invalid_request");
    }
    let reply = app.ask(&Ask::of("spa").with("state", &"s".repeat(2049))).await;
    app.assert_app_is_told(&reply, &bare, "invalid_request");
}

/// AR-16: `state` is the app's to send; what was not sent is not made up.
#[tokio::test]
async fn no_state_in_no_state_out() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").without("state").without("aud");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
}

/// AR-20
#[tokio::test]
async fn a_scope_outside_of_the_grammar_is_an_invalid_scope() {
    let app = TestApp::start().await;
    for scope in ["openid\nx", "openid a\"b", "openid a\\b", "openid\tprofile", "openid\u{a0}profile", "", " ", "nothing known"] {
        let ask = Ask::of("spa").with("scope", scope);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_scope");
    }
    let ask = Ask::of("spa").without("scope");
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_scope");
    app.assert_app_is_told(&app.get(&ask.path_and("scope=openid%00")).await, &ask, "invalid_scope");
    app.assert_app_is_told(&app.get(&ask.path_and("scope=openid%ff")).await, &ask, "invalid_scope");
    let ask = Ask::of("spa").with("scope", &"openid ".repeat(600));
    app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_scope");
}

/// AR-20
#[tokio::test]
async fn more_than_one_space_between_scopes_is_tolerated() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").with("scope", "  openid   user/Observation.rs ");
    let mut browser = app.browser();
    let page = browser.ask(&ask).await;
    browser.go_through(page, "dr.a", "p1").await.assert_code_at("https://app.test/cb");
}

/// AR-21
#[tokio::test]
async fn the_order_of_parameters_and_scopes_does_not_matter() {
    let app = TestApp::start().await;
    for ask in [
        Ask::of("spa").reversed(),
        Ask::of("spa").with("scope", "user/Observation.rs openid").reversed(),
        Ask::of("spa").with("scope", "patient/Patient.rs launch/patient fhirUser openid"),
    ] {
        let mut browser = app.browser();
        let page = browser.ask(&ask).await;
        browser.go_through(page, "dr.a", "p1").await.assert_code_at("https://app.test/cb");
    }
}

/// AR-25 (the errors: `assert_app_is_told` of every other test)
#[tokio::test]
async fn every_answer_names_the_issuer_that_the_metadata_names() {
    let app = TestApp::start().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/smart-configuration", "/.well-known/oauth-authorization-server"] {
        let document = app.get(path).await.json();
        assert_eq!(document["issuer"], "https://idp.test", "{path}");
        assert_eq!(document["authorization_response_iss_parameter_supported"], true, "{path}");
    }
    let mut browser = app.browser();
    let landing = browser.sign_in("dr.a").await;
    assert_eq!(landing.reply.header("location").matches("iss=").count(), 1);
    assert_eq!(landing.reply.param("iss").as_deref(), Some("https://idp.test"));
}

/// AR-26
#[tokio::test]
async fn a_person_who_says_no_gives_nothing_and_is_asked_again_next_time() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let ask = Ask::of("spa");
    let page = browser.ask(&ask).await;
    let page = browser.log_in(&page, "dr.a").await;
    assert_eq!(page.path(), "/consent");
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "deny")]).await;
    app.assert_app_is_told(&told.reply, &ask, "access_denied");
    assert!(app.audit("code.issued").await.is_empty() && app.audit("consent.granted").await.is_empty());
    assert_eq!(app.audit("authorize").await.first().and_then(|row| row.detail.clone()).as_deref(), Some("access_denied"));

    // The page that is still open in the history decides nothing any more.
    let late = browser.approve(&page).await;
    late.reply.assert_page(409, None);
    assert_eq!(browser.ask(&ask).await.path(), "/consent");
    assert!(app.audit("code.issued").await.is_empty());
}

/// AR-26: the same from the other pages that a person can leave.
#[tokio::test]
async fn a_person_may_turn_back_at_every_page() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").with("scope", "openid launch/patient patient/*.rs");
    let mut browser = app.browser();
    let page = browser.ask(&ask).await;
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("cancel", "1")]).await;
    app.assert_app_is_told(&told.reply, &ask, "access_denied");

    let page = browser.ask(&ask).await;
    let page = browser.log_in(&page, "dr.a").await;
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("cancel", "1")]).await;
    app.assert_app_is_told(&told.reply, &ask, "access_denied");
    assert!(app.audit("code.issued").await.is_empty());
}

/// AR-08: what an app may send along without being asked, and what we do not act upon.
#[tokio::test]
async fn hints_that_are_not_acted_upon_do_not_get_in_the_way() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").and("ui_locales", "de-CH en").and("acr_values", "urn:x").and("display", "popup").and("claims", "{}");
    assert_eq!(app.browser().ask(&ask).await.path(), "/login");
}

/// AR-16 and its neighbours: whatever travels through us has an end.
#[tokio::test]
async fn values_that_are_kept_have_a_longest_length() {
    let app = TestApp::start().await;
    for (name, most) in [("nonce", 512), ("login_hint", 256)] {
        assert_eq!(app.browser().ask(&Ask::of("spa").with(name, &"n".repeat(most))).await.path(), "/login", "{name}");
        let ask = Ask::of("spa").with(name, &"n".repeat(most + 1));
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
}

/// The `nonce` reaches the ID token as it was sent (OpenID Connect Core §2).
#[tokio::test]
async fn a_nonce_comes_back_in_the_id_token() {
    let app = TestApp::start().await;
    let nonce = "n-\u{1f512} \"<0S6_WzA2Mj>";
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("spa").with("nonce", nonce)).await;
    let landing = browser.go_through(page, "dr.a", "p1").await;
    let tokens = app.exchange("spa", &landing).await;
    assert_eq!(claims(&tokens["id_token"])["nonce"], nonce);
}
