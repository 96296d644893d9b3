//! What a search in a panel may begin with: a name, turned so that each of its words comes first; the MRN; the birth
//! date. Who types `smi` finds *Ada Smith* and *Bo Garcia-Smith* in that order, by one walk along an index.

use super::{Conn, Error, change};
use crate::audit::Origin;
use crate::person::Patient;

/// The whole name, once per patient: what a list without a search is sorted by.
pub(super) const NAME: &str = "name";
/// Everything that a search may begin with.
pub(super) const FIND: &str = "find";
/// How many words of a search are looked at; the longest count.
const MAX_WORDS: usize = 4;
/// The longest term, in characters, and the longest word that is looked for: PostgreSQL's indexes take 2704 bytes at most.
const MAX_TERM: usize = 200;
/// How often one patient can be found by one word, as names go.
pub(super) const REPEATS: i64 = 8;

/// What was typed, as the index is asked for it.
pub(super) struct Search {
    pub(super) kind: &'static str,
    /// The terms from here …
    pub(super) from: String,
    /// … to before here.
    pub(super) to: String,
    /// Patterns that what is known of the patient must be like.
    pub(super) like: [String; MAX_WORDS - 1],
}

impl Search {
    pub(super) fn of(typed: &str) -> Self {
        let typed = search_text(&typed.replace(',', " "));
        let mut words: Vec<&str> = typed.split(' ').filter(|word| !word.is_empty()).map(capped).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut words = words.into_iter();
        let first = words.next();
        let from = first.unwrap_or_default().to_owned();
        let mut like = [const { String::new() }; MAX_WORDS - 1];
        for pattern in &mut like {
            *pattern = words.next().map_or_else(|| "%".to_owned(), |word| format!("% {}%", escape_like(word)));
        }
        Self { kind: if first.is_some() { FIND } else { NAME }, to: format!("{from}{}", char::MAX), from, like }
    }
}

/// The terms of a patient, by kind.
pub(super) fn terms(patient: &Patient) -> Vec<(&'static str, String)> {
    let name = search_text(&patient.name);
    let starts = std::iter::once(0).chain(name.match_indices([' ', '-']).map(|(at, _)| at + 1));
    let turned = starts.map(|at| name.split_at(at)).filter(|(_, word)| !word.is_empty() && !word.starts_with([' ', '-']));
    let turned = turned.map(|(before, from_word)| format!("{from_word} {before}").trim_end().to_owned());
    let parts = turned.chain([mrn_text(&patient.mrn), patient.birth_date.clone()].into_iter().filter(|part| !part.is_empty()));
    let mut terms: Vec<_> = parts.map(|part| (FIND, part)).collect();
    if !name.is_empty() {
        terms.push((NAME, name));
    }
    terms.into_iter().map(|(kind, term)| (kind, capped(&term).to_owned())).collect()
}

/// Writes down anew what finds this patient, for everybody who may open them.
pub(super) async fn index(
    conn: &mut Conn<'_>,
    origin: &Origin,
    fhir_base: &str,
    patient: &Patient,
    is_inactive: bool,
) -> Result<(), Error> {
    let statement = "delete from panel_term where tenant_id = $1 and fhir_base = $2 and patient_id = $3";
    change!(conn, sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(patient.id.as_str()))?;
    if is_inactive {
        return Ok(());
    }
    for (kind, term) in terms(patient) {
        let statement = "insert into panel_term (tenant_id, fhir_base, fhir_user, kind, term, patient_id)
                         select tenant_id, fhir_base, fhir_user, $4, $5, patient_id
                           from panel
                          where tenant_id = $1 and fhir_base = $2 and patient_id = $3
                         on conflict do nothing";
        change!(
            conn,
            sqlx::query(statement).bind(origin.tenant.as_str()).bind(fhir_base).bind(patient.id.as_str()).bind(kind).bind(&term)
        )?;
    }
    Ok(())
}

/// Lower case and single spaces, so that both sides of a comparison look alike.
pub(super) fn search_text(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A record number as it is compared.
pub(super) fn mrn_text(mrn: &str) -> String {
    capped(&mrn.trim().to_lowercase()).to_owned()
}

fn capped(text: &str) -> &str {
    text.char_indices().nth(MAX_TERM).map_or(text, |(end, _)| text.split_at(end).0)
}

/// `%` and `_` typed by a person are themselves.
fn escape_like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PatientId;

    #[test]
    fn a_name_is_found_by_each_of_its_words() {
        let patient = Patient {
            id: PatientId::new("p"),
            name: "Ada  B. Garcia-Test".to_owned(),
            birth_date: "1984-03".to_owned(),
            sex: String::new(),
            mrn: "MRN-1".to_owned(),
        };
        let found: Vec<String> = terms(&patient).into_iter().map(|(kind, term)| format!("{kind}: {term}")).collect();
        let expected = [
            "find: ada b. garcia-test",
            "find: b. garcia-test ada",
            "find: garcia-test ada b.",
            "find: test ada b. garcia-",
            "find: mrn-1",
            "find: 1984-03",
        ];
        assert_eq!(found[..6], expected);
        assert_eq!(found[6..], ["name: ada b. garcia-test"]);
        let nobody = Patient { name: " - ".to_owned(), birth_date: String::new(), mrn: String::new(), ..patient };
        assert_eq!(terms(&nobody), [(NAME, "-".to_owned())]);
    }

    #[test]
    fn the_longest_word_leads_and_the_others_narrow() {
        let search = Search::of("  Test, a_ 1984-03-09 x y ");
        assert_eq!((search.kind, search.from.as_str(), search.to.as_str()), (FIND, "1984-03-09", "1984-03-09\u{10ffff}"));
        assert_eq!(search.like, ["% test%", "% a!_%", "% x%"]);
        let all = Search::of(" , ");
        assert_eq!((all.kind, all.from.as_str(), all.like[0].as_str()), (NAME, "", "%"));
    }
}
