//! How the answer travels: in the query, or as a form that posts itself.

use crate::support::ask::Ask;
use crate::support::{Reply, TestApp, VERIFIER};

/// AR-11
#[tokio::test]
async fn a_response_mode_that_is_not_offered_is_refused_in_the_query() {
    let app = TestApp::start().await;
    for mode in ["foo", "query.jwt", "form_post.jwt", "jwt", "fragment", "web_message", "QUERY", "form_post query"] {
        let ask = Ask::of("spa").with("response_mode", mode);
        app.assert_app_is_told(&app.ask(&ask).await, &ask, "invalid_request");
    }
    let document = app.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["response_modes_supported"], serde_json::json!(["query", "form_post"]));
}

/// AR-11
#[tokio::test]
async fn the_query_may_be_asked_for_by_name() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    browser.ask(&Ask::of("clinic").with("response_mode", "query")).await.assert_code_at("https://clinic.test/cb");
}

/// The hidden fields of a page, as a browser reads them.
fn fields(page: &str) -> Vec<(String, String)> {
    let read =
        |text: &str| text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    let inputs = page.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .map(|rest| {
            let mut parts = rest.split('"');
            let name = parts.next().expect("a name");
            let value = parts.nth(1).expect("a value");
            (read(name), read(value))
        })
        .collect()
}

/// The page that posts itself to `action`, and nothing that could lead anywhere else.
#[track_caller]
fn assert_posts_itself(reply: &Reply, action: &str, origin: &str) {
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
    assert!(reply.headers.get("location").is_none());
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.body.matches("<form").count(), 1);
    assert!(reply.body.contains(&format!("<form method=\"post\" action=\"{action}\">")), "{}", reply.body);
    // One script, and it has the nonce that the policy names.
    assert_eq!(reply.body.matches("<script").count(), 1, "{}", reply.body);
    let nonce = reply.body.split("<script nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
    assert!(nonce.len() >= 22, "{nonce}");
    let policy = reply.header("content-security-policy");
    for part in [
        format!("script-src 'nonce-{nonce}';"),
        format!("form-action 'self' {origin};"),
        "default-src 'none';".to_owned(),
        "frame-ancestors 'none'".to_owned(),
        "base-uri 'none'".to_owned(),
    ] {
        assert!(policy.contains(&part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(reply.header("x-frame-options"), "DENY");
}

/// AR-12
#[tokio::test]
async fn a_code_travels_in_a_form_that_posts_itself() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let reply = browser.ask(&Ask::of("clinic").with("response_mode", "form_post")).await.reply;
    assert_posts_itself(&reply, "https://clinic.test/cb", "https://clinic.test");
    let fields = fields(&reply.body);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert!(fields[0].1.starts_with("sc_"));
    assert_eq!((fields[1].1.as_str(), fields[2].1.as_str()), ("a-state", "https://idp.test"));
}

/// AR-12: the same at the end of the pages, where the answer is to a POST.
#[tokio::test]
async fn the_form_stands_at_the_end_of_the_pages_as_well() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").with("response_mode", "form_post");
    let mut browser = app.browser();
    let page = browser.ask(&ask).await;
    let reply = browser.go_through(page, "dr.a", "p1").await.reply;
    assert_posts_itself(&reply, "https://app.test/cb", "https://app.test");
    let code = fields(&reply.body).into_iter().find(|(name, _)| name == "code").expect("a code").1;
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "https://app.test/cb"), ("code_verifier", VERIFIER)];
    assert_eq!(app.token("spa", &form).await.status.as_u16(), 200);

    let page = browser.ask(&ask).await;
    assert_eq!(page.path(), "/consent");
    let told = browser.submit(&page.at, &[("csrf", &page.csrf()), ("decision", "deny")]).await;
    assert_posts_itself(&told.reply, "https://app.test/cb", "https://app.test");
    assert_eq!(fields(&told.reply.body)[0], ("error".to_owned(), "access_denied".to_owned()));
}

/// AR-12
#[tokio::test]
async fn a_state_in_the_form_is_text_and_nothing_else() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    for state in [
        "\"><script>alert(1)</script>",
        "'><img src=x onerror=alert(1)>",
        "</form><form action=https://evil.test>",
        "{{7*7}}",
        "&quot;&#34;",
        "a\r\nb",
    ] {
        let reply = browser.ask(&Ask::of("clinic").with("response_mode", "form_post").with("state", state)).await.reply;
        assert_posts_itself(&reply, "https://clinic.test/cb", "https://clinic.test");
        assert!(!reply.body.contains("<img src=x") && !reply.body.contains("alert(1)</script>"), "{}", reply.body);
        let fields = fields(&reply.body);
        assert_eq!(fields.iter().filter(|(name, _)| name == "state").map(|(_, value)| value.as_str()).collect::<Vec<_>>(), [state]);
    }
}

/// AR-12: every page has a nonce of its own.
#[tokio::test]
async fn a_nonce_is_used_once() {
    let app = TestApp::start().await;
    let ask = Ask::of("spa").with("response_mode", "form_post").without("aud");
    let (one, two) = (app.ask(&ask).await, app.ask(&ask).await);
    assert_ne!(one.header("content-security-policy"), two.header("content-security-policy"));
}

/// AR-12: errors travel the way that was asked for; the app's own query stays where it was.
#[tokio::test]
async fn an_error_travels_in_the_form_as_well() {
    let app = TestApp::start().await;
    let ask = Ask::of("webq").with("response_mode", "form_post").without("code_challenge");
    for reply in [app.ask(&ask).await, app.post("/authorize", None, &ask.pairs()).await] {
        assert_posts_itself(&reply, "https://web.test/cb?tenant=1", "https://web.test");
        let fields = fields(&reply.body);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["error", "error_description", "state", "iss"]);
        assert_eq!(fields[0].1, "invalid_request");
    }
    // A request that cannot be sent back gets no form either.
    let ask = Ask::of("spa").with("response_mode", "form_post").with("redirect_uri", "https://evil.test/cb");
    app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", "form_post to a foreign address");
}

/// AR-12: the page works for those without scripts.
#[tokio::test]
async fn without_scripts_there_is_a_button() {
    let app = TestApp::start().await;
    let reply = app.ask(&Ask::of("spa").with("response_mode", "form_post").without("aud")).await;
    assert!(reply.body.contains("<button class=\"button primary\">Continue to the app</button>"));
}
