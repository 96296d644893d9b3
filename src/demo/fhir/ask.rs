//! What is asked for, and what HealthLake calls it.

use axum::http::Method;

use super::access::Action;

/// One request, as FHIR's REST rules read it.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    Read {
        kind: String,
        id: String,
    },
    Search {
        kind: String,
        by_form: bool,
    },
    Write {
        kind: String,
        /// `None`: a resource that is not there yet, or whichever a condition picks.
        id: Option<String>,
        action: Action,
        operation: &'static str,
    },
    /// Anything else: history, whole-system searches, bundles, operations.
    Elsewhere {
        operation: &'static str,
    },
}

impl Ask {
    /// `path` is what follows the base URL.
    pub fn of(method: &Method, path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => Self::Elsewhere { operation: if *method == Method::POST { "ProcessBundle" } else { "SearchAll" } },
            [kind] if is_type(kind) => match *method {
                Method::GET | Method::HEAD => Self::Search { kind: kind.into(), by_form: false },
                Method::POST => Self::write(kind, None, Action::Create, "CreateResource"),
                ref conditional => Self::change(conditional, kind, None),
            },
            [kind, "_search"] if is_type(kind) && *method == Method::POST => Self::Search { kind: kind.into(), by_form: true },
            [kind, id] if is_type(kind) && is_id(id) => match *method {
                Method::GET | Method::HEAD => Self::Read { kind: kind.into(), id: id.into() },
                ref other => Self::change(other, kind, Some(id)),
            },
            [_, _, "_history"] => Self::Elsewhere { operation: "GetHistoryByResourceId" },
            [_, _, "_history", _] => Self::Elsewhere { operation: "VersionReadResource" },
            [_, _, "$everything"] => Self::Elsewhere { operation: "SearchEverything" },
            _ => Self::Elsewhere { operation: "SearchAll" },
        }
    }

    fn write(kind: &str, id: Option<&str>, action: Action, operation: &'static str) -> Self {
        Self::Write { kind: kind.to_owned(), id: id.map(str::to_owned), action, operation }
    }

    fn change(method: &Method, kind: &str, id: Option<&str>) -> Self {
        match *method {
            Method::DELETE => Self::write(kind, id, Action::Delete, "DeleteResource"),
            Method::PATCH => Self::write(kind, id, Action::Update, "PatchResource"),
            _ => Self::write(kind, id, Action::Update, "UpdateResource"),
        }
    }

    /// The `operationName` of the event that HealthLake sends to its validator.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Read { .. } => "ReadResource",
            Self::Search { by_form: false, .. } => "SearchWithGet",
            Self::Search { by_form: true, .. } => "SearchWithPost",
            Self::Write { operation, .. } | Self::Elsewhere { operation } => operation,
        }
    }
}

fn is_type(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_uppercase()) && part.chars().all(|c| c.is_ascii_alphanumeric())
}

/// FHIR's `id`: up to 64 letters, digits, hyphens and dots.
pub fn is_id(part: &str) -> bool {
    (1..=64).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_the_name_that_healthlake_gives_it() {
        for (method, path, operation) in [
            (Method::GET, "/Patient/p001", "ReadResource"),
            (Method::HEAD, "/Patient/p001", "ReadResource"),
            (Method::GET, "/Patient", "SearchWithGet"),
            (Method::GET, "/Patient/", "SearchWithGet"),
            (Method::POST, "/Patient/_search", "SearchWithPost"),
            (Method::POST, "/Patient", "CreateResource"),
            (Method::PUT, "/Patient/p001", "UpdateResource"),
            (Method::PATCH, "/Patient/p001", "PatchResource"),
            (Method::DELETE, "/Patient/p001", "DeleteResource"),
            (Method::GET, "/Patient/p001/_history", "GetHistoryByResourceId"),
            (Method::GET, "/Patient/p001/_history/1", "VersionReadResource"),
            (Method::GET, "/Patient/p001/$everything", "SearchEverything"),
            (Method::POST, "/", "ProcessBundle"),
            (Method::GET, "/", "SearchAll"),
            (Method::GET, "/Patient/..%2f", "SearchAll"),
        ] {
            assert_eq!(Ask::of(&method, path).operation(), operation, "{method} {path}");
        }
    }
}
