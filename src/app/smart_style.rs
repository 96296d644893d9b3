//! The look of our pages, for apps that want to look alike (SMART App Launch 2.2, "SMART App
//! Styling"). It is read from the style sheet, so that the two cannot differ.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::App;
use super::pages::STYLE;
use crate::secret::Digest;

static JSON: LazyLock<String> = LazyLock::new(|| {
    let font = between("font: 100%/1.5 ", ";");
    json!({
        "color_background": between("--page: ", ";"),
        "color_error": between("--bad: ", ";"),
        "color_highlight": between("--act: ", ";"),
        "color_success": between("--good: ", ";"),
        "color_text": between("--ink: ", ";"),
        "dim_border_radius": "8px",
        "dim_font_size": "16px",
        "dim_spacing_size": "16px",
        "font_family_body": font,
        "font_family_heading": font,
    })
    .to_string()
});

/// Another content has another name: the standard asks for that, and it can be cached for ever.
static NAME: LazyLock<String> = LazyLock::new(|| format!("{}.json", &Digest::of(&JSON).as_str()[..22]));

/// What stands in the style sheet after `before`, where that comes first: in the light colours.
fn between(before: &str, after: &str) -> &'static str {
    STYLE.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map_or("", |(value, _)| value)
}

/// The URL of the style, at this issuer.
#[must_use]
pub fn smart_style_url(issuer: &str) -> String {
    format!("{issuer}/style/{}", *NAME)
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/style/{name}", get(style))
}

/// The style, for whoever asks, from whatever origin.
async fn style(Path(name): Path<String>) -> Response {
    if name != *NAME {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, JSON.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_style_sheet_has_every_value() {
        let style: Value = serde_json::from_str(&JSON).expect("JSON");
        for (name, value) in style.as_object().expect("an object") {
            assert!(value.as_str().is_some_and(|value| !value.is_empty()), "{name}");
            assert!(!name.starts_with("color_") || value.as_str().is_some_and(|value| value.starts_with('#')), "{name}: {value}");
        }
        assert!(style["font_family_body"].as_str().is_some_and(|font| font.contains("system-ui")));
    }
}
