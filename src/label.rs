//! Texts that people come to read or compare: names of apps and persons, and addresses.

use crate::redirect::RedirectUri;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// A name that a person sees on a page. Control characters and direction overrides could make it
/// look like another.
///
/// # Errors
/// A sentence that says what to change.
pub fn name(text: &str) -> Result<String, String> {
    if text.contains(is_deceptive) {
        return Err("it must not have control characters, or characters that change the direction of writing".to_owned());
    }
    let text = text.trim();
    if text.is_empty() {
        return Err("it must not be empty".to_owned());
    }
    if text.chars().count() > MAX_NAME {
        return Err(format!("it must have at most {MAX_NAME} characters"));
    }
    Ok(text.to_owned())
}

/// Control characters, line and paragraph separators, and what embeds, isolates or overrides a
/// direction (Unicode UAX #9, explicit formatting). The marks U+200E and U+200F are harmless and
/// stand in real names.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An absolute https URL that can be compared byte for byte; plain http for this machine alone.
///
/// # Errors
/// A sentence that says what to change.
pub fn address(text: &str) -> Result<String, String> {
    if text.contains('?') {
        return Err("it must not have a query (?…)".to_owned());
    }
    link(text)
}

/// The same, with or without a query.
///
/// # Errors
/// A sentence that says what to change.
pub fn link(text: &str) -> Result<String, String> {
    if !text.starts_with("https://") && !text.starts_with("http://") {
        return Err("it must be an absolute https:// URL".to_owned());
    }
    RedirectUri::register(text).map(|uri| uri.as_str().to_owned()).map_err(|bad| bad.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_look_like_another() {
        for bad in ["", "  ", "a\nb", "a\u{202e}b", "a\u{2067}b", "a\0", "a\u{1b}[1m", "\u{2028}x"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(name(&"ü".repeat(200)).is_ok() && name(&"ü".repeat(201)).is_err());
        assert_eq!(name(" Growth chart ").as_deref(), Ok("Growth chart"));
    }

    /// WB-08
    #[test]
    fn a_link_leads_to_a_web_page_and_nowhere_else() {
        assert!(link("https://app.test/privacy?lang=en").is_ok());
        for bad in
            ["javascript:alert(1)", "http://app.test", "data:text/html,x", "https://u:p@app.test", "//app.test", "https://a.test/\"x", ""]
        {
            assert!(link(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_https_or_loopback_and_plain() {
        for good in ["https://fhir.test/r4", "https://fhir.test/r4/", "http://127.0.0.1:8090/fhir", "http://localhost/r4"] {
            assert_eq!(address(good).as_deref(), Ok(good));
        }
        for bad in [
            "http://fhir.test/r4",
            "https://fhir.test/r4?x=1",
            "https://fhir.test/r4#x",
            "https://FHIR.test/r4",
            "https://u:p@fhir.test",
            "fhir.test/r4",
            "ftp://fhir.test",
            "com.example.app:/r4",
            "https://fhir.test:443/r4",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
