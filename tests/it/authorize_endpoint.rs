//! How `/authorize` and the pages may be asked at all: methods, forms, sizes, origins.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;

use crate::support::ask::{Ask, encode};
use crate::support::{PASSWORD, Reply, TestApp};

/// AR-18
#[tokio::test]
async fn an_address_that_is_too_long_is_not_read() {
    let app = TestApp::start().await;
    for kib in [9, 60] {
        let reply = app.get(&Ask::of("spa").path_and(&format!("extra={}", "x".repeat(kib << 10)))).await;
        assert_eq!(reply.status.as_u16(), 414);
        assert!(reply.body.len() < 4096 && reply.headers.get("location").is_none() && reply.headers.get("set-cookie").is_none());
    }
}

/// AR-18: a POST has room for long scopes; there is an end to it all the same.
#[tokio::test]
async fn too_many_parameters_are_not_read() {
    let app = TestApp::start().await;
    let mut ask = Ask::of("spa");
    for place in 0..100 {
        ask = ask.and(&format!("extra{place}"), "x");
    }
    app.assert_person_is_told(&app.ask(&ask).await, "invalid_request", "108 parameters");
    app.assert_person_is_told(&app.post("/authorize", None, &ask.pairs()).await, "invalid_request", "108 parameters");
}

async fn post(app: &TestApp, kind: Option<&str>, body: String) -> Reply {
    let mut request = Request::post("/authorize");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    app.call(request.body(Body::from(body)).expect("a request")).await
}

/// AR-22
#[tokio::test]
async fn a_post_that_is_no_form_gets_a_page() {
    let app = TestApp::start().await;
    let form = encode(&Ask::of("spa").pairs());
    let json = r#"{"client_id":"spa","redirect_uri":"https://app.test/cb"}"#.to_owned();
    let mut parts = String::new();
    for (name, value) in Ask::of("spa").pairs() {
        write!(parts, "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").expect("a string");
    }
    for (kind, body) in [
        (Some("application/json"), json),
        (Some("multipart/form-data; boundary=x"), parts),
        (Some("text/plain"), form.clone()),
        (Some("application/x-www-form-urlencoded; charset=utf-7"), form.clone()),
        (Some("application/x-www-form-urlencodedX"), form.clone()),
        (None, form.clone()),
    ] {
        app.assert_person_is_told(&post(&app, kind, body).await, "invalid_request", kind.unwrap_or("no type"));
    }
    for kind in ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"] {
        assert_eq!(post(&app, Some(kind), form.clone()).await.status.as_u16(), 303, "{kind}");
    }
}

/// AR-22: a POST comes from another site, so the session's cookie comes only with the GET that follows.
#[tokio::test]
async fn a_posted_request_finds_the_session_of_the_browser_that_it_came_with() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let session = browser.cookie("__Host-sid").expect("a session");
    browser.forget_cookie("__Host-sid");
    let request = Request::post("/authorize")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://clinic.test")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(encode(&Ask::of("clinic").pairs())));
    let reply = browser.send(request.expect("a request")).await;
    assert_eq!(reply.status.as_u16(), 303);
    let location = reply.header("location").to_owned();
    assert!(location.starts_with("/authorize?flow="), "{location}");
    browser.set_cookie("__Host-sid", &session);
    browser.go(&location).await.assert_code_at("https://clinic.test/cb");
}

/// AR-22: the query of a POST is no part of the form.
#[tokio::test]
async fn what_stands_in_the_query_of_a_post_is_not_read() {
    let app = TestApp::start().await;
    let body = encode(&Ask::of("spa").without("client_id").pairs());
    let request = Request::post("/authorize?client_id=spa").header("content-type", "application/x-www-form-urlencoded");
    let reply = app.call(request.body(Body::from(body)).expect("a request")).await;
    app.assert_person_is_told(&reply, "invalid_request", "client_id in the query");
}

/// AR-22: errors of a posted request reach the app just the same.
#[tokio::test]
async fn a_posted_request_with_a_fault_is_refused_as_one_that_was_got() {
    let app = TestApp::start().await;
    for ask in [Ask::of("spa").without("code_challenge"), Ask::of("webq").with("aud", "https://evil.test")] {
        let reply = app.post("/authorize", None, &ask.pairs()).await;
        app.assert_app_is_told(&reply, &ask, "invalid_request");
    }
}

fn allows_get_and_post(reply: &Reply) -> bool {
    let methods: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
    methods.contains(&"GET") && methods.contains(&"POST") && !methods.contains(&"PUT")
}

