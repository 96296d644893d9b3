//! Both languages say the same, and say it in words that people can read.

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fluent_bundle::FluentResource;

use super::*;
use crate::scope::{CATEGORIES, LaunchContext, R4_TYPES, ResourceScope, Scope, ScopeSet};

const ENGLISH: &str = include_str!("../../templates/words/en.ftl");
const SPANISH: &str = include_str!("../../templates/words/es.ftl");

/// The messages of a file: their text as it is written, attributes and all.
fn messages(file: &str) -> BTreeMap<&str, String> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    let mut key = "";
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let text = match line.split_once(" =") {
            Some((name, text)) if !line.starts_with(' ') => {
                assert!(found.insert(name, String::new()).is_none(), "{name} stands in the file twice");
                key = name;
                text
            }
            _ => line,
        };
        if let Some(whole) = found.get_mut(key) {
            whole.push_str(text);
            whole.push('\n');
        }
    }
    found
}

/// What begins with this sign in a text: `$name`.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.split('$').skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default()).collect()
}

#[test]
fn every_text_is_understood() {
    for file in [ENGLISH, SPANISH] {
        let resource = FluentResource::try_new(file.to_owned()).map_err(|(_, errors)| errors).expect("Fluent");
        assert_eq!(resource.entries().count(), messages(file).len());
    }
}

#[test]
fn both_languages_have_the_same_keys_and_variables() {
    let (english, spanish) = (messages(ENGLISH), messages(SPANISH));
    assert!(english.len() > 80);
    assert_eq!(english.keys().collect::<Vec<_>>(), spanish.keys().collect::<Vec<_>>());
    for (key, text) in &english {
        assert_eq!(variables(text), variables(&spanish[key]), "{key}");
        assert_eq!(attributes(text), attributes(&spanish[key]), "{key}");
        assert_eq!(cases(text), cases(&spanish[key]), "{key}");
    }
}

/// What pages look for. The words of a trade are each language's own.
fn attributes(text: &str) -> BTreeSet<&str> {
    let names = text.lines().filter_map(|line| line.trim().strip_prefix('.')?.split_once(" =").map(|(name, _)| name));
    names.filter(|name| *name != "clinician").collect()
}

/// The cases of a selector. Those of a plural are each language's own.
fn cases(text: &str) -> BTreeSet<&str> {
    let plurals = ["zero", "one", "two", "few", "many", "other"];
    let found = text.lines().filter_map(|line| line.trim().trim_start_matches('*').strip_prefix('[')?.split(']').next());
    found.filter(|case| !plurals.contains(case)).collect()
}

/// Every key that the product names is there: `words.text("key"` in Rust and in the pages, and the keys of errors, with
/// all that an error says.
#[test]
fn every_key_that_is_used_is_there() {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let (root, mut files) = (Path::new(env!("CARGO_MANIFEST_DIR")), Vec::new());
    walk(&root.join("src"), &mut files);
    walk(&root.join("templates"), &mut files);
    let known = messages(ENGLISH);
    let mut used = 0;
    for file in files.iter().filter(|path| !path.ends_with("words/tests.rs")) {
        let text = fs::read_to_string(file).expect("a text");
        let named = |before: &str| text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>();
        for key in [named("words.text(\""), named("words().text(\"")].concat() {
            assert!(known.contains_key(key), "{}: {key}", file.display());
            used += 1;
        }
        for rest in named("\"error-").iter().filter(|_| file.extension().is_some_and(|kind| kind == "rs")) {
            let said = known.get(format!("error-{rest}").as_str()).map(|text| attributes(text));
            assert_eq!(said, Some(BTreeSet::from(["advice", "sentence"])), "{}: error-{rest}", file.display());
            used += 1;
        }
    }
    assert!(used > 150, "{used}");
}

