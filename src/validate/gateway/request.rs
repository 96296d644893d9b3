//! An event of API Gateway's: of which kind it is, what it is about, and the token in it.

use serde_json::Value;

use super::arn::Arn;
use crate::validate::{BearerToken, Refusal, after_bearer};

/// An event of API Gateway's.
pub(in crate::validate) struct Request<'a> {
    pub(super) kind: Kind,
    /// What is to be called; `None` where the event does not name it as API Gateway would.
    pub(super) arn: Option<Arn<'a>>,
    event: &'a Value,
}

/// The kinds of Lambda authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::validate) enum Kind {
    /// `TOKEN`, of a REST API.
    RestToken,
    /// `REQUEST`, of a REST API.
    RestRequest,
    /// Of an HTTP API, payload format 1.0.
    Http1,
    /// Of an HTTP API, payload format 2.0.
    Http2,
}

impl<'a> Request<'a> {
    /// `None` where the event is not of API Gateway's: it is HealthLake's then, or nobody's.
    pub(in crate::validate) fn of(event: &'a Value) -> Option<Self> {
        let kind = Kind::of(event)?;
        let arn = event.get(if kind == Kind::Http2 { "routeArn" } else { "methodArn" });
        Some(Self { kind, arn: arn.and_then(Value::as_str).and_then(Arn::parse), event })
    }

    /// The kind, as the log names it.
    pub(in crate::validate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::RestToken => "rest-token",
            Kind::RestRequest => "rest-request",
            Kind::Http1 => "http-1.0",
            Kind::Http2 => "http-2.0",
        }
    }

    /// The HTTP method: it is in the ARN, whatever the kind.
    pub(in crate::validate) fn method(&self) -> Option<&'a str> {
        self.arn.as_ref().and_then(|arn| arn.method)
    }

    /// The token. The header has to say `Bearer` (RFC 6750 §2.1).
    ///
    /// # Errors
    /// [`Refusal::NoToken`], also where there are several; [`crate::token::Rejection::TooLong`]
    pub(super) fn token(&self) -> Result<BearerToken, Refusal> {
        let value = match self.kind {
            Kind::RestToken => self.event.get("authorizationToken").and_then(Value::as_str),
            Kind::RestRequest => self.header()?,
            Kind::Http1 | Kind::Http2 => self.header_that_is_remembered()?,
        };
        let value = value.ok_or(Refusal::NoToken)?;
        if after_bearer(value).is_some() { BearerToken::read(value) } else { Err(Refusal::NoToken) }
    }

    /// The `Authorization` header, if there is one. A second one that says something else makes it anybody's guess which
    /// one the server behind would believe.
    fn header(&self) -> Result<Option<&'a str>, Refusal> {
        let named = |member: &str| {
            let headers = self.event.get(member).and_then(Value::as_object).into_iter().flatten();
            headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
        };
        let mut found = None;
        for value in named("headers").chain(named("multiValueHeaders").flat_map(each)) {
            let value = value.as_str().ok_or(Refusal::NoToken)?;
            if found.is_some_and(|earlier| earlier != value) {
                return Err(Refusal::NoToken);
            }
            found = Some(value);
        }
        Ok(found)
    }

    /// The header, or the identity source where there is one and no header. API Gateway remembers its answer under the
    /// identity sources: a header that is not among them would get the answer of another.
    fn header_that_is_remembered(&self) -> Result<Option<&'a str>, Refusal> {
        let sources: Vec<&str> = match self.event.get("identitySource") {
            None | Some(Value::Null) => vec![],
            // Format 1.0 joins them; there is no comma in a token.
            Some(Value::String(joined)) => joined.split(',').collect(),
            Some(list) => each(list).iter().map(|source| source.as_str().ok_or(Refusal::NoToken)).collect::<Result<_, _>>()?,
        };
        match (self.header()?, sources.as_slice()) {
            (Some(value), sources) if sources.is_empty() || sources.contains(&value) => Ok(Some(value)),
            (None, [only]) => Ok(Some(only)),
            (None, []) => Ok(None),
            _ => Err(Refusal::NoToken),
        }
    }
}

impl Kind {
    fn of(event: &Value) -> Option<Self> {
        let has = |name: &str| event.get(name).is_some();
        let says = |name: &str, text: &str| event.get(name).is_some_and(|value| value == text);
        if has("bearerToken") && has("datastoreEndpoint") {
            None
        } else if says("version", "2.0") && has("routeArn") {
            Some(Self::Http2)
        } else if says("type", "TOKEN") {
            Some(Self::RestToken)
        } else if says("type", "REQUEST") && has("methodArn") {
            // Only HTTP APIs number their payloads.
            Some(if says("version", "1.0") { Self::Http1 } else { Self::RestRequest })
        } else {
            None
        }
    }
}

