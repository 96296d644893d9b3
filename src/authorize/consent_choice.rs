//! The boxes of the consent page, each with the boxes of its parts.

use askama::Template;

use crate::consent::{Choice, Decision};
use crate::scope::{Scope, ScopeSet};
use crate::words::{Permission, Reader, Words};

/// One box.
#[derive(Template)]
#[template(path = "consent_choice.html")]
pub(super) struct ChoiceBox {
    words: &'static Words,
    id: String,
    value: String,
    label: String,
    detail: Option<String>,
    is_ticked: bool,
    is_new: bool,
    parts: Vec<ChoiceBox>,
}

/// Which boxes are ticked when the page is shown.
pub(super) enum Ticks<'t> {
    /// Everything that is asked for, as a whole.
    Everything,
    /// What the person allowed before, and what they were not asked about then.
    Earlier(&'t Decision),
    /// As the person left them.
    Posted(&'t [&'t str]),
}

impl Ticks<'_> {
    /// Whether the box of a scope that is not for resources is ticked.
    pub fn have(&self, scope: &Scope) -> bool {
        match self {
            Self::Everything => true,
            Self::Earlier(decision) => decision.approved.has(scope) || !decision.asked.has(scope),
            Self::Posted(ticked) => ticked.contains(&scope.to_string().as_str()),
        }
    }

    fn tick(&self, choice: &Choice, is_part: bool) -> bool {
        match self {
            Self::Everything => !is_part,
            Self::Earlier(decision) => {
                decision.approved.contains(&set(&choice.permission)) || (!is_part && self.is_new(&choice.permission))
            }
            Self::Posted(ticked) => ticked.contains(&choice.value().as_str()),
        }
    }

    /// Whether the person was not asked about it before, though about other things.
    fn is_new(&self, permission: &Permission) -> bool {
        matches!(self, Self::Earlier(decision) if !decision.asked.contains(&set(permission)))
    }
}

fn set(permission: &Permission) -> ScopeSet {
    permission.scopes.iter().cloned().map(Scope::Resource).collect()
}

/// Makes the boxes of a page, and numbers them.
pub(super) struct Boxes<'t> {
    pub words: &'static Words,
    pub reader: Reader,
    pub ticks: Ticks<'t>,
    pub count: usize,
}

impl Boxes<'_> {
    /// The boxes of these choices.
    pub fn of<'c>(&mut self, choices: impl Iterator<Item = &'c Choice>) -> Vec<ChoiceBox> {
        choices.map(|choice| self.one(choice, false, false)).collect()
    }

    /// `is_covered`: something that this is a part of is ticked as a whole.
    fn one(&mut self, choice: &Choice, is_part: bool, is_covered: bool) -> ChoiceBox {
        self.count += 1;
        let id = format!("scope-{}", self.count);
        let is_ticked = !is_covered && self.ticks.tick(choice, is_part);
        let parts = choice.parts.iter().map(|part| self.one(part, true, is_covered || is_ticked)).collect();
        ChoiceBox {
            words: self.words,
            id,
            value: choice.value(),
            label: choice.permission.label(self.words, self.reader),
            // That the record can change is said once, of the whole: a part of it can do no more.
            detail: if is_part { choice.permission.about(self.words) } else { choice.permission.detail(self.words) },
            is_ticked,
            is_new: !is_part && self.ticks.is_new(&choice.permission),
            parts,
        }
    }
}

impl ChoiceBox {
    /// The technical name and the words of this box and of all its parts.
    pub fn names(&self) -> Vec<(&str, &str)> {
        let parts = self.parts.iter().flat_map(Self::names);
        std::iter::once((self.value.as_str(), self.label.as_str())).chain(parts).collect()
    }
}
