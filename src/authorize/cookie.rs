//! The cookie that binds a flow to a browser: an opaque secret for this host alone.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::app::{OwnPage, cookie, set_cookie};
use crate::id::FlowId;
use crate::secret::BrowserSecret;

/// How long a flow's cookie is kept, in seconds: as long as the flow can last.
const FLOW_LIFE: &str = "; Max-Age=600";
/// What the names of flows' cookies begin with.
const FLOW: &str = "__Host-tx-";
/// So many flows may be open in one browser; more cookies would become too large to send.
const MAX_FLOWS: usize = 40;

/// The secret that binds a flow to this browser.
pub(super) fn flow(headers: &HeaderMap, id: &FlowId) -> Option<BrowserSecret> {
    cookie(headers, &flow_name(id)).map(|value| BrowserSecret::presented(&value))
}

fn flow_name(id: &FlowId) -> String {
    format!("{FLOW}{id}")
}

pub(super) fn set_flow(id: &FlowId, secret: &BrowserSecret) -> HeaderValue {
    set_cookie(&flow_name(id), secret.expose(), FLOW_LIFE)
}

/// The secret that a sign-in for a page of ours is bound to.
pub(super) fn own_page(headers: &HeaderMap, page: OwnPage) -> Option<BrowserSecret> {
    cookie(headers, &own_page_name(page)).map(|value| BrowserSecret::presented(&value))
}

pub(super) fn set_own_page(page: OwnPage, secret: &BrowserSecret) -> HeaderValue {
    set_cookie(&own_page_name(page), secret.expose(), FLOW_LIFE)
}

fn own_page_name(page: OwnPage) -> String {
    format!("__Host-to-{}", page.name())
}

/// Clears the cookies of the oldest flows of a browser that has too many: their ids sort by time.
pub(super) fn clear_oldest_flows(headers: &HeaderMap) -> Vec<HeaderValue> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).map(|(name, _)| name);
    let mut flows: Vec<&str> = names.filter(|name| name.starts_with(FLOW)).collect();
    flows.sort_unstable();
    let too_many = flows.len().saturating_sub(MAX_FLOWS - 1);
    flows.iter().take(too_many).map(|name| set_cookie(name, "", "; Max-Age=0")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_bytes(line).expect("a header of this test"))).collect()
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
}