fn each(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/Patient/1";

    fn kind(event: &Value) -> Option<Kind> {
        Request::of(event).map(|request| request.kind)
    }

    fn token(event: &Value) -> Result<String, Refusal> {
        Request::of(event).expect("an event of API Gateway's").token().map(|token| token.expose().to_owned())
    }

    #[test]
    fn the_events_shape_tells_its_kind() {
        for (event, expected) in [
            (json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer x" }), Some(Kind::RestToken)),
            (json!({ "type": "TOKEN" }), Some(Kind::RestToken)),
            (json!({ "type": "REQUEST", "methodArn": ARN }), Some(Kind::RestRequest)),
            (json!({ "type": "REQUEST", "methodArn": ARN, "version": "1.0" }), Some(Kind::Http1)),
            (json!({ "type": "REQUEST", "routeArn": ARN, "version": "2.0" }), Some(Kind::Http2)),
            (json!({ "bearerToken": "x", "datastoreEndpoint": "y", "type": "TOKEN", "methodArn": ARN }), None),
            (json!({ "type": "REQUEST" }), None),
            (json!({ "type": "REQUEST", "routeArn": ARN, "version": "3.0" }), None),
            (json!({ "type": "token" }), None),
            (json!({ "type": ["TOKEN"] }), None),
            (json!({ "version": 2.0, "routeArn": ARN }), None),
            (json!({}), None),
            (json!([{ "type": "TOKEN" }]), None),
            (json!(null), None),
            (json!("TOKEN"), None),
        ] {
            assert_eq!(kind(&event), expected, "{event}");
        }
    }

    #[test]
    fn only_a_bearer_header_holds_a_token() {
        let of = |value: Value| token(&json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": value }));
        for good in ["Bearer x.y.z", "bearer x.y.z", "BEARER x.y.z"] {
            assert_eq!(of(json!(good)).as_deref(), Ok("x.y.z"), "{good}");
        }
        for bad in [
            json!("x.y.z"),
            json!("Basic x.y.z"),
            json!("DPoP x.y.z"),
            json!("Bearer"),
            json!("Bearer "),
            json!("Bearer  x.y.z"),
            json!(" Bearer x.y.z"),
            json!("Bearer\tx.y.z"),
            json!("Bearer x.y.z, Bearer a.b.c"),
            json!("Bearer x.y.z,Basic a"),
            json!("Bearerx.y.z"),
            json!(""),
            json!(null),
            json!(5),
            json!(["Bearer x.y.z"]),
        ] {
            assert_eq!(of(bad.clone()), Err(Refusal::NoToken), "{bad}");
        }
        assert_eq!(token(&json!({ "type": "TOKEN" })), Err(Refusal::NoToken));
    }

    #[test]
    fn a_header_has_one_value_or_none() {
        let of = |headers: Value, many: Value| {
            token(&json!({ "type": "REQUEST", "methodArn": ARN, "headers": headers, "multiValueHeaders": many }))
        };
        for (headers, many) in [
            (json!({ "Authorization": "Bearer x" }), json!(null)),
            (json!({ "authorization": "Bearer x", "Accept": "*/*" }), json!({ "AUTHORIZATION": ["Bearer x", "Bearer x"] })),
            (json!(null), json!({ "Authorization": ["Bearer x"] })),
            (json!({}), json!({ "Authorization": "Bearer x" })),
        ] {
            assert_eq!(of(headers.clone(), many.clone()).as_deref(), Ok("x"), "{headers} {many}");
        }
        for (headers, many) in [
            (json!({ "Authorization": "Bearer x", "authorization": "Bearer y" }), json!(null)),
            (json!({ "Authorization": "Bearer x" }), json!({ "Authorization": ["Bearer y"] })),
            (json!({ "Authorization": "Bearer x" }), json!({ "Authorization": ["Bearer x", "Basic y"] })),
            (json!({ "Authorization": "Bearer x" }), json!({ "authorization": ["Bearer x", null] })),
            (json!({ "Authorization": ["Bearer x"] }), json!(null)),
            (json!({ "Authorization": null }), json!(null)),
            (json!({ "X-Authorization": "Bearer x" }), json!(null)),
            (json!({ "Authorization ": "Bearer x" }), json!(null)),
            (json!(["Authorization", "Bearer x"]), json!(null)),
            (json!({}), json!({ "Authorization": [] })),
            (json!(null), json!(null)),
        ] {
            assert_eq!(of(headers.clone(), many.clone()), Err(Refusal::NoToken), "{headers} {many}");
        }
    }

    /// What API Gateway keeps an answer under has to hold the token that the answer is about.
    #[test]
    fn a_header_has_to_be_among_the_identity_sources() {
        let of = |version: &str, headers: Value, sources: Value| {
            let arn = if version == "2.0" { "routeArn" } else { "methodArn" };
            token(&json!({ "version": version, "type": "REQUEST", arn: ARN, "headers": headers, "identitySource": sources }))
        };
        let header = json!({ "authorization": "Bearer x" });
        for (version, headers, sources) in [
            ("2.0", &header, json!(["Bearer x"])),
            ("2.0", &header, json!(["GET /Patient", "Bearer x"])),
            ("2.0", &header, json!([])), // nothing is remembered
            ("2.0", &header, json!(null)),
            ("2.0", &json!({}), json!(["Bearer x"])),
            ("1.0", &header, json!("Bearer x")),
            ("1.0", &header, json!("GET /Patient,Bearer x")),
            ("1.0", &header, json!(null)),
            ("1.0", &json!({}), json!("Bearer x")),
        ] {
            assert_eq!(of(version, headers.clone(), sources.clone()).as_deref(), Ok("x"), "{version} {headers} {sources}");
        }
        for (version, headers, sources) in [
            ("2.0", &header, json!(["Bearer y"])),
            ("2.0", &header, json!(["bearer x"])),
            ("2.0", &header, json!([["Bearer x"]])),
            ("2.0", &header, json!({ "authorization": "Bearer x" })),
            ("2.0", &json!({}), json!(["Bearer x", "Bearer y"])),
            ("2.0", &json!({}), json!(["x"])),
            ("2.0", &json!({}), json!([])),
            ("2.0", &json!({ "authorization": "Bearer x,Bearer x" }), json!(["Bearer x,Bearer x"])),
            ("1.0", &header, json!("Bearer y")),
            ("1.0", &header, json!("Bearer xy")),
            ("1.0", &header, json!("")),
            ("1.0", &json!({}), json!("Bearer x,Bearer y")),
        ] {
            assert_eq!(of(version, headers.clone(), sources.clone()), Err(Refusal::NoToken), "{version} {headers} {sources}");
        }
    }
}