/// AR-23
#[tokio::test]
async fn other_methods_are_refused_and_do_nothing() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let issued = app.audit("code.issued").await.len();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
        let request = Request::builder().method(method).uri(Ask::of("clinic").path()).body(Body::empty()).expect("a request");
        let reply = browser.send(request).await;
        assert_eq!(reply.status.as_u16(), 405, "{method}");
        assert!(allows_get_and_post(&reply), "{method}: {:?}", reply.headers);
        assert!(reply.headers.get("location").is_none() && reply.headers.get("set-cookie").is_none(), "{method}: {:?}", reply.headers);
    }
    let trace = Request::builder().method("TRACE").uri(Ask::of("clinic").path()).body(Body::empty()).expect("a request");
    assert_eq!(browser.send(trace).await.status.as_u16(), 405);
    assert_eq!(app.audit("code.issued").await.len(), issued);
}

/// AR-23: a checker of links that asks for the headers of a page finishes nobody's sign-in.
#[tokio::test]
async fn asking_for_the_headers_of_a_page_answers_no_flow() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.ask(&Ask::of("clinic")).await;
    let mut other_tab = app.browser();
    let name = format!("__Host-tx-{}", page.flow());
    other_tab.set_cookie(&name, &browser.cookie(&name).expect("the flow's cookie"));
    other_tab.sign_in("dr.a").await;
    let issued = app.audit("code.issued").await.len();
    for path in ["/authorize", "/login", "/patient", "/consent"] {
        let request = Request::head(format!("{path}?flow={}", page.flow())).body(Body::empty()).expect("a request");
        let reply = other_tab.send(request).await;
        assert!(reply.status.as_u16() == 405 && allows_get_and_post(&reply), "{path}: {:?}", reply.headers);
    }
    assert_eq!(app.audit("code.issued").await.len(), issued);
    browser.log_in(&page, "dr.a").await.assert_code_at("https://clinic.test/cb");
}

/// AR-24
#[tokio::test]
async fn after_every_post_the_browser_goes_on_with_a_get() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let posted = app.post("/authorize", None, &Ask::of("spa").pairs()).await;
    assert_eq!(posted.status.as_u16(), 303);
    let ask = Ask::of("spa").with("scope", "openid launch/patient patient/*.rs");
    let mut page = browser.ask(&ask).await;
    let dr_a = [("username", "dr.a"), ("password", PASSWORD)];
    let p1 = [("patient", "p1")];
    let yes = [("decision", "approve"), ("scope", "patient/*.rs")];
    for (path, filled_in) in [("/login", &dr_a[..]), ("/patient", &p1), ("/consent", &yes)] {
        assert_eq!(page.path(), path);
        let csrf = page.csrf();
        let form = [&[("csrf", csrf.as_str())], filled_in].concat();
        let request = Request::post(&page.at).header("content-type", "application/x-www-form-urlencoded");
        let reply = browser.send(request.body(Body::from(encode(&form))).expect("a request")).await;
        assert_eq!(reply.status.as_u16(), 303, "{path}: {}", reply.body);
        let location = reply.header("location").to_owned();
        if location.starts_with('/') {
            page = browser.go(&location).await;
        } else {
            assert!(location.starts_with("https://app.test/cb?code="), "{location}");
        }
    }
}

/// AR-27
#[tokio::test]
async fn the_pages_are_no_api_for_other_origins() {
    let app = TestApp::start().await;
    for (method, path) in [
        ("GET", Ask::of("spa").path()),
        ("OPTIONS", Ask::of("spa").path()),
        ("GET", "/login".to_owned()),
        ("OPTIONS", "/login".to_owned()),
        ("GET", "/consent".to_owned()),
        ("OPTIONS", "/consent".to_owned()),
        ("OPTIONS", "/patient".to_owned()),
    ] {
        // Not even for those of registered apps.
        for origin in ["https://evil.test", "https://app.test", "null"] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .body(Body::empty());
            let reply = app.call(request.expect("a request")).await;
            let allowed = reply.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert!(allowed.is_none(), "{method} {path} for {origin}: {allowed:?}");
        }
    }
}

/// Nothing that a request needs lives in the memory of one instance.
#[tokio::test]
async fn a_request_that_began_at_one_instance_goes_on_at_another() {
    let app = TestApp::start().await;
    let another = app.another().await;
    let mut here = app.browser();
    let page = here.ask(&Ask::of("spa")).await;
    let mut there = another.browser();
    let name = format!("__Host-tx-{}", page.flow());
    there.set_cookie(&name, &here.cookie(&name).expect("the flow's cookie"));
    let landing = there.go_through(page, "dr.a", "p1").await;
    landing.assert_code_at("https://app.test/cb");
    assert!(app.exchange("spa", &landing).await["access_token"].is_string());
}
