//! Where in a long list of results a page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The parameter that carries a [`Page`] in a `next` link.
pub const PARAMETER: &str = "_page";

/// No list here is longer.
const FURTHEST: usize = 100_000;

/// How many results come before the page. Opaque on the wire: apps follow links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page(usize);

impl Page {
    pub fn after(results: usize) -> Self {
        Self(results)
    }

    pub fn skips(self) -> usize {
        self.0
    }

    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("after:{}", self.0))
    }

    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > 24 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let skips = std::str::from_utf8(&bytes).ok()?.strip_prefix("after:")?.parse().ok()?;
        (skips <= FURTHEST).then_some(Self(skips))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_survives_the_way_there_and_back() {
        assert_eq!(Page::decode(&Page::after(40).encode()), Some(Page::after(40)));
    }

    #[test]
    fn a_page_that_we_did_not_make_is_none() {
        for text in ["", "40", "YWZ0ZXI6LTE", &Page::after(FURTHEST + 1).encode()] {
            assert_eq!(Page::decode(text), None, "{text}");
        }
    }
}
