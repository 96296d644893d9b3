//! What surrounds every request: headers, hosts, origins, paths, methods.

use crate::support::visit::{SCOPE, SPA, consent_page, form_with, login_page, patient_page, plain};
use crate::support::{Reply, TestApp, VERIFIER, challenge, encode, request};

const ENDPOINTS: [&str; 4] = ["/token", "/introspect", "/revoke", "/userinfo"];

#[track_caller]
fn assert_page_headers(what: &str, reply: &Reply) {
    assert!(reply.header("content-type").starts_with("text/html; charset=utf-8"), "{what}: {:?}", reply.headers);
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        let values: Vec<_> = reply.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{what}: {name}");
    }
    let policies: Vec<_> = reply.headers.get_all("content-security-policy").iter().collect();
    assert_eq!(policies.len(), 1, "{what}");
    let policy = reply.header("content-security-policy");
    for part in
        ["default-src 'none'", "script-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(part), "{what}: {part} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    assert!(reply.headers.get("server").is_none() && reply.headers.get("x-powered-by").is_none(), "{what}");
    assert_eq!(reply.header("x-request-id").len(), 22, "{what}");
}

/// SS-08, WB-25: every page, whatever it says, cannot be framed, scripted, kept or sniffed, and
/// loads nothing from elsewhere.
#[tokio::test]
async fn every_page_carries_the_same_strict_headers() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let login = login_page(&mut browser).await;
    let wrong = browser.log_in_with(&login, "dr.a", "wrong").await;
    let patient = patient_page(&mut browser).await;
    let consent = browser.pick(&patient, "p1").await;
    let forged = browser.send(form_with(&consent.at, &[("decision", "approve")], &[])).await;
    let sign_out = browser.go("/logout").await;
    let host = app.call(plain("GET", "/login", &[("host", "evil.test")])).await;
    let too_large = app.call(form_with("/login", &[("username", &"x".repeat(70_000))], &[("content-length", "70009")])).await;
    let heavy = app.call(plain("GET", "/login", &[("cookie", &"x".repeat(17_000))])).await;
    let long = app.get(&format!("/login?x={}", "x".repeat(9_000))).await;
    let put = app.call(plain("PUT", "/login", &[])).await;
    let signed_out = browser.submit("/logout", &[("csrf", &sign_out.csrf())]).await;
    let nowhere = app.get("/nowhere").await;
    let bare = app.get("/login").await;
    let unknown = app.get("/authorize?client_id=nobody").await;
    let other = app.browser().go(&login.at).await;
    for (what, status, reply) in [
        ("sign-in", 200, &login.reply),
        ("wrong password", 403, &wrong.reply),
        ("picker", 200, &patient.reply),
        ("consent", 200, &consent.reply),
        ("sign-out", 200, &sign_out.reply),
        ("signed out", 200, &signed_out.reply),
        ("nothing to do", 200, &bare),
        ("unknown client", 400, &unknown),
        ("another browser's flow", 400, &other.reply),
        ("forged", 403, &forged),
        ("not found", 404, &nowhere),
        ("method", 405, &put),
        ("too large", 413, &too_large),
        ("too long", 414, &long),
        ("wrong host", 421, &host),
        ("headers", 431, &heavy),
    ] {
        assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.body);
        assert_page_headers(what, reply);
        for mark in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "<script", "<iframe", "style="] {
            assert!(!reply.body.contains(mark), "{what}: {mark}");
        }
    }
    assert_eq!(put.header("allow"), "GET,HEAD,POST");
    // Pages whose POST can end at the app name its origin, and nobody else's.
    for page in [&login, &patient, &consent] {
        assert!(page.reply.header("content-security-policy").contains("form-action 'self' https://app.test;"));
    }
    assert!(!bare.header("content-security-policy").contains("https://app.test"));
    app.store().close().await;
    let down = app.get(&login.at).await;
    assert_eq!((down.status.as_u16(), app.get("/authorize?client_id=spa").await.status.as_u16()), (400, 503));
    assert_page_headers("database gone", &app.get("/authorize?client_id=spa").await);
}

