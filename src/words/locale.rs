//! Which language a person reads.

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English, which everybody gets who reads none of the others.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Locale {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// As it stands in `lang`, `Accept-Language` and `ui_locales` (RFC 5646).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// The best for a person: what the app says that they read (`ui_locales`, OpenID Connect Core
    /// §3.1.2.1, in order of preference), and otherwise what the browser says (`Accept-Language`).
    #[must_use]
    pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales.and_then(|tags| tags.split(' ').find_map(Self::of_tag));
        asked.or_else(|| accept_language.and_then(Self::accepted)).unwrap_or_default()
    }

    /// The first of the tags with the highest weight (RFC 9110 §12.5.4).
    fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for part in header.split(',') {
            let (tag, parameter) = part.split_once(';').unwrap_or((part, "q=1"));
            let Some(weight) = parameter.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse().ok()) else { continue };
            let Some(locale) = Self::of_tag(tag.trim()) else { continue };
            if weight > best.map_or(0.0, |(weight, _)| weight) {
                best = Some((weight, locale));
            }
        }
        best.map(|(_, locale)| locale)
    }

    /// `es-MX` is read by whoever wrote `es`.
    fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split('-').next()?;
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_goes_before_the_browser_and_english_is_for_everybody_else() {
        use Locale::{En, Es};
        for (ui_locales, accept_language, best) in [
            (None, None, En),
            (None, Some(""), En),
            (None, Some("es"), Es),
            (None, Some("es-MX,es;q=0.9,en;q=0.8"), Es),
            (None, Some("en-US,en;q=0.9,es;q=0.8"), En),
            (None, Some("en;q=0.5, es;q=0.7"), Es),
            (None, Some("fr-CH, fr;q=0.9, ES-419; q=0.3"), Es),
            (None, Some("es;q=0, en;q=0.1"), En),
            (None, Some("es;q=0"), En),
            (None, Some("es;q=x"), En),
            (None, Some("es;q=nan,en;q=inf"), En),
            (None, Some("estonian, *"), En),
            (Some("es"), Some("en"), Es),
            (Some("fr es-ES en"), Some("en"), Es),
            (Some("fr de"), Some("es"), Es),
            (Some(""), Some("es"), Es),
        ] {
            assert_eq!(Locale::negotiate(ui_locales, accept_language), best, "{ui_locales:?} {accept_language:?}");
        }
    }
}
