//! Whether an answer speaks of the token that was asked about.

use serde_json::{Map, Value};

use super::super::profile::audience;
use super::super::{Allowed, Context, Trust};

/// What is the same in the token and in the answer, wherever it stands in both. So is the context.
const SAME: &[&str] = &["iss", "sub", "jti", "tenant_id"];

/// A token that would be let in by its signature.
pub(in super::super) struct Proved<'a> {
    pub(in super::super) allowed: &'a Allowed,
    /// Who is trusted, and for what.
    pub(in super::super) trust: &'a Trust,
    /// What is passed on.
    pub(in super::super) context: &'a Context,
}

/// Whether the answer takes nothing back of what was proved by signature. What it has beyond that changes nothing; what it
/// leaves out, neither: RFC 7662 §2.2 asks for no member but `active`.
///
/// # Errors
/// The member in which they differ.
pub(in super::super) fn agrees<'a>(answer: &Map<String, Value>, proved: &Proved<'a>) -> Result<(), &'a str> {
    let claims = &proved.allowed.claims;
    if let Some(name) = SAME.iter().find(|name| answer.get(**name).zip(claims.all.get(**name)).is_some_and(|(said, own)| said != own)) {
        return Err(name);
    }
    if answer.get("client_id").is_some_and(|id| id.as_str() != claims.client.as_deref()) {
        return Err("client_id");
    }
    // A life that has been shortened, or scopes that have been taken away, since the token was made.
    if answer.get("exp").is_some_and(|end| end.as_i64().is_none_or(|end| end < claims.expires_at)) {
        return Err("exp");
    }
    if answer.get("scope").is_some_and(|scope| !has_all(scope, &claims.scope)) {
        return Err("scope");
    }
    // A server may name only those of several that concern whoever asks (RFC 7662 §4): this data store is one.
    let audience = audience(answer).map_err(|_| "aud")?;
    if !audience.is_empty() && !audience.iter().any(|one| proved.trust.is_audience(one, &proved.allowed.audience)) {
        return Err("aud");
    }
    // Whatever each calls the patient, it is the same one.
    let said = proved.context.of(answer, proved.trust.profile);
    let differs = |(name, own): &(&String, &Value)| said.get(*name).is_some_and(|said| said != *own);
    proved.allowed.context.iter().find(differs).map_or(Ok(()), |(name, _)| Err(name))
}

/// Whether all of these scopes are among those, which some servers give as a list.
fn has_all(those: &Value, these: &str) -> bool {
    these.split(' ').all(|own| match those {
        Value::String(text) => text.split(' ').any(|scope| scope == own),
        Value::Array(list) => list.iter().any(|scope| scope == own),
        _ => false,
    })
}

