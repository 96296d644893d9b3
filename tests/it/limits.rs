//! Too much of something, or the wrong kind of it.

use axum::body::Body;
use axum::http::{HeaderValue, Request};

use crate::support::visit::plain;
use crate::support::{TestApp, encode};

/// WB-13: too large is 413, in the caller's own format, announced or not.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let app = TestApp::start().await;
    for size in [64 * 1024 + 1, 3 << 20] {
        let body = format!("grant_type=refresh_token&x={}", "x".repeat(size - 27));
        for path in ["/token", "/introspect", "/revoke", "/userinfo", "/authorize", "/login"] {
            for announced in [true, false] {
                let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
                if announced {
                    request = request.header("content-length", body.len());
                }
                let reply = app.call(request.body(Body::from(body.clone())).expect("a request")).await;
                if path.ends_with("authorize") {
                    reply.assert_page(413, None);
                } else if path == "/login" {
                    // Without a flow nobody reads the body at all.
                    reply.assert_page(if announced { 413 } else { 400 }, None);
                } else {
                    reply.assert_token_error(413, "invalid_request");
                }
            }
        }
    }
    let exact = format!("grant_type=refresh_token&client_id=spa&refresh_token={}", "x".repeat(64 * 1024 - 53));
    assert_eq!(exact.len(), 64 * 1024);
    let request =
        Request::post("/token").header("content-type", "application/x-www-form-urlencoded").body(Body::from(exact)).expect("a request");
    app.call(request).await.assert_token_error(400, "invalid_grant");
}

/// WB-17: floods of parameters, headers and path.
#[tokio::test]
async fn too_many_of_anything_is_refused_quickly() {
    let app = TestApp::start().await;
    let many = "a=1&".repeat(10_000);
    for (path, is_page) in [("/token", false), ("/introspect", false), ("/revoke", false), ("/userinfo", false), ("/authorize", true)] {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded").body(Body::from(many.clone()));
        let reply = app.call(request.expect("a request")).await;
        if is_page { reply.assert_page(400, Some("invalid_request")) } else { reply.assert_token_error(400, "invalid_request") }
    }
    app.get(&format!("/authorize?{}", "a=1&".repeat(101))).await.assert_page(400, Some("invalid_request"));
    let mut request = plain("POST", "/token", &[]);
    for n in 0..1000 {
        request.headers_mut().append("x-many", HeaderValue::from(n));
    }
    app.call(request).await.assert_token_error(431, "invalid_request");
    app.get(&format!("/.well-known/{}", "x/".repeat(5000))).await.assert_token_error(414, "invalid_request");
    app.get(&format!("/{}", "x/".repeat(5000))).await.assert_page(414, None);
    app.get(&format!("/{}", "x/".repeat(3000))).await.assert_page(404, None);
}

/// WB-20: one content type, in UTF-8, however it is capitalised.
#[tokio::test]
async fn only_forms_are_read() {
    let app = TestApp::start().await;
    let send = |kinds: &'static [&'static str]| {
        let body = encode(&[("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", "x")]);
        let mut request = Request::post("/token");
        for kind in kinds {
            request = request.header("content-type", *kind);
        }
        app.call(request.body(Body::from(body)).expect("a request"))
    };
    for good in [
        &["application/x-www-form-urlencoded"][..],
        &["APPLICATION/X-WWW-Form-Urlencoded"],
        &["application/x-www-form-urlencoded; charset=utf-8"],
        &["application/x-www-form-urlencoded;charset=\"UTF-8\""],
        &["application/x-www-form-urlencoded ; charset=UTF-8"],
    ] {
        send(good).await.assert_token_error(400, "invalid_grant");
    }
    for bad in [
        &[][..],
        &["application/x-www-form-urlencodedX"],
        &["application/x-www-form-urlencoded; charset=utf-7"],
        &["application/x-www-form-urlencoded; charset=iso-8859-1"],
        &["application/x-www-form-urlencoded; boundary=x"],
        &["application/x-www-form-urlencoded, application/json"],
        &["application/x-www-form-urlencoded", "application/json"],
        &["application/json"],
        &["text/plain"],
        &["multipart/form-data; boundary=x"],
        &[""],
    ] {
        send(bad).await.assert_token_error(400, "invalid_request");
    }
}
