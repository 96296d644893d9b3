//! What a request of 100 scopes in 4 KiB costs between its arrival and the consent page: reading the
//! list, narrowing it to what the client and the person may give, and grouping it for the page.
//!
//! The budget for all of that together is 200 µs.

use std::hint::black_box;

use admit::scope::{MAX_LENGTH, MAX_SCOPES, R4_TYPES, ScopeSet};
use admit::words::{Locale, Reader, Words, groups};
use criterion::{Criterion, criterion_group, criterion_main};

/// 100 different scopes, as close to 4 KiB as such a list comes: types, words and queries.
fn request() -> String {
    let words = "openid fhirUser launch/patient offline_access";
    let mut list: Vec<String> = words.split(' ').map(str::to_owned).collect();
    list.extend(R4_TYPES.iter().take(60).map(|name| format!("patient/{name}.rs")));
    let room = MAX_SCOPES - list.len();
    list.extend((0..room).map(|n| format!("patient/Observation.rs?category=http://x.test/category|{n:04}")));
    let text = list.join(" ");
    assert!(text.len() <= MAX_LENGTH && text.len() > MAX_LENGTH * 9 / 10 && list.len() == MAX_SCOPES, "{}", text.len());
    text
}

/// From the text to what a page shows; what the page says is not in it.
fn decide(text: &str, registered: &ScopeSet, person: &ScopeSet) -> usize {
    let asked = ScopeSet::parse(text).expect("a list");
    let offered = asked.within(registered).within(person);
    groups(&offered).iter().map(|group| group.permissions.len()).sum()
}

fn scopes(c: &mut Criterion) {
    let text = request();
    let asked = ScopeSet::parse(&text).expect("a list");
    let person = ScopeSet::parse("openid fhirUser launch/patient offline_access patient/*.cruds user/*.cruds").expect("a list");
    assert_eq!(decide(&text, &person, &person), MAX_SCOPES - 4);
    c.bench_function("parse", |b| b.iter(|| ScopeSet::parse(black_box(&text))));
    c.bench_function("parse, narrow to wildcards, group", |b| b.iter(|| decide(black_box(&text), &person, &person)));
    c.bench_function("parse, narrow to the same 100, group", |b| b.iter(|| decide(black_box(&text), &asked, &person)));

    let (words, groups) = (Words::get(Locale::En), groups(&asked));
    let permissions = || groups.iter().flat_map(|group| &group.permissions);
    let length = || permissions().map(|own| own.label(words, Reader::Patient).len() + own.detail(words).map_or(0, |text| text.len()));
    c.bench_function("the words of all of them", |b| b.iter(|| length().sum::<usize>()));
}

criterion_group!(benches, scopes);
criterion_main!(benches);
