//! Form parameters, read strictly: twice is an error, empty is absent, and nothing is repaired.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};

/// The most parameters in one request.
const MAX_PARAMS: usize = 100;
/// The most in a form of boxes that can be ticked: there may be several for each scope of a request.
const MAX_BOXES: usize = 500;
/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// The parameters of a request, in order.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, Result<String, Malformed>)>);

/// A value that is not UTF-8, is badly percent-encoded, or holds a NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Malformed;

/// What is wrong with one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadParam {
    /// RFC 6749 §3.1: "parameters MUST NOT be included more than once".
    #[error("the parameter {0} was given twice")]
    Twice(&'static str),
    /// Not UTF-8, badly percent-encoded, or with a NUL.
    #[error("the parameter {0} is not properly encoded")]
    Malformed(&'static str),
}

/// What is wrong with the request as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadForm {
    /// Any content type but `application/x-www-form-urlencoded` in UTF-8.
    #[error("the body must be application/x-www-form-urlencoded")]
    ContentType,
    /// More than [`MAX_BODY`].
    #[error("the body is too large")]
    TooLarge,
    /// More parameters than any form of ours has.
    #[error("there are too many parameters")]
    TooMany,
    /// The connection broke.
    #[error("the body broke off")]
    BrokeOff,
}

impl Params {
    /// Reads a query, or the body of a form.
    ///
    /// # Errors
    /// [`BadForm::TooMany`]
    pub fn parse(encoded: &[u8]) -> Result<Self, BadForm> {
        Self::parse_at_most(encoded, MAX_PARAMS)
    }

    fn parse_at_most(encoded: &[u8], most: usize) -> Result<Self, BadForm> {
        let mut params = Vec::new();
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if params.len() == most {
                return Err(BadForm::TooMany);
            }
            let split = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (&pair[..split], pair.get(split + 1..).unwrap_or_default());
            // A name that cannot be read is not one that we know, and what we do not know we ignore.
            if let Ok(name) = decode(name) {
                params.push((name, decode(value)));
            }
        }
        Ok(Self(params))
    }

    /// Reads the body of a form.
    ///
    /// # Errors
    /// [`BadForm`]
    pub async fn from_body(request: Request<Body>) -> Result<Self, BadForm> {
        Self::from_body_at_most(request, MAX_PARAMS).await
    }

    /// Reads the body of a form that is mostly boxes to be ticked.
    ///
    /// # Errors
    /// [`BadForm`]
    pub async fn from_boxes(request: Request<Body>) -> Result<Self, BadForm> {
        Self::from_body_at_most(request, MAX_BOXES).await
    }

    async fn from_body_at_most(request: Request<Body>, most: usize) -> Result<Self, BadForm> {
        if !is_form(request.headers()) {
            return Err(BadForm::ContentType);
        }
        Self::parse_at_most(&read_body(request.into_body()).await?, most)
    }

    /// The one value of a parameter. RFC 6749 §3.1: without a value it counts as absent.
    ///
    /// # Errors
    /// [`BadParam`]
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, BadParam> {
        let mut values = self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(BadParam::Twice(name)),
            (Some(Err(Malformed)), None) => Err(BadParam::Malformed(name)),
            (Some(Ok(value)), None) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            (None, None) => Ok(None),
        }
    }

    /// Every value of a parameter that may be repeated, such as the ticked boxes of a form.
    ///
    /// # Errors
    /// [`BadParam::Malformed`]
    pub fn all(&self, name: &'static str) -> Result<Vec<&str>, BadParam> {
        let values = self.0.iter().filter(|(own, _)| own == name);
        values.map(|(_, value)| value.as_deref().map_err(|_| BadParam::Malformed(name))).collect()
    }
}

/// Reads a body to its end, whatever it is.
///
/// # Errors
/// [`BadForm::TooLarge`], [`BadForm::BrokeOff`]
pub async fn read_body(body: Body) -> Result<Bytes, BadForm> {
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error).is_some_and(|source| source.to_string().contains("limit"));
        if is_limit { BadForm::TooLarge } else { BadForm::BrokeOff }
    })
}

/// Percent-decoding that repairs nothing: `%` is followed by two hex digits, the result is UTF-8.
fn decode(encoded: &[u8]) -> Result<String, Malformed> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16)).and_then(|value| u8::try_from(value).ok());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(Malformed),
            },
            other => *other,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| Malformed)?;
    if text.contains('\0') { Err(Malformed) } else { Ok(text) }
}

/// WB-20: the type is compared without regard to case, its only parameter may be `charset=utf-8`.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        && parts.filter(|part| !part.is_empty()).all(|part| {
            let part = part.to_ascii_lowercase().replace('"', "");
            part == "charset=utf-8" || part == "charset=utf8"
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(encoded: &str) -> Params {
        Params::parse(encoded.as_bytes()).expect("few parameters")
    }

    #[test]
    fn twice_is_an_error_and_empty_is_absent() {
        let params = params("a=1&b=&c=1&c=2&&d&e=x+y%20%C3%A9");
        assert_eq!(params.get("a"), Ok(Some("1")));
        assert_eq!(params.get("b"), Ok(None));
        assert_eq!(params.get("c"), Err(BadParam::Twice("c")));
        assert_eq!(params.get("d"), Ok(None));
        assert_eq!(params.get("e"), Ok(Some("x y é")));
        assert_eq!(params.all("c"), Ok(vec!["1", "2"]));
    }

    #[test]
    fn what_is_badly_encoded_is_not_repaired() {
        for bad in ["a=%ff", "a=%zz", "a=%4", "a=%", "a=%00", "a=%c3"] {
            assert_eq!(params(bad).get("a"), Err(BadParam::Malformed("a")), "{bad}");
        }
    }

    #[test]
    fn there_is_a_limit_to_parameters() {
        assert!(Params::parse("a=1&".repeat(100).as_bytes()).is_ok());
        assert_eq!(Params::parse("a=1&".repeat(101).as_bytes()).err(), Some(BadForm::TooMany));
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(value in "[^\0]{1,40}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
            let form = format!("a={encoded}");
            let params = params(&form);
            prop_assert_eq!(params.get("a"), Ok(Some(value.as_str())));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Params::parse(&bytes).map(|params| params.get("a").map(|value| value.map(str::len)));
        }
    }
}
