//! What the pages say, in the languages that they speak.
//!
//! The texts stand in `templates/words`, one file for each language, in Fluent. Every file has the
//! same keys, which a test sees to, as it does to how easily they are read.

mod locale;
mod permission;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

/// What is put into a text: a string, or a number that chooses between singular and plural.
pub use fluent_bundle::FluentValue as Arg;
pub use locale::Locale;
pub use permission::{Group, Permission, Reader, groups, sentence};

/// All texts in one language.
pub struct Words {
    locale: Locale,
    bundle: FluentBundle<FluentResource>,
}

static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(Locale::En, include_str!("../../templates/words/en.ftl")));
static SPANISH: LazyLock<Words> = LazyLock::new(|| Words::read(Locale::Es, include_str!("../../templates/words/es.ftl")));

impl Words {
    /// The texts in this language.
    #[must_use]
    pub fn get(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &ENGLISH,
            Locale::Es => &SPANISH,
        }
    }

    /// What is not understood is left out: a test sees to it that there is no such thing.
    fn read(locale: Locale, text: &str) -> Self {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(rest, _)| rest);
        let language = locale.as_str().parse().expect("a language tag of ours");
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // The pages are marked up: names in them stand in `bdi`, and need no invisible signs.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { locale, bundle }
    }

    /// Their language.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// The text of this key. A key without a text is given back as it is, and logged.
    #[must_use]
    pub fn text(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.find(key, None, args).unwrap_or_else(|| {
            tracing::error!(key, "a page has no words for this");
            key.to_owned()
        })
    }

    /// The same of an attribute of this key.
    #[must_use]
    pub fn attribute(&self, key: &str, name: &str, args: &[(&str, Arg<'_>)]) -> String {
        self.find(key, Some(name), args).unwrap_or_else(|| {
            tracing::error!(key, name, "a page has no words for this");
            format!("{key}.{name}")
        })
    }

    /// The text of this key or of its attribute, if there is one.
    fn find(&self, key: &str, attribute: Option<&str>, args: &[(&str, Arg<'_>)]) -> Option<String> {
        let message = self.bundle.get_message(key)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        let args: FluentArgs = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "the words of a page are incomplete");
        }
        Some(text)
    }
}
