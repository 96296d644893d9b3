//! What holds for all scopes, against a model: what a scope allows is counted out, point by point,
//! over a small world whose resources have every combination of a few categories and codes.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// What can be asked of the world: a level, a type, a letter, and what is written on the resource.
struct Point {
    level: &'static str,
    kind: &'static str,
    letter: char,
    values: Vec<(&'static str, &'static str)>,
}

const VALUES: [(&str, &str); 6] = [("category", "a"), ("category", "b"), ("category", "c"), ("code", "a"), ("code", "b"), ("code", "c")];

static WORLD: LazyLock<Vec<Point>> = LazyLock::new(|| {
    let mut points = Vec::new();
    for level in ["patient", "user"] {
        // No scope below names Goal: what reaches it reaches every type.
        for kind in ["Patient", "Observation", "Goal"] {
            for letter in "cruds".chars() {
                for choice in 0..1 << VALUES.len() {
                    let values = VALUES.into_iter().enumerate().filter(|(place, _)| choice & (1 << place) != 0).map(|(_, value)| value);
                    points.push(Point { level, kind, letter, values: values.collect() });
                }
            }
        }
    }
    points
});

/// Whether the text of a scope allows it, read by the rules of SMART and of a FHIR search, and by
/// none of our own code.
fn allows(scope: &str, point: &Point) -> bool {
    let Some(rest) = scope.strip_prefix(point.level).and_then(|rest| rest.strip_prefix('/')) else { return false };
    let (kind, rest) = rest.split_once('.').expect("a scope of this test");
    let (access, query) = rest.split_once('?').unwrap_or((rest, ""));
    let letters = match access {
        "read" => "rs",
        "write" => "cud",
        "*" => "cruds",
        letters => letters,
    };
    let matches = |pair: &str| {
        let (name, values) = pair.split_once('=').expect("a query of this test");
        values.split(',').any(|value| point.values.contains(&(name, value)))
    };
    (kind == "*" || kind == point.kind) && letters.contains(point.letter) && (query.is_empty() || query.split('&').all(matches))
}

/// What a whole list allows: one answer per point of the world.
fn meaning(list: &str) -> Vec<bool> {
    WORLD.iter().map(|point| list.split(' ').any(|scope| allows(scope, point))).collect()
}

fn is_within(narrow: &[bool], wide: &[bool]) -> bool {
    narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || *wide)
}

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("a list of this test")
}

fn any_query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["category", "code"]);
    let values = prop::sample::subsequence(vec!["a", "b", "c"], 1..=2).prop_shuffle();
    prop::collection::vec((name, values), 0..3)
        .prop_map(|pairs| pairs.into_iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect::<Vec<_>>().join("&"))
}

fn any_resource_scope() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["patient", "user"]);
    let kind = prop::sample::select(vec!["*", "Patient", "Observation"]);
    let access = prop::sample::select(vec!["read", "write", "*", "r", "s", "rs", "cud", "cruds", "c", "us", "ds"]);
    (level, kind, access, any_query()).prop_map(|(level, kind, access, query)| {
        let takes_none = kind == "*" || ["read", "write", "*"].contains(&access) || query.is_empty();
        if takes_none { format!("{level}/{kind}.{access}") } else { format!("{level}/{kind}.{access}?{query}") }
    })
}

fn any_scope() -> impl Strategy<Value = String> {
    let words: Vec<String> = WORDS.iter().map(|(word, _)| (*word).to_owned()).collect();
    let contexts = ["launch/imagingstudy", "launch/list?role=https://x.test/role"].map(str::to_owned);
    prop_oneof![
        8 => any_resource_scope(),
        1 => prop::sample::select([&words[..], &contexts].concat()),
    ]
}

fn any_set() -> impl Strategy<Value = ScopeSet> {
    prop::collection::vec(any_scope(), 0..7).prop_map(|list| scopes(&list.join(" ")))
}