/// The one page with a script, `form_post`, names that script alone.
#[tokio::test]
async fn the_only_script_is_named_by_a_nonce_that_is_used_once() {
    let app = TestApp::start().await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let challenge = challenge(VERIFIER);
        let mut params = request("spa", SPA, "openid", &challenge);
        params.extend([("response_mode", "form_post"), ("prompt", "none")]);
        let page = app.browser().authorize(&params).await;
        let policy = page.reply.header("content-security-policy").to_owned();
        let nonce = policy.split("script-src 'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        assert_eq!(page.reply.body.matches("<script").count(), 1);
        assert!(
            page.reply.body.contains(&format!("<script nonce=\"{nonce}\">")) && policy.contains("form-action 'self' https://app.test;")
        );
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

/// WB-01: the server is what its configuration says, whatever a request says.
#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_and_forwarded_names_are_ignored() {
    let app = TestApp::start().await;
    let known = app.get("/.well-known/openid-configuration").await.body;
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "8443"),
        ("x-original-host", "evil.test"),
        ("forwarded", "host=evil.test;proto=http"),
    ] {
        let reply = app.call(plain("GET", "/.well-known/openid-configuration", &[(name, value)])).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &known), "{name}");
        let query = encode(&request("spa", SPA, SCOPE, &challenge(VERIFIER)));
        let reply = app.call(plain("GET", &format!("/authorize?{query}"), &[(name, value)])).await;
        assert!(reply.header("location").starts_with("/login?flow="), "{}", reply.header("location"));
        assert!(reply.header("set-cookie").contains("; Secure;") && !reply.header("set-cookie").contains("omain"));
    }
    for host in
        ["evil.test", "idp.test.evil.test", "idp.test:8443", "idp.test@evil.test", "evil.test:443", "", "127.0.0.1", "idp.test,evil.test"]
    {
        for path in ["/.well-known/openid-configuration", "/login", "/token"] {
            let reply = app.call(plain("GET", path, &[("host", host)])).await;
            assert_eq!(reply.status.as_u16(), 421, "{host} {path}");
            assert!(!reply.body.contains("evil"), "{}", reply.body);
        }
    }
    assert_eq!(app.call(plain("GET", "/login", &[("host", "IDP.test")])).await.status.as_u16(), 200);
    // Twice, and in the request line.
    assert_eq!(app.call(plain("GET", "/login", &[("host", "idp.test"), ("host", "evil.test")])).await.status.as_u16(), 421);
    assert_eq!(app.call(plain("GET", "/login", &[("host", "idp.test"), ("host", "idp.test")])).await.status.as_u16(), 421);
    assert_eq!(app.call(plain("GET", "https://evil.test/login", &[("host", "idp.test")])).await.status.as_u16(), 421);
    assert_eq!(app.call(plain("GET", "https://idp.test/login", &[("host", "evil.test")])).await.status.as_u16(), 421);
    assert_eq!(app.call(plain("GET", "https://idp.test/login", &[("host", "idp.test")])).await.status.as_u16(), 200);
    // Load balancers and gateways do not know our name.
    for path in ["/livez", "/readyz", "/fhir-bases/one/.well-known/smart-configuration"] {
        assert_eq!(app.call(plain("GET", path, &[("host", "10.1.2.3:8080")])).await.status.as_u16(), 200, "{path}");
    }
}

