//! A token taken apart, for looking at. What is odd is told, and only what cannot be read is an error.

use serde_json::{Map, Value};

use super::kind::Kind;
use crate::token::{Algorithm, HEADER_MEMBERS, MAX_TOKEN_BYTES, from_base64url, json};
use crate::validate::after_bearer;

/// What a token says. None of it is proved.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) kind: Kind,
    /// None where the token is opaque.
    pub(super) header: Option<Map<String, Value>>,
    /// None where the token is opaque or encrypted.
    pub(super) claims: Option<Map<String, Value>>,
    /// What somebody should know who wonders why it is refused.
    pub(super) warnings: Vec<String>,
}

impl Content {
    /// Reads a token, whatever it is. `now` is in Unix seconds.
    ///
    /// # Errors
    /// Says which part cannot be read, and why; it holds nothing of the token.
    pub(super) fn read(text: &str, now: i64) -> Result<Self, String> {
        let token = after_bearer(text).unwrap_or(text);
        if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("there is white space in it. Was it broken over several lines, or is there more than one?".to_owned());
        }
        let parts: Vec<&str> = token.split('.').collect();
        let mut content = match parts.as_slice() {
            [header, payload, signature] => Self::signed(header, payload, signature, now)?,
            [header, _, _, _, _] => Self::encrypted(header)?,
            // `{"` in base64url: a header begins so, and a random text hardly.
            _ if token.starts_with("eyJ") => {
                return Err(format!("it begins like a JWT, which has three parts, but has {}. Was it cut off?", parts.len()));
            }
            _ => Self { kind: Kind::of_opaque(token), header: None, claims: None, warnings: vec![] },
        };
        if token.len() > MAX_TOKEN_BYTES {
            content.warn(format!("it has {} bytes: Admit's validator reads {MAX_TOKEN_BYTES} at most", token.len()));
        }
        Ok(content)
    }

    /// RFC 7515 §7.1
    fn signed(header: &str, payload: &str, signature: &str, now: i64) -> Result<Self, String> {
        let (header, is_header_unique) = object(header, "header")?;
        let (claims, are_claims_unique) = object(payload, "payload")?;
        let mut content = Self { kind: Kind::of_jwt(&header, &claims), header: None, claims: None, warnings: vec![] };
        content.look_at_header(&header);
        for (is_unique, part) in [(is_header_unique, "header"), (are_claims_unique, "payload")] {
            if !is_unique {
                content.warn(format!("a name stands twice in its {part}: readers may disagree on which one counts, and Admit refuses it"));
            }
        }
        match from_base64url(signature) {
            None => content.warn("its signature is not base64url".to_owned()),
            Some(bytes) if bytes.is_empty() => content.warn("it has no signature".to_owned()),
            Some(_) => {}
        }
        content.look_at_times(&claims, now);
        content.warnings.extend(content.kind.warning().map(str::to_owned));
        Ok(Self { header: Some(header), claims: Some(claims), ..content })
    }

    /// RFC 7516 §7.1
    fn encrypted(header: &str) -> Result<Self, String> {
        let (header, _) = object(header, "header")?;
        let warnings = Kind::Encrypted.warning().map(str::to_owned).into_iter().collect();
        Ok(Self { kind: Kind::Encrypted, header: Some(header), claims: None, warnings })
    }

    fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn look_at_header(&mut self, header: &Map<String, Value>) {
        for name in header.keys().filter(|name| !HEADER_MEMBERS.contains(&name.as_str())) {
            let why = match name.as_str() {
                "jku" | "x5u" | "jwk" | "x5c" => "the token would choose its own key",
                "crit" => "it changes how the token is to be read",
                "b64" | "zip" => "it changes what is signed",
                _ => "Admit knows no use for it",
            };
            self.warn(format!("its header has {name:?}, which is not allowed: {why}"));
        }
        match header.get("alg").and_then(Value::as_str) {
            None => self.warn("its header names no algorithm (alg)".to_owned()),
            Some(none) if none.eq_ignore_ascii_case("none") => self.warn("alg is none: it is not signed, and never accepted".to_owned()),
            Some(shared) if shared.starts_with("HS") => {
                self.warn(format!("alg is {shared}: whoever can check it can also make it, so that it is never accepted"));
            }
            Some(other) if other.parse::<Algorithm>().is_err() => {
                self.warn(format!("alg is {other}, which Admit's validator does not know"));
            }
            Some(_) => {}
        }
        if header.get("kid").and_then(Value::as_str).is_none_or(str::is_empty) {
            self.warn("its header names no key (kid): Admit's validator does not try one key after another".to_owned());
        }
    }

    fn look_at_times(&mut self, claims: &Map<String, Value>, now: i64) {
        let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
        match (claims.get("exp"), seconds("exp")) {
            (None, _) => self.warn("it never expires (no exp)".to_owned()),
            (Some(_), None) => self.warn("exp is not a time in whole seconds".to_owned()),
            (_, Some(end)) if end <= now => self.warn("it has expired".to_owned()),
            _ => {}
        }
        if seconds("nbf").max(seconds("iat")).is_some_and(|start| start > now) {
            self.warn("it is not valid yet".to_owned());
        }
    }
}

