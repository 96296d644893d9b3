//! Who sits at a browser: its session cookie, and whether a form came from a page of ours.

use axum::http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq as _;

use super::App;
use crate::audit::Origin;
use crate::error::PageError;
use crate::params::Params;
use crate::person::SignedIn;
use crate::secret::SessionSecret;
use crate::words::Words;

const SESSION: &str = "__Host-sid";

/// The value of a cookie. Read byte by byte: a neighbour's cookie that is no text does not hide
/// ours, and one that stands twice counts for nothing.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let Some((own, value)) = pair.trim_ascii().split_at_checked(name.len()) else { continue };
            if own != name.as_bytes() || value.first() != Some(&b'=') {
                continue;
            }
            if found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(&value[1..]).ok()?.to_owned());
        }
    }
    found.filter(|value| value.len() <= 256)
}

/// A `Set-Cookie` for this host alone, never readable by scripts. `more` is what stands after the
/// attributes that all of ours have.
#[must_use]
pub fn set_cookie(name: &str, value: &str, more: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The session that this browser says it has.
#[must_use]
pub fn session_secret(headers: &HeaderMap) -> Option<SessionSecret> {
    cookie(headers, SESSION).map(|value| SessionSecret::presented(&value))
}

/// A cookie that lasts as long as the browser; the server's own clock ends the session sooner.
#[must_use]
pub fn set_session(secret: &SessionSecret) -> HeaderValue {
    set_cookie(SESSION, secret.expose(), "")
}

/// Takes the cookie back.
#[must_use]
pub fn clear_session() -> HeaderValue {
    set_cookie(SESSION, "", "; Max-Age=0")
}

/// This browser's live session. Looking at it does not count as using it: see
/// [`Store::touch_session`](crate::store::Store::touch_session).
///
/// # Errors
/// [`PageError`], where the store fails.
pub async fn signed_in(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<Option<SignedIn>, PageError> {
    let Some(secret) = session_secret(headers) else { return Ok(None) };
    Ok(app.store.session(&origin.tenant, &secret.digest(), origin.now).await?)
}

/// Refuses a form that was not sent from a page of ours in this browser: the token has to match,
/// and the browser, where it says so, must not have come from elsewhere.
///
/// # Errors
/// [`PageError::forged`]
pub fn is_our_own_form(app: &App, headers: &HeaderMap, form: &Params, expected: &str) -> Result<(), PageError> {
    let presented = form.get("csrf")?.unwrap_or_default();
    // What follows a dot binds a form to what it showed, and is looked at where that matters.
    let presented = presented.split('.').next().unwrap_or_default();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = |origin: &str| origin == app.tenant.issuer_origin();
    let matches: bool = presented.as_bytes().ct_eq(expected.as_bytes()).into();
    let origin = headers.get(header::ORIGIN).is_none_or(|origin| origin.to_str().is_ok_and(is_ours));
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    if matches && origin && site { Ok(()) } else { Err(PageError::forged()) }
}

/// A page of ours that asks for a sign-in of its own. A name in a URL chooses one of these and can
/// choose nothing else: there is no address that a stranger could put there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPage {
    /// Where a clinician opens an app.
    LaunchPad,
    /// Where a person sees their apps.
    Account,
}

impl OwnPage {
    const ALL: [Self; 2] = [Self::LaunchPad, Self::Account];

    /// Its name in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LaunchPad => "launch-pad",
            Self::Account => "account",
        }
    }

    /// The inverse of [`OwnPage::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.name() == name)
    }

    /// Where it is.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::LaunchPad => "/launch-pad",
            Self::Account => "/account/apps",
        }
    }

    /// What people know it as.
    #[must_use]
    pub fn title(self, words: &Words) -> String {
        match self {
            Self::LaunchPad => words.text("login-to-launch-pad", &[]),
            Self::Account => words.text("login-to-account", &[]),
        }
    }

    /// Where a browser signs in for it.
    #[must_use]
    pub fn login(self) -> String {
        format!("/login?to={}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_bytes(line).expect("a header of this test"))).collect()
    }

    #[test]
    fn a_neighbour_s_odd_cookie_does_not_hide_ours() {
        let headers = headers(&[b"odd=\xff\xfe; __Host-sid=ss_1; __Host-sidx=2"]);
        assert_eq!(session_secret(&headers).map(|secret| secret.expose().to_owned()), Some("ss_1".to_owned()));
    }

    #[test]
    fn a_cookie_that_stands_twice_counts_for_nothing() {
        assert!(session_secret(&headers(&[b"__Host-sid=ss_1; __Host-sid=ss_2"])).is_none());
        assert!(session_secret(&headers(&[b"__Host-sid=ss_1", b"__Host-sid=ss_2"])).is_none());
        assert!(session_secret(&headers(&[b"sid=ss_1"])).is_none());
    }
}
