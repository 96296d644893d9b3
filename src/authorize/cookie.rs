//! Cookies: opaque secrets, bound to this host alone (`__Host-`), never readable by scripts.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::id::FlowId;
use crate::secret::{BrowserSecret, SessionSecret};

const SESSION: &str = "__Host-sid";
/// How long a flow's cookie is kept, in seconds: as long as the flow can last.
const FLOW_LIFE: i64 = 600;
/// What the names of flows' cookies begin with.
const FLOW: &str = "__Host-tx-";
/// So many flows may be open in one browser; more cookies would become too large to send.
const MAX_FLOWS: usize = 40;

/// The value of a cookie. Read byte by byte: a neighbour's cookie that is no text does not hide
/// ours, and one that stands twice counts for nothing.
fn value(headers: &HeaderMap, name: &str) -> Option<String> {
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

/// The session that this browser says it has.
pub(super) fn session(headers: &HeaderMap) -> Option<SessionSecret> {
    value(headers, SESSION).map(|value| SessionSecret::presented(&value))
}

/// The secret that binds a flow to this browser.
pub(super) fn flow(headers: &HeaderMap, id: &FlowId) -> Option<BrowserSecret> {
    value(headers, &flow_name(id)).map(|value| BrowserSecret::presented(&value))
}

fn flow_name(id: &FlowId) -> String {
    format!("{FLOW}{id}")
}

/// A cookie that lasts as long as the browser; the server's own clock ends the session sooner.
pub(super) fn set_session(secret: &SessionSecret) -> HeaderValue {
    cookie(format!("{SESSION}={}; Path=/; Secure; HttpOnly; SameSite=Lax", secret.expose()))
}

pub(super) fn clear_session() -> HeaderValue {
    cookie(format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}

pub(super) fn set_flow(id: &FlowId, secret: &BrowserSecret) -> HeaderValue {
    cookie(format!("{}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={FLOW_LIFE}", flow_name(id), secret.expose()))
}

/// Clears the cookies of the oldest flows of a browser that has too many: their ids sort by time.
pub(super) fn clear_oldest_flows(headers: &HeaderMap) -> Vec<HeaderValue> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).map(|(name, _)| name);
    let mut flows: Vec<&str> = names.filter(|name| name.starts_with(FLOW)).collect();
    flows.sort_unstable();
    let too_many = flows.len().saturating_sub(MAX_FLOWS - 1);
    let clear = |name: &&str| cookie(format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"));
    flows.iter().take(too_many).map(clear).collect()
}

fn cookie(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
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
        assert_eq!(session(&headers).map(|secret| secret.expose().to_owned()), Some("ss_1".to_owned()));
    }

    #[test]
    fn a_browser_with_too_many_flows_forgets_the_oldest() {
        let names: Vec<String> = (100..142).map(|n| format!("{FLOW}{n}=sb_x")).collect();
        let line = names.join("; ");
        let cleared = clear_oldest_flows(&headers(&[line.as_bytes(), b"other=1"]));
        let cleared: Vec<_> = cleared.iter().filter_map(|value| value.to_str().ok()?.split_once('=')).map(|(name, _)| name).collect();
        assert_eq!(cleared, ["__Host-tx-100", "__Host-tx-101", "__Host-tx-102"]);
        assert!(clear_oldest_flows(&headers(&[b"__Host-tx-1=a; __Host-tx-2=b"])).is_empty());
    }

    #[test]
    fn a_cookie_that_stands_twice_counts_for_nothing() {
        assert!(session(&headers(&[b"__Host-sid=ss_1; __Host-sid=ss_2"])).is_none());
        assert!(session(&headers(&[b"__Host-sid=ss_1", b"__Host-sid=ss_2"])).is_none());
        assert!(session(&headers(&[b"sid=ss_1"])).is_none());
    }
}