/// Whether the answer speaks of an access token that whoever holds it may use: refresh tokens and ID tokens can be
/// introspected as well. RFC 7662 has `token_type`; the others are words of servers that we know.
pub(in super::super) fn is_of_access_token(answer: &Map<String, Value>) -> bool {
    let says = |name: &str, right: &[&str]| {
        let is_right = |value: &Value| value.as_str().is_some_and(|text| right.iter().any(|word| word.eq_ignore_ascii_case(text)));
        answer.get(name).is_none_or(is_right)
    };
    says("token_type", &["bearer", "access_token"]) && says("token_use", &["access", "access_token"]) && says("typ", &["bearer"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Profile;
    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    /// Whether the answer agrees with a token for the data stores A and B, in the eyes of B. It passes on a department besides.
    fn verdict(answer: &Value) -> Result<(), String> {
        let all = json!({
            "iss": "https://idp.test", "sub": "u1", "azp": "app", "jti": "t1", "iat": 1000, "exp": 2000,
            "scope": "openid user/*.rs", "aud": ["https://a.test/r4", "https://b.test/r4"],
            "patient": "p1", "encounter": "e1", "fhirUser": "https://b.test/r4/Practitioner/1", "dept": ["x", "y"],
        });
        let claims = Profile::Generic.read(map(&all)).expect("claims");
        let context: Context = "department=dept".parse().expect("a list");
        let audience = "https://b.test/r4/".to_owned();
        let passed_on = context.of(&claims.all, Profile::Generic);
        let allowed = Allowed { audience, role: None, claims, context: passed_on, unconfirmed: false };
        let trust = Trust { audiences: vec!["api://b".to_owned()], ..Trust::new("https://idp.test", Profile::Generic, "") };
        agrees(&map(answer), &Proved { allowed: &allowed, trust: &trust, context: &context }).map_err(str::to_owned)
    }

    #[test]
    fn an_answer_may_leave_out_repeat_and_add() {
        for good in [
            json!({}),
            json!({ "iss": "https://idp.test", "sub": "u1", "client_id": "app", "jti": "t1", "patient": "p1" }),
            json!({ "exp": 2000, "scope": "user/*.rs openid" }),
            json!({ "scope": ["openid", "user/*.rs"] }),
            json!({ "exp": 3000, "scope": "openid user/*.rs user/*.cud", "tenant_id": "x", "username": "ada" }),
            json!({ "aud": "https://b.test/r4" }),
            json!({ "aud": "https://b.test/r4/" }),
            json!({ "aud": ["https://c.test/r4", "https://b.test/r4"] }),
            json!({ "aud": "api://b" }),
            json!({ "launch_response_patient": "Patient/p1", "encounter": "e1", "dept": ["x", "y"], "department": "other" }),
            json!({ "fhirUser": "https://b.test/r4/Practitioner/1", "email": "ada@idp.test" }),
        ] {
            assert_eq!(verdict(&good), Ok(()), "{good}");
        }
    }

    #[test]
    fn an_answer_may_take_nothing_back() {
        for (name, values) in [
            ("iss", vec![json!("https://evil.test"), json!(["https://idp.test"]), json!("https://idp.test/")]),
            ("sub", vec![json!("u2"), json!(""), json!(1)]),
            ("client_id", vec![json!("other"), json!(["app"]), json!("")]),
            ("jti", vec![json!("t2")]),
            ("encounter", vec![json!("e2"), json!(["e1"])]),
            ("fhirUser", vec![json!("https://b.test/r4/Practitioner/2"), json!("Practitioner/1")]),
            ("exp", vec![json!(1999), json!("2000"), json!(-1), json!(2000.5)]),
            ("scope", vec![json!("openid"), json!(""), json!("user/*.rs"), json!(["openid user/*.rs"]), json!([5]), json!(5)]),
            // The token is for A as well: the answer says that it is no longer for B.
            ("aud", vec![json!("https://a.test/r4"), json!(["https://a.test/r4", "https://c.test/r4"]), json!(5), json!([])]),
        ] {
            for value in values {
                let answer = Map::from_iter([(name.to_owned(), value.clone())]);
                assert_eq!(verdict(&Value::Object(answer)), Err(name.to_owned()), "{name}: {value}");
            }
        }
    }

    #[test]
    fn the_context_is_compared_as_it_is_passed_on() {
        for (answer, name) in [
            (json!({ "patient": "p2" }), "launch_response_patient"),
            (json!({ "patient": "p1", "launch_response_patient": "Patient/p2" }), "launch_response_patient"),
            (json!({ "launch_response_patient": "Patient/p2" }), "launch_response_patient"),
            (json!({ "launch_response_patient": "p1" }), "launch_response_patient"),
            (json!({ "patient": 5 }), "patient"),
            (json!({ "patient": "Patient/p1" }), "patient"),
            (json!({ "dept": ["x"] }), "department"),
        ] {
            assert_eq!(verdict(&answer), Err(name.to_owned()), "{answer}");
        }
    }

    #[test]
    fn other_kinds_of_tokens_are_known_by_their_words() {
        for good in [
            json!({}),
            json!({ "token_type": "Bearer" }),
            json!({ "token_type": "bearer", "typ": "Bearer" }),
            json!({ "token_type": "Bearer", "token_use": "access_token" }),
        ] {
            assert!(is_of_access_token(&map(&good)), "{good}");
        }
        for bad in [
            json!({ "token_type": "refresh_token" }),
            json!({ "token_type": "DPoP" }),
            json!({ "token_type": "Bearer", "token_use": "refresh_token" }),
            json!({ "token_use": "id" }),
            json!({ "typ": "Refresh" }),
            json!({ "typ": "ID" }),
            json!({ "token_type": ["Bearer"] }),
            json!({ "token_type": "" }),
        ] {
            assert!(!is_of_access_token(&map(&bad)), "{bad}");
        }
    }
}