/// A scope with one byte taken out, put in or changed: mostly just beyond the grammar.
fn nearly_a_scope() -> impl Strategy<Value = String> {
    let byte = prop::sample::select(b"/.?=&,:*|%+-_ crudsxPO\\\"\n".to_vec());
    (any_scope(), any::<prop::sample::Index>(), 0..3, byte).prop_map(|(text, place, what, byte)| {
        let mut text = text.into_bytes();
        let place = place.index(text.len());
        match what {
            0 => drop(text.remove(place)),
            1 => text.insert(place, byte),
            _ => text[place] = byte,
        }
        String::from_utf8(text).expect("ASCII")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_parsed_is_written_back_byte_for_byte(text in any_scope()) {
        prop_assert_eq!(text.parse::<Scope>().map(|scope| scope.to_string()), Ok(text));
    }

    /// Never partly interpreted: whatever is understood is understood to the last byte.
    #[test]
    fn what_is_nearly_a_scope_is_one_to_the_last_byte_or_none(text in nearly_a_scope()) {
        if let Ok(scope) = text.parse::<Scope>() {
            prop_assert_eq!(scope.to_string(), text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = ScopeSet::parse(&text);
        if let Ok(scope) = text.parse::<Scope>() {
            prop_assert_eq!(scope.to_string(), text);
        }
    }

    /// Of two scopes the answer is exact.
    #[test]
    fn a_scope_contains_what_it_allows(wide in any_resource_scope(), narrow in any_resource_scope()) {
        let parsed = |text: &str| text.parse::<ResourceScope>().expect("a scope of this test");
        let contains = parsed(&wide).contains(&parsed(&narrow));
        prop_assert_eq!(contains, is_within(&meaning(&narrow), &meaning(&wide)), "{} in {}", narrow, wide);
        prop_assert_eq!(contains, scopes(&wide).contains(&scopes(&narrow)));
    }

    /// Of two lists a yes is always right.
    #[test]
    fn containment_of_lists_never_claims_too_much(wide in any_set(), narrow in any_set()) {
        if wide.contains(&narrow) {
            prop_assert!(is_within(&meaning(&narrow.to_string()), &meaning(&wide.to_string())));
            prop_assert!(narrow.iter().all(|scope| matches!(scope, Scope::Resource(_)) || wide.has(scope)));
        }
    }

    /// And where there is no query in them, a no as well.
    #[test]
    fn containment_of_lists_is_exact_but_for_queries(wide in any_set(), narrow in any_set()) {
        let whole = |set: &ScopeSet| set.filtered(|scope| matches!(scope, Scope::Resource(resource) if resource.filter.is_empty()));
        let (wide, narrow) = (whole(&wide), whole(&narrow));
        prop_assert_eq!(wide.contains(&narrow), is_within(&meaning(&narrow.to_string()), &meaning(&wide.to_string())));
    }

    #[test]
    fn containment_is_reflexive_and_transitive(a in any_set(), b in any_set(), c in any_set()) {
        prop_assert!(a.contains(&a));
        if a.contains(&b) && b.contains(&c) {
            prop_assert!(a.contains(&c));
        }
        // Three sets at random seldom hold one another; these do.
        let (narrow, narrower) = (b.within(&a), c.within(&b.within(&a)));
        prop_assert!(a.contains(&narrow) && narrow.contains(&narrower) && a.contains(&narrower));
    }

    #[test]
    fn narrowing_gives_what_both_allow_and_no_more(asked in any_set(), limit in any_set()) {
        let kept = asked.within(&limit);
        let both: Vec<bool> = meaning(&asked.to_string()).iter().zip(meaning(&limit.to_string())).map(|(one, other)| *one && other).collect();
        prop_assert_eq!(meaning(&kept.to_string()), both, "{} within {} gave {}", asked, limit, kept);
        prop_assert!(asked.contains(&kept) && limit.contains(&kept), "{} within {} gave {}", asked, limit, kept);
        prop_assert_eq!(&kept.within(&limit), &kept);
        prop_assert_eq!(ScopeSet::parse(&kept.to_string()), Ok(kept));
    }

    #[test]
    fn narrowing_means_the_same_both_ways(one in any_set(), other in any_set()) {
        let (there, back) = (one.within(&other), other.within(&one));
        prop_assert!(there.contains(&back) && back.contains(&there), "{} and {}", there, back);
    }

    #[test]
    fn what_is_allowed_whole_keeps_its_spelling_and_place(asked in any_set(), more in any_set()) {
        prop_assert_eq!(asked.within(&more.union(&asked)), asked);
    }

    #[test]
    fn a_union_allows_what_either_does(one in any_set(), other in any_set()) {
        let both = one.union(&other);
        prop_assert!(both.contains(&one) && both.contains(&other));
        let either: Vec<bool> = meaning(&one.to_string()).iter().zip(meaning(&other.to_string())).map(|(one, other)| *one || other).collect();
        prop_assert_eq!(meaning(&both.to_string()), either);
    }
}
