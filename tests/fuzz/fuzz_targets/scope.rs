//! Any text is a list of scopes, or none: what is understood is written back as it was, and narrowing never widens.
#![no_main]

use admit::scope::{MAX_LENGTH, MAX_SCOPES, ScopeSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lists: &str| {
    let (asked, limit) = lists.split_once('\n').unwrap_or((lists, lists));
    let words: Vec<&str> = asked.split(' ').collect();
    let (Ok(asked), Ok(limit)) = (ScopeSet::parse(asked), ScopeSet::parse(limit)) else { return };
    assert!(asked.iter().all(|scope| words.contains(&scope.to_string().as_str())));
    assert_eq!(ScopeSet::parse(&asked.to_string()).as_ref(), Ok(&asked));
    let kept = asked.within(&limit);
    assert!(asked.contains(&kept) && limit.contains(&kept));
    assert!(kept.iter().count() <= MAX_SCOPES && kept.to_string().len() <= MAX_LENGTH);
    assert_eq!(kept.within(&limit), kept);
    assert_eq!(asked.within(&asked), asked);
});