/// WB-03: only the origins of registered apps may read answers, without credentials; the answer says
/// that it depends on the origin, errors included.
#[tokio::test]
async fn only_registered_origins_may_read_what_apps_are_told() {
    let app = TestApp::start().await;
    let foreign = [
        "https://evil.test.example",
        "null",
        "https://app.test.evil.test",
        "https://evil-app.test",
        "http://app.test",
        "https://app.test:8443",
        "https://APP.test",
        "https://app.test/",
        "com.example.app:",
    ];
    for path in ENDPOINTS {
        for method in ["POST", "OPTIONS", "GET"] {
            for origin in foreign {
                let headers = [("origin", origin), ("access-control-request-method", "POST")];
                let reply = app.call(plain(method, path, &headers)).await;
                assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control-allow")), "{method} {path} {origin}");
            }
            let headers = [("origin", "https://app.test"), ("access-control-request-method", "POST")];
            let reply = app.call(plain(method, path, &headers)).await;
            if method == "OPTIONS" {
                assert_eq!(reply.status.as_u16(), 204);
                assert_eq!(reply.header("access-control-allow-headers"), "authorization, content-type, accept");
            }
            if (method, path) == ("GET", "/token") {
                assert_eq!(reply.status.as_u16(), 405);
                continue;
            }
            if method == "GET" && path != "/userinfo" {
                continue;
            }
            assert_eq!(reply.header("access-control-allow-origin"), "https://app.test", "{method} {path} {}", reply.body);
            assert!(reply.header("vary").to_lowercase().contains("origin"), "{method} {path}");
            assert!(reply.headers.get("access-control-allow-credentials").is_none());
        }
        // A page without an origin gets no permission, and a cache is told that it could have been otherwise.
        let reply = app.call(plain("POST", path, &[])).await;
        assert!(reply.headers.get("access-control-allow-origin").is_none());
        assert!(reply.header("vary").to_lowercase().contains("origin"), "{path}");
    }
    // A success, as a browser app sees it.
    let landing = app.browser().launch("spa", SPA, SCOPE, "dr.a", Some("p1")).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &landing.code()),
        ("redirect_uri", SPA),
        ("code_verifier", VERIFIER),
        ("client_id", "spa"),
    ];
    let reply = app.call(form_with("/token", &form, &[("origin", "https://app.test")])).await;
    assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (200, "https://app.test"));

    for path in [
        "/.well-known/smart-configuration",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/fhir-bases/one/.well-known/smart-configuration",
    ] {
        for method in ["GET", "OPTIONS"] {
            let reply = app.call(plain(method, path, &[("origin", "https://evil.test")])).await;
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{method} {path}");
            assert!(reply.headers.get("access-control-allow-credentials").is_none());
        }
    }
    // Pages are nobody's to read.
    for path in ["/login", "/consent", "/logout", "/nowhere"] {
        let reply = app.call(plain("GET", path, &[("origin", "https://app.test")])).await;
        assert!(reply.headers.get("access-control-allow-origin").is_none(), "{path}");
    }
}

/// WB-18, WB-26: a path is what it is, byte for byte; there is nothing behind the public ones.
#[tokio::test]
async fn only_exact_paths_are_answered() {
    let app = TestApp::start().await;
    for path in [
        "//token",
        "/token/",
        "/Token",
        "/token;x=1",
        "/%74oken",
        "/./token",
        "/token%00",
        "/token%2f",
        "/token.json",
        "/x/../token",
        "/admin",
        "/admin/",
        "/admin/..;/token",
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/actuator/health",
        "/health",
        "/api",
        "/.git/config",
        "/.env",
        "/static/",
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/sample-app/config.js",
        "/livez/",
        "/readyz/..",
        "/fhir-bases/",
    ] {
        for method in ["GET", "POST"] {
            let reply = app.call(plain(method, path, &[])).await;
            assert_eq!(reply.status.as_u16(), 404, "{method} {path}");
            assert!(!reply.body.contains("Cargo") && !reply.body.contains("[package]"));
        }
    }
    app.get("/nowhere").await.assert_page(404, None);
    // A machine gets what it can read.
    for path in ["/.well-known/nothing", "/.well-known/openid-configuration/", "/fhir-bases/none/.well-known/smart-configuration"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (404, "application/json"), "{path}");
        assert_eq!(reply.json()["error"], "not_found");
    }
}