/// Nothing that can be asked for is without words, in any language, for any reader.
#[test]
fn every_scope_has_words() {
    let everywhere = |text: &dyn Fn(&Words, Reader) -> String| {
        for words in Locale::ALL.map(Words::get) {
            for reader in [Reader::Patient, Reader::Clinician] {
                let text = text(words, reader);
                assert!(!text.is_empty() && !text.contains(['{', '}']) && !text.contains("type-") && !text.contains("scope-"), "{text}");
            }
        }
    };
    let permission = |scope: ResourceScope| {
        let permission = Permission::from(scope);
        everywhere(&|words, reader| permission.label(words, reader));
        everywhere(&|words, _| permission.detail(words).unwrap_or_else(|| "-".to_owned()));
    };
    for name in R4_TYPES.iter().chain(&["*"]) {
        permission(format!("patient/{name}.rs").parse().expect("a scope"));
    }
    for category in CATEGORIES {
        let whole: ResourceScope = format!("user/{}.cruds", category.resource).parse().expect("a scope");
        let label = Permission::from(whole.only(&category)).label(Words::get(Locale::En), Reader::Clinician);
        assert_ne!(label, Permission::from(whole.clone()).label(Words::get(Locale::En), Reader::Clinician));
        assert!(!label.contains("some of"), "{label}");
        permission(whole.only(&category));
    }
    let words = "launch launch/patient launch/encounter openid fhirUser profile email phone address offline_access online_access __launch \
                 __introspect launch/imagingstudy launch/substance";
    for word in ScopeSet::parse(words).expect("scopes").iter() {
        everywhere(&|words, reader| sentence(word, words, reader).expect("a sentence"));
    }
    let context = Scope::LaunchContext(LaunchContext { resource: "ImagingStudy".to_owned(), role: None });
    let said = |reader| sentence(&context, Words::get(Locale::En), reader);
    assert_eq!(said(Reader::Patient).as_deref(), Some("What else you have open: scans and X-rays."));
    assert_eq!(said(Reader::Clinician).as_deref(), Some("What else you have open: imaging studies."));
}

/// Every set of letters has its verbs: the first case of the text is not what all others fall back on.
#[test]
fn every_access_has_its_verbs() {
    for words in Locale::ALL.map(Words::get) {
        let mut seen = BTreeSet::new();
        for letters in 1..32 {
            let access: String = "cruds".chars().enumerate().filter(|(place, _)| letters & (1 << place) != 0).map(|(_, c)| c).collect();
            let scope: ResourceScope = format!("patient/Flag.{access}").parse().expect("a scope");
            seen.insert(Permission::from(scope).label(words, Reader::Patient));
        }
        assert_eq!(seen.len(), 15, "{seen:?}");
    }
}

#[test]
fn scopes_read_as_sentences() {
    let said = |scope: &str, locale, reader| {
        let permission = Permission::from(scope.parse::<ResourceScope>().expect("a scope"));
        (permission.label(Words::get(locale), reader), permission.detail(Words::get(locale)).unwrap_or_default())
    };
    let patient = |scope| said(scope, Locale::En, Reader::Patient);
    let lab = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    assert_eq!(patient("patient/Observation.s").0, "See test results and measurements");
    assert_eq!(patient("patient/Observation.cruds").0, "See, add, change and delete test results and measurements");
    assert_eq!(patient("patient/Immunization.write").0, "Add, change and delete vaccines");
    assert_eq!(patient("patient/Immunization.write").1, "Which vaccines were given, and when. The app can change the record itself.");
    assert_eq!(patient("user/*.read").0, "See the whole health record");
    assert_eq!(patient("patient/ResearchStudy.r").0, "See other records (ResearchStudy)");
    assert_eq!(patient(lab), ("See lab results".to_owned(), "Tests of blood, urine and the like.".to_owned()));
    let some = patient("patient/Observation.rs?category=http://x.test/a|b,c&status=final");
    assert_eq!(some.0, "See some of: test results and measurements");
    assert_eq!(some.1, "Only those that match this: category: b, c; status: final.");
    assert_eq!(said("patient/Encounter.rs", Locale::En, Reader::Clinician).0, "See encounters");
    assert_eq!(said(lab, Locale::Es, Reader::Patient).0, "Ver resultados de análisis");
    assert_eq!(said("patient/Encounter.cu", Locale::Es, Reader::Patient).0, "Añadir y cambiar visitas y estancias en el hospital");
}

#[test]
fn what_is_about_the_same_records_is_one_permission_and_stands_together() {
    let asked = "patient/Observation.r openid user/Patient.rs patient/Condition.read patient/Observation.s patient/Observation.c?category=a \
                 patient/Condition.c patient/Patient.rs";
    let groups = groups(&ScopeSet::parse(asked).expect("scopes"));
    let shown: Vec<Vec<String>> = groups
        .iter()
        .map(|group| group.permissions.iter().map(|own| own.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")).collect())
        .collect();
    assert_eq!(
        shown,
        [
            vec![
                "patient/Observation.r patient/Observation.s",
                "patient/Observation.c?category=a",
                "patient/Condition.read patient/Condition.c",
                "patient/Patient.rs",
            ],
            vec!["user/Patient.rs"],
        ]
    );
    let words = Words::get(Locale::En);
    assert_eq!(groups[0].permissions[2].label(words, Reader::Clinician), "See and add conditions, problems and diagnoses");
    assert_eq!(
        groups.iter().map(|group| group.title(words)).collect::<Vec<_>>(),
        ["In this patient's record", "In all the records that you may open"]
    );
}