/// One part as a JSON object, and whether every name in it stands once.
fn object(part: &str, name: &str) -> Result<(Map<String, Value>, bool), String> {
    let bytes = from_base64url(part).ok_or_else(|| {
        let hint = if part.contains(['+', '/', '=']) { "it has +, / or =, as plain base64 does" } else { "was it cut off or changed?" };
        format!("its {name} is not base64url: {hint}")
    })?;
    if let Some(members) = json::object(&bytes) {
        return Ok((members, true));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok((members, false)),
        Ok(_) => Err(format!("its {name} is JSON, but no object")),
        Err(_) => Err(format!("its {name} is not JSON")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::token::base64url;

    const NOW: i64 = 1_795_348_800;

    fn jwt(header: &Value, claims: &Value) -> String {
        format!("{}.{}.c2ln", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
    }

    fn warnings(header: &Value, claims: &Value) -> String {
        Content::read(&jwt(header, claims), NOW).expect("a token").warnings.join("; ")
    }

    #[test]
    fn an_honest_token_gets_no_warning() {
        let header = json!({ "alg": "ES256", "kid": "k", "typ": "at+jwt" });
        let claims = json!({ "exp": NOW + 600, "iat": NOW, "nbf": NOW, "scope": "patient/*.rs" });
        let content = Content::read(&format!("Bearer {}", jwt(&header, &claims)), NOW).expect("a token");
        assert_eq!((content.kind, content.warnings), (Kind::AccessToken, vec![]));
        assert_eq!((content.header.map(Value::Object), content.claims.map(Value::Object)), (Some(header), Some(claims)));
    }

    #[test]
    fn what_the_validator_refuses_is_warned_of() {
        let good = json!({ "alg": "ES256", "kid": "k", "typ": "at+jwt" });
        let live = json!({ "exp": NOW + 600, "scope": "x" });
        for (name, value, warning) in [
            ("crit", json!(["x"]), "\"crit\", which is not allowed: it changes how"),
            ("jku", json!("https://evil.test"), "\"jku\", which is not allowed: the token would choose"),
            ("jwk", json!({}), "\"jwk\""),
            ("x5u", json!(""), "\"x5u\""),
            ("x5c", json!([]), "\"x5c\""),
            ("b64", json!(false), "\"b64\""),
            ("zip", json!("DEF"), "\"zip\""),
            ("cty", json!("JWT"), "\"cty\""),
            ("alg", json!("none"), "not signed"),
            ("alg", json!("HS256"), "whoever can check it"),
            ("alg", json!("XY"), "does not know"),
            ("alg", json!(7), "no algorithm"),
            ("kid", json!(""), "no key"),
        ] {
            let mut header = good.clone();
            header[name] = value;
            assert!(warnings(&header, &live).contains(warning), "{name}: {}", warnings(&header, &live));
        }
        for (claims, warning) in [
            (json!({}), "never expires"),
            (json!({ "exp": "tomorrow" }), "whole seconds"),
            (json!({ "exp": NOW }), "has expired"),
            (json!({ "exp": NOW + 9, "nbf": NOW + 1 }), "not valid yet"),
            (json!({ "exp": NOW + 9, "iat": NOW + 1 }), "not valid yet"),
            (json!({ "exp": NOW + 9, "nonce": "n" }), "for the app that asked for it"),
        ] {
            let header = json!({ "alg": "ES256", "kid": "k" });
            assert!(warnings(&header, &claims).contains(warning), "{claims}: {}", warnings(&header, &claims));
        }
        let twice = format!("{}.{}.", base64url(br#"{"alg":"ES256","kid":"a","kid":"b"}"#), base64url(b"{\"exp\":1,\"exp\":2}"));
        let warnings = Content::read(&twice, NOW).expect("a token").warnings.join("; ");
        assert!(warnings.contains("twice in its header") && warnings.contains("twice in its payload") && warnings.contains("no signature"));
        let long = jwt(&good, &json!({ "exp": NOW + 9, "scope": "x".repeat(9000) }));
        assert!(Content::read(&long, NOW).expect("a token").warnings[0].contains("8192 at most"));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_part() {
        let header = base64url(br#"{"alg":"ES256"}"#);
        for (token, why) in [
            (format!("{header}.{header}"), "has 2. Was it cut off?"),
            (header.clone(), "has 1. Was it cut off?"),
            (format!("{header}.e30\n.x"), "white space"),
            (format!("{header}.e30=.x"), "payload is not base64url: it has +, / or ="),
            (format!("{header}.e3.x"), "payload is not base64url: was it cut off"),
            (format!("{header}.bm8.x"), "payload is not JSON"),
            (format!("{header}.W10.x"), "payload is JSON, but no object"),
            ("..".to_owned(), "header is not JSON"),
            ("é.e30.x".to_owned(), "header is not base64url"),
            ("a.b.c.d.e".to_owned(), "header is not base64url"),
            (format!("{}.e30.x", base64url("[".repeat(100_000).as_bytes())), "header is not JSON"),
            (format!("{}.e30.x", base64url(&[0xff, 0xfe])), "header is not JSON"),
        ] {
            let error = Content::read(&token, NOW).expect_err("no token");
            assert!(error.contains(why), "{error}, not {why}");
        }
    }

    #[test]
    fn opaque_and_encrypted_tokens_are_told_apart() {
        for opaque in ["ory_at_synthetic.value", "0123456789abcdef", "sr_synthetic", "é", "a.b.c.d"] {
            let content = Content::read(opaque, NOW).expect("a token");
            assert!(content.header.is_none() && content.claims.is_none(), "{opaque}");
        }
        let sealed = Content::read(&format!("{}.a.b.c.d", base64url(br#"{"enc":"A256GCM"}"#)), NOW).expect("a token");
        assert!(sealed.kind == Kind::Encrypted && sealed.header.is_some() && sealed.claims.is_none());
    }

    proptest! {
        /// Whatever it is, there is an answer, and an error repeats none of it.
        #[test]
        fn anything_may_be_looked_at(text in "\\PC{0,40}", parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let _ = Content::read(&text, NOW);
            let token: Vec<String> = parts.iter().map(|part| base64url(part)).collect();
            let token = token.join(".");
            if let Err(error) = Content::read(&token, NOW) {
                prop_assert!(token.len() < 20 || !error.contains(&token));
            }
        }

        #[test]
        fn any_header_and_any_claims_may_be_looked_at(
            header in prop::collection::btree_map("alg|kid|typ|crit|[a-z]{1,4}", ".{0,9}", 0..5),
            claims in prop::collection::btree_map("exp|nbf|iat|aud|sub|iss|scope|nonce|typ", any::<i64>(), 0..7),
        ) {
            let content = Content::read(&jwt(&json!(header), &json!(claims)), NOW);
            prop_assert!(content.is_ok());
        }
    }
}