/// WB-26: health says yes or no, and nothing of what is inside.
#[tokio::test]
async fn health_says_nothing_but_yes_or_no() {
    let app = TestApp::start().await;
    let (live, ready) = (app.get("/livez").await, app.get("/readyz").await);
    assert_eq!((live.status.as_u16(), live.body.as_str()), (200, "ok\n"));
    assert_eq!((ready.status.as_u16(), ready.body.as_str()), (200, "ready\n"));
    app.store().close().await;
    let (live, ready) = (app.get("/livez").await, app.get("/readyz").await);
    assert_eq!((live.status.as_u16(), live.body.as_str()), (200, "ok\n"));
    assert_eq!((ready.status.as_u16(), ready.body.as_str()), (503, "not ready\n"));
}

/// WB-19: a method is what the request line says.
#[tokio::test]
async fn unknown_methods_are_refused_and_overrides_ignored() {
    let app = TestApp::start().await;
    for (path, methods, allow) in [
        ("/token", &["GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "HEAD"][..], "POST,OPTIONS"),
        ("/introspect", &["GET", "PUT", "TRACE"], "POST,OPTIONS"),
        ("/revoke", &["GET", "DELETE", "TRACE"], "POST,OPTIONS"),
        ("/userinfo", &["PUT", "TRACE"], "GET,HEAD,POST,OPTIONS"),
        ("/.well-known/jwks.json", &["POST", "TRACE"], "GET,HEAD,OPTIONS"),
    ] {
        for method in methods {
            let reply = app.call(plain(method, path, &[])).await;
            assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, allow), "{method} {path}");
            if *method != "HEAD" {
                reply.assert_token_error(405, "invalid_request");
                assert_eq!(reply.header("content-length"), reply.body.len().to_string(), "{method} {path}");
            }
        }
    }
    for path in ["/login", "/consent", "/authorize", "/logout"] {
        for method in ["PUT", "TRACE", "BREW"] {
            app.call(plain(method, path, &[])).await.assert_page(405, None);
        }
    }
    assert_eq!(app.call(plain("CONNECT", "idp.test", &[])).await.status.as_u16(), 405);
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let reply = app.call(plain("GET", "/token", &[(name, "POST")])).await;
        assert_eq!(reply.status.as_u16(), 405);
        let form = [("grant_type", "client_credentials"), ("_method", "DELETE"), ("scope", "system/Patient.rs")];
        assert_eq!(app.token("bsc", &form).await.status.as_u16(), 200);
    }
}

/// WB-23: where the database is gone, everybody is told to come back, and nobody what is wrong.
#[tokio::test]
async fn a_fault_of_ours_tells_nothing_of_our_inside() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = consent_page(&mut browser).await;
    app.store().close().await;
    let landing = browser.approve(&page).await;
    landing.reply.assert_page(503, None);
    assert_eq!(landing.reply.header("retry-after"), "2");
    assert!(landing.reply.body.contains(landing.reply.header("x-request-id")), "a reference for support");
    let mut replies = vec![landing.reply];
    for (path, form) in [
        ("/token", &[("grant_type", "client_credentials"), ("scope", "system/Patient.rs")][..]),
        ("/introspect", &[("token", "x")]),
        ("/revoke", &[("token", "x")]),
    ] {
        let reply = app.as_client(path, "bsc", form).await;
        reply.assert_token_error(503, "temporarily_unavailable");
        assert_eq!(reply.header("retry-after"), "2");
        replies.push(reply);
    }
    for reply in &replies {
        let body = reply.body.to_lowercase();
        for inside in ["sql", "pool", "select", "panick", "src/", "/tmp", "/dev", "rust", "postgres", "database"] {
            assert!(!body.contains(inside), "{inside}: {body}");
        }
    }
    // The discovery documents need no database, and keys that are known serve on.
    assert_eq!(app.get("/.well-known/openid-configuration").await.status.as_u16(), 200);
    assert_eq!(app.get("/livez").await.status.as_u16(), 200);
}
