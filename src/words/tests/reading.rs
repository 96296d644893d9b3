//! How easily the texts are read: a grade of the Flesch-Kincaid scale for English, and for Spanish
//! the scale of Szigriszt-Pazos, of which INFLESZ calls 65 and more "fairly easy".
//!
//! What clinicians are shown in the words of their trade is not measured.

use super::{ENGLISH, SPANISH, messages};

/// What a scale is computed from.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    sentences: f64,
    words: f64,
    syllables: f64,
}

impl Count {
    fn of(sentence: &str, syllables: fn(&str) -> usize) -> Self {
        let words: Vec<String> = sentence.split(|c: char| !c.is_alphabetic() && c != '\'').map(str::to_lowercase).collect();
        let words = words.iter().filter(|word| !word.is_empty());
        let number = |number: usize| f64::from(u32::try_from(number).expect("a short text"));
        Self { sentences: 1.0, words: number(words.clone().count()), syllables: number(words.map(|word| syllables(word)).sum()) }
    }

    fn sum(all: &[Self]) -> Self {
        all.iter().fold(Self::default(), |sum, one| Self {
            sentences: sum.sentences + one.sentences,
            words: sum.words + one.words,
            syllables: sum.syllables + one.syllables,
        })
    }

    /// The American school grade that reads it: the lower, the easier.
    fn grade(self) -> f64 {
        0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59
    }

    /// From 0 to 100 and a little beyond: the higher, the easier.
    fn perspicuity(self) -> f64 {
        206.835 - 62.3 * self.syllables / self.words - self.words / self.sentences
    }
}

/// Groups of vowels, less those that are only written.
fn english_syllables(word: &str) -> usize {
    let is_vowel = |c: char| "aeiouy".contains(c);
    let groups = word.split(|c| !is_vowel(c)).filter(|group| !group.is_empty()).count();
    let stem = word.strip_suffix(['s', 'd']).filter(|stem| stem.ends_with('e')).unwrap_or(word);
    let is_silent = stem.strip_suffix('e').is_some_and(|rest| {
        let spoken: &[&str] = match word.chars().last() {
            Some('s') => &["s", "x", "z", "c", "g", "ch", "sh"],
            Some('d') => &["t", "d"],
            _ => &[],
        };
        !rest.ends_with(is_vowel) && !rest.ends_with('l') && !spoken.iter().any(|end| rest.ends_with(end))
    });
    (groups - usize::from(is_silent && groups > 1)).max(1)
}

/// Each strong vowel is a syllable of its own; a weak one is, where it has no strong one beside it.
fn spanish_syllables(word: &str) -> usize {
    let word = word.replace("qu", "q").replace("gue", "ge").replace("gui", "gi");
    let is_vowel = |c: char| "aeiouáéíóúü".contains(c);
    let groups = word.split(|c| !is_vowel(c)).filter(|group| !group.is_empty());
    let nuclei = |group: &str| group.chars().filter(|c| "aeoáéíóú".contains(*c)).count().max(1);
    groups.map(nuclei).sum::<usize>().max(1)
}

/// The sentences of a file, and the phrases that are none: one word stands for all that is put in.
fn sentences(file: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for message in messages(file).values() {
        let mut is_measured = true;
        for line in message.lines().map(str::trim) {
            let attribute = line.strip_prefix('.').and_then(|rest| rest.split_once(" = "));
            is_measured = attribute.map_or(is_measured, |(name, _)| name != "clinician");
            let case = line.trim_start_matches('*').strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let text = attribute.or(case).map_or(line, |(_, text)| text);
            let is_another = text.starts_with("{ error-") && text.ends_with('}');
            if is_measured && !is_another && !text.ends_with("->") && text != "}" {
                texts.push(filled(text));
            }
        }
    }
    let pieces = texts.iter().flat_map(|text| text.split(['.', '!', '?', ':', ';']));
    pieces.map(str::trim).filter(|piece| piece.contains(char::is_alphabetic)).map(str::to_owned).collect()
}

fn filled(text: &str) -> String {
    let mut pieces = text.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + "that" + piece.split_once('}').map_or("", |(_, rest)| rest))
}

/// What is wrong with these sentences: the whole is too hard, or one of them is much too hard. Of a
/// few words no scale says anything.
fn too_hard(sentences: &[String], syllables: fn(&str) -> usize, is_hard: fn(Count, one: bool) -> bool) -> Vec<String> {
    let counts: Vec<Count> = sentences.iter().map(|sentence| Count::of(sentence, syllables)).collect();
    let each = sentences.iter().zip(&counts).filter(|(_, count)| count.words >= 8.0 && is_hard(**count, true));
    let mut found: Vec<String> =
        each.map(|(sentence, count)| format!("{sentence} ({:.1}, {:.1})", count.grade(), count.perspicuity())).collect();
    let all = Count::sum(&counts);
    if is_hard(all, false) {
        found.push(format!("all of it: {:.1}, {:.1}", all.grade(), all.perspicuity()));
    }
    found
}

fn hard_english(sentences: &[String]) -> Vec<String> {
    too_hard(sentences, english_syllables, |count, one| count.grade() > if one { 10.0 } else { 8.0 })
}

fn hard_spanish(sentences: &[String]) -> Vec<String> {
    too_hard(sentences, spanish_syllables, |count, one| count.perspicuity() < if one { 55.0 } else { 65.0 })
}

#[test]
fn the_pages_are_read_at_grade_eight() {
    let (english, spanish) = (sentences(ENGLISH), sentences(SPANISH));
    assert!(english.len() > 100 && spanish.len() > 100);
    assert_eq!(hard_english(&english), [""; 0]);
    assert_eq!(hard_spanish(&spanish), [""; 0]);
}

#[test]
fn a_lawyers_sentence_is_too_hard() {
    let one = |text: &str| vec![text.to_owned()];
    let english = "The aforementioned application hereby obtains authorization to retrieve individually identifiable health information";
    let spanish =
        "La mencionada aplicación obtendrá autorización para la recuperación de información sanitaria individualmente identificable";
    assert_eq!(hard_english(&one(english)).len(), 2);
    assert_eq!(hard_spanish(&one(spanish)).len(), 2);
    assert_eq!(hard_english(&one("The app keeps this access while you are away from here")), [""; 0]);
    assert_eq!(hard_spanish(&one("La aplicación sigue con acceso cuando usted no está aquí")), [""; 0]);
}

#[test]
fn syllables_are_counted() {
    for (word, number) in [
        ("the", 1),
        ("name", 1),
        ("table", 2),
        ("access", 2),
        ("scopes", 1),
        ("changes", 2),
        ("visited", 3),
        ("signed", 1),
        ("allergies", 3),
        ("medicine", 3),
        ("you", 1),
        ("area", 2),
        ("hospital", 3),
    ] {
        assert_eq!(english_syllables(word), number, "{word}");
    }
    for (word, number) in [
        ("y", 1),
        ("día", 2),
        ("historia", 3),
        ("ciudad", 2),
        ("aplicación", 4),
        ("qué", 1),
        ("leer", 2),
        ("número", 3),
        ("usted", 2),
        ("guitarra", 3),
        ("paciente", 3),
        ("tenía", 3),
    ] {
        assert_eq!(spanish_syllables(word), number, "{word}");
    }
}
