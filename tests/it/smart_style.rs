//! The look of our pages, for apps (SMART App Launch 2.2, "SMART App Styling").

use serde_json::json;

use crate::support::TestApp;
use crate::support::ask::Ask;

/// `context-style`: the URL of a token response leads to JSON that any origin may read and keep for ever.
#[tokio::test]
async fn an_app_can_fetch_the_style_that_it_is_told_of() {
    let app = TestApp::with_ehr().await;
    let mut browser = app.browser();
    browser.sign_in("dr.a").await;
    let landing = browser.ask(&Ask::launched("clinic", &app.launch("clinic", "p1").await)).await;
    let tokens = app.tokens_of("clinic", &landing).await;
    let url = tokens["smart_style_url"].as_str().expect("a URL");
    let reply = app.get(url.strip_prefix("https://idp.test").expect("one of ours")).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
    let style = reply.json();
    let sheet = app.get("/static/admit.css").await.body;
    for (name, variable) in [("color_background", "--page"), ("color_text", "--ink"), ("color_error", "--bad")] {
        assert!(sheet.contains(&format!("{variable}: {};", style[name].as_str().expect("a colour"))), "{name}");
    }
    assert_eq!(style["dim_font_size"], json!("16px"));

    // The name is a digest of the content: no other name is known.
    let other = app.get("/style/AAAAAAAAAAAAAAAAAAAAAA.json").await;
    assert_eq!((other.status.as_u16(), other.header("content-type")), (404, "application/json"));
}
