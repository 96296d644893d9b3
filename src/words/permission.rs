//! Scopes in plain words, for the person who decides about them.

use super::{Arg, Words};
use crate::scope::{Access, Filter, Level, ResourceScope, ResourceType, Scope, ScopeSet};

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A patient, or somebody who cares for one: everyday words.
    Patient,
    /// Somebody who treats patients: the words of the trade, where there are such.
    Clinician,
}

/// The permissions about the same records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Whose records.
    pub level: Level,
    /// What is asked for, in the order in which it is.
    pub permissions: Vec<Permission>,
}

/// What an app may do with one kind of record, or with one part of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The scopes that come to this, as they were asked for: one in most cases, but also
    /// `patient/Observation.r` and `patient/Observation.s`.
    pub scopes: Vec<ResourceScope>,
    /// All that they allow.
    pub access: Access,
}

/// The permissions that these scopes come to: for each level one group, for each type and query one
/// permission, all of a type beside one another.
#[must_use]
pub fn groups(scopes: &ScopeSet) -> Vec<Group> {
    let of = |level| {
        let mut permissions: Vec<Permission> = Vec::new();
        for scope in scopes.resources().filter(|scope| scope.level == level) {
            let is_of_type = |own: &Permission| own.resource() == &scope.resource;
            let end = permissions.iter().rposition(is_of_type).map_or(permissions.len(), |last| last + 1);
            let mut of_type = permissions[..end].iter_mut().rev().take_while(|own| is_of_type(own));
            match of_type.find(|own| own.filter() == &scope.filter) {
                Some(same) => {
                    same.access = same.access.union(scope.access);
                    same.scopes.push(scope.clone());
                }
                None => permissions.insert(end, Permission::from(scope.clone())),
            }
        }
        Group { level, permissions }
    };
    [Level::Patient, Level::User, Level::System].into_iter().map(of).filter(|group| !group.permissions.is_empty()).collect()
}

impl Group {
    /// Whose records, as a heading.
    #[must_use]
    pub fn title(&self, words: &Words) -> String {
        words.text(&format!("group-{}", self.level), &[])
    }
}

impl From<ResourceScope> for Permission {
    fn from(scope: ResourceScope) -> Self {
        Self { access: scope.access, scopes: vec![scope] }
    }
}

impl Permission {
    /// Which kind of record.
    #[must_use]
    pub fn resource(&self) -> &ResourceType {
        &self.scopes[0].resource
    }

    /// Which part of the kind; empty where it is all of it.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.scopes[0].filter
    }

    /// A short phrase that begins with a verb: "See lab results".
    #[must_use]
    pub fn label(&self, words: &Words, reader: Reader) -> String {
        let letters = [(Access::READ_SEARCH, 'r'), (Access::CREATE, 'c'), (Access::UPDATE, 'u'), (Access::DELETE, 'd')];
        let access: String =
            letters.into_iter().filter(|(some, _)| self.access.intersect(*some).is_some()).map(|(_, letter)| letter).collect();
        let args = [("access", Arg::from(access)), ("things", Arg::from(self.things(words, reader)))];
        words.text(if self.is_some_only() { "permission-some" } else { "permission" }, &args)
    }

    /// A sentence or two more: [what it is about](Self::about), and that the record itself can change.
    #[must_use]
    pub fn detail(&self, words: &Words) -> Option<String> {
        let changes = self.access.writes().then(|| words.text("detail-changes", &[]));
        let sentences: Vec<String> = self.about(words).into_iter().chain(changes).collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }

    /// What is in these records, or which of them are meant.
    #[must_use]
    pub fn about(&self, words: &Words) -> Option<String> {
        if self.is_some_only() {
            return Some(words.text("detail-some", &[("filter", Arg::from(shown(self.filter())))]));
        }
        words.find(&self.key(), Some("detail"), &[])
    }

    /// A noun phrase for the records.
    fn things(&self, words: &Words, reader: Reader) -> String {
        things(words, &self.key(), self.resource(), reader)
    }

    /// Whether it is about a part of a type that has no words of its own.
    fn is_some_only(&self) -> bool {
        !self.filter().is_empty() && self.scopes[0].category().is_none()
    }

    fn key(&self) -> String {
        match (self.scopes[0].category(), self.resource()) {
            (Some(category), _) => format!("category-{}", category.code),
            (None, ResourceType::Any) => "type-any".to_owned(),
            (None, ResourceType::Named(name)) => format!("type-{name}"),
        }
    }
}

fn things(words: &Words, key: &str, resource: &ResourceType, reader: Reader) -> String {
    let of_the_trade = || words.find(key, Some("clinician"), &[]).filter(|_| reader == Reader::Clinician);
    let everyday = || words.find(key, None, &[]);
    let unnamed = || words.text("type-other", &[("name", Arg::from(resource.to_string()))]);
    of_the_trade().or_else(everyday).unwrap_or_else(unnamed)
}

/// The query as somebody can read it who has never seen one: the systems of codes are left out.
fn shown(filter: &Filter) -> String {
    let value = |value: &str| value.rsplit('|').next().unwrap_or_default().to_owned();
    let pair = |(name, values): (&str, &str)| format!("{name}: {}", values.split(',').map(value).collect::<Vec<_>>().join(", "));
    filter.pairs().map(pair).collect::<Vec<_>>().join("; ")
}

/// What comes with a scope that is not about records; `None` for one that is.
#[must_use]
pub fn sentence(scope: &Scope, words: &Words, reader: Reader) -> Option<String> {
    match scope {
        Scope::Resource(_) => None,
        Scope::LaunchContext(context) => {
            let resource = ResourceType::Named(context.resource.clone());
            let things = things(words, &format!("type-{resource}"), &resource, reader);
            Some(words.text("scope-launch-context", &[("things", Arg::from(things))]))
        }
        word => Some(words.text(&format!("scope-{}", word.to_string().replace('/', "-")), &[])),
    }
}
