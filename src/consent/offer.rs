//! What a person is asked, and what their ticks come to.
//!
//! Each thing that an app asks for can be denied by itself (45 CFR 170.315(g)(10)(v)(A)). What it asks
//! for as a whole can be allowed in parts: everything as single types, `Condition` and `Observation`
//! as the categories of US Core (HTI-1). A person allows the whole or parts of it, never both.

use crate::scope::{MAX_LENGTH, MAX_SCOPES, ResourceScope, ResourceType, Scope, ScopeSet};
use crate::tenant::FhirBase;
use crate::words::{Permission, groups};

/// The types into which "everything" is taken apart: those of US Core, and what else a patient's
/// record usually holds. A token has to stay short enough to be sent, so not all of FHIR's are here.
const TYPES: [&str; 33] = [
    "Patient",
    "AllergyIntolerance",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "MedicationDispense",
    "MedicationStatement",
    "Medication",
    "Immunization",
    "Procedure",
    "Encounter",
    "Appointment",
    "DocumentReference",
    "Binary",
    "CarePlan",
    "CareTeam",
    "Goal",
    "ServiceRequest",
    "ImagingStudy",
    "Specimen",
    "Device",
    "FamilyMemberHistory",
    "QuestionnaireResponse",
    "Coverage",
    "ExplanationOfBenefit",
    "Consent",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "Provenance",
];

/// One thing that can be allowed, as a whole or in parts.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The whole.
    pub permission: Permission,
    /// Its parts, where there are any.
    pub parts: Vec<Choice>,
}

/// Everything that a person is asked about.
#[derive(Clone, Debug)]
pub struct Offer {
    scopes: ScopeSet,
    /// What can be allowed one by one. What is contained in another choice is not asked about twice.
    pub choices: Vec<Choice>,
}

/// Ticks that are no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Something was ticked that was not offered.
    NotOffered,
    /// Something was ticked as a whole, and a part of it as well.
    WholeAndParts,
    /// More single permissions than a token can hold.
    TooMany,
    /// Nothing was ticked, and nothing is left that an app could use.
    Nothing,
}

impl Offer {
    /// What there is to decide about these scopes: what the app asks for, as far as the person can
    /// give it.
    #[must_use]
    pub fn of(scopes: &ScopeSet) -> Self {
        let asked: Vec<&ResourceScope> = scopes.resources().collect();
        let is_part = |place: usize, scope: &ResourceScope| {
            let mut others = asked.iter().enumerate().filter(|(other, _)| *other != place);
            // Of two that mean the same, the first one stands for both.
            others.any(|(other, whole)| whole.contains(scope) && !(scope.contains(whole) && other > place))
        };
        let wholes = asked.iter().enumerate().filter(|(place, scope)| !is_part(*place, scope));
        let wholes: ScopeSet = wholes.map(|(_, scope)| Scope::Resource((*scope).clone())).collect();
        let permissions = groups(&wholes).into_iter().flat_map(|group| group.permissions);
        let choices = permissions.map(|permission| Choice::of(permission, &asked)).collect();
        Self { scopes: scopes.clone(), choices }
    }

    /// The same without the parts that the FHIR base has no scopes for.
    #[must_use]
    pub fn within(mut self, base: &FhirBase) -> Self {
        self.choices.iter_mut().for_each(|choice| choice.keep_within(base));
        self
    }

    /// Whether the app asks to stay when the person is away, which can be denied as well.
    #[must_use]
    pub fn offline(&self) -> bool {
        self.scopes.has(&Scope::OfflineAccess)
    }

    /// What these ticks allow: each the [value](Choice::value) of a choice or of a part of one. What was asked
    /// for and is allowed whole keeps its spelling and its place; of the rest there are the parts
    /// that were ticked. What comes with signing in is not asked about.
    ///
    /// # Errors
    /// [`Unfit`]
    pub fn allowed(&self, ticked: &[&str]) -> Result<ScopeSet, Unfit> {
        let mut open = ticked.to_vec();
        let stays = take(&mut open, &Scope::OfflineAccess.to_string()) && self.offline();
        if !self.offline() && ticked.contains(&Scope::OfflineAccess.to_string().as_str()) {
            return Err(Unfit::NotOffered);
        }
        let mut picked = Vec::new();
        for choice in &self.choices {
            choice.pick(&mut open, false, &mut picked)?;
        }
        if !open.is_empty() {
            return Err(Unfit::NotOffered);
        }
        // Another choice may hold the whole of what is a part here: beside it, the part says nothing.
        let is_rest = |part: &ResourceScope| picked.iter().any(|whole| whole.contains(part) && !part.contains(whole));
        let mut allowed = ScopeSet::default();
        for scope in self.scopes.iter() {
            match scope {
                Scope::Resource(asked) if picked.iter().any(|whole| whole.contains(asked)) => allowed.add(scope.clone()),
                Scope::Resource(asked) => {
                    let parts = picked.iter().filter(|part| asked.contains(part) && !is_rest(part));
                    parts.for_each(|part| allowed.add(Scope::Resource((*part).clone())));
                }
                Scope::OfflineAccess if !stays => {}
                _ => allowed.add(scope.clone()),
            }
        }
        if allowed.iter().count() > MAX_SCOPES || allowed.to_string().len() > MAX_LENGTH {
            return Err(Unfit::TooMany);
        }
        if is_worth_something(&allowed) { Ok(allowed) } else { Err(Unfit::Nothing) }
    }
}

/// Whether an app could do anything at all with these.
pub(super) fn is_worth_something(scopes: &ScopeSet) -> bool {
    scopes.has(&Scope::OpenId) || scopes.resources().next().is_some()
}

/// Whether it was there; it is gone now.
fn take(open: &mut Vec<&str>, name: &str) -> bool {
    let before = open.len();
    open.retain(|ticked| *ticked != name);
    open.len() < before
}

impl Choice {
    fn of(permission: Permission, asked: &[&ResourceScope]) -> Self {
        let mut parts = Self::known_parts(&permission);
        // What the app names itself is offered as well, where it is not in one of those.
        for scope in asked {
            let is_within = permission
                .scopes
                .iter()
                .any(|whole| whole.contains(scope) && (whole.resource != scope.resource || whole.filter != scope.filter));
            if is_within && !parts.iter().any(|part| part.contains(scope)) {
                parts.push(Self::of(Permission::from((*scope).clone()), &[]));
            }
        }
        Self { permission, parts }
    }

    fn known_parts(whole: &Permission) -> Vec<Self> {
        let each = |part: &dyn Fn(&ResourceScope) -> ResourceScope| {
            let scopes: Vec<ResourceScope> = whole.scopes.iter().map(part).collect();
            Permission { scopes, access: whole.access }
        };
        if !whole.filter().is_empty() {
            return vec![];
        }
        if *whole.resource() == ResourceType::Any {
            let of_type = |name: &&str| each(&|scope| ResourceScope { resource: ResourceType::Named((*name).to_owned()), ..scope.clone() });
            return TYPES.iter().map(|name| Self::of(of_type(name), &[])).collect();
        }
        // Nobody thinks of what is only written by its category.
        let categories = whole.scopes[0].categories().filter(|_| whole.access.reads());
        categories.map(|category| Self { permission: each(&|scope| scope.only(category)), parts: vec![] }).collect()
    }

    fn keep_within(&mut self, base: &FhirBase) {
        self.parts.retain(|part| part.permission.scopes.iter().all(|scope| base.understands(&Scope::Resource(scope.clone()))));
        self.parts.iter_mut().for_each(|part| part.keep_within(base));
    }

    /// What its box is called in the form: the scopes that it gives.
    #[must_use]
    pub fn value(&self) -> String {
        self.permission.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn contains(&self, scope: &ResourceScope) -> bool {
        self.permission.scopes.iter().any(|own| own.contains(scope))
    }

    /// Takes what was ticked of this from `open`.
    fn pick<'c>(&'c self, open: &mut Vec<&str>, is_within: bool, picked: &mut Vec<&'c ResourceScope>) -> Result<(), Unfit> {
        let is_ticked = take(open, &self.value());
        if is_ticked && is_within {
            return Err(Unfit::WholeAndParts);
        }
        if is_ticked {
            picked.extend(&self.permission.scopes);
        }
        self.parts.iter().try_for_each(|part| part.pick(open, is_ticked || is_within, picked))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONDITION: &str = "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item";
    const LAB: &str = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory";

    fn scopes(text: &str) -> ScopeSet {
        ScopeSet::parse(text).expect("a list of this test")
    }

    fn allowed(asked: &str, ticked: &[&str]) -> Result<String, Unfit> {
        Offer::of(&scopes(asked)).allowed(ticked).map(|set| set.to_string())
    }

    fn values(choices: &[Choice]) -> Vec<String> {
        choices.iter().flat_map(|choice| std::iter::once(choice.value()).chain(values(&choice.parts))).collect()
    }

    /// SC-10, SC-11
    #[test]
    fn only_what_was_offered_can_be_ticked_and_only_what_was_ticked_is_given() {
        let asked = "openid launch/patient patient/Patient.rs patient/Observation.rs offline_access";
        assert_eq!(
            allowed(asked, &["patient/Patient.rs", "offline_access"]).as_deref(),
            Ok("openid launch/patient patient/Patient.rs offline_access")
        );
        assert_eq!(allowed(asked, &[]).as_deref(), Ok("openid launch/patient"));
        for forged in ["patient/*.rs", "patient/Patient.cruds", "openid", "", "online_access", "patient/Patient.r"] {
            assert_eq!(allowed(asked, &[forged]), Err(Unfit::NotOffered), "{forged}");
        }
        assert_eq!(allowed("openid patient/Patient.rs", &["offline_access"]), Err(Unfit::NotOffered));
        assert_eq!(allowed("launch/patient patient/Patient.rs offline_access", &["offline_access"]), Err(Unfit::Nothing));
    }

    /// (g)(10) 9.15: sub-scopes stand instead of the whole, and nothing else changes its spelling.
    #[test]
    fn a_whole_type_can_be_allowed_in_categories() {
        let part = format!("patient/Condition.rs?category={CONDITION}");
        for (asked, given) in [
            ("patient/Condition.rs patient/Patient.rs", "patient/Patient.rs"),
            ("patient/Condition.read patient/Patient.read", "patient/Patient.read"),
        ] {
            assert_eq!(allowed(asked, &[&part, given]), Ok(format!("{part} {given}")), "{asked}");
        }
        assert_eq!(allowed("patient/Condition.rs", &[&part, "patient/Condition.rs"]), Err(Unfit::WholeAndParts));
        assert_eq!(allowed("patient/Condition.rs", &["patient/Condition.rs"]).as_deref(), Ok("patient/Condition.rs"));
        let offered = |asked: &str| Offer::of(&scopes(asked)).choices[0].parts.len();
        assert_eq!((offered("user/Condition.r"), offered("user/Observation.*"), offered("user/Observation.cud")), (3, 6, 0));
        assert_eq!(offered(&format!("user/Observation.rs?category={LAB}")), 0);
    }

    /// NEG-9: whoever narrows "everything" gets the single types, and their categories.
    #[test]
    fn everything_can_be_allowed_type_by_type() {
        let lab = format!("patient/Observation.rs?category={LAB}");
        assert_eq!(allowed("openid patient/*.rs", &["patient/*.rs"]).as_deref(), Ok("openid patient/*.rs"));
        assert_eq!(allowed("patient/*.rs openid", &["patient/Patient.rs", &lab]), Ok(format!("patient/Patient.rs {lab} openid")));
        assert_eq!(allowed("patient/*.read", &["patient/Goal.read"]).as_deref(), Ok("patient/Goal.read"));
        for (whole, part) in [("patient/*.rs", "patient/Goal.rs"), ("patient/*.rs", lab.as_str()), ("patient/Observation.rs", lab.as_str())]
        {
            assert_eq!(allowed("patient/*.rs", &[whole, part]), Err(Unfit::WholeAndParts), "{whole} {part}");
        }
    }

    /// What an app names beside "everything" is a part of it: it cannot be denied in one place and given in another.
    #[test]
    fn what_is_contained_in_something_else_is_asked_about_once() {
        let asked = "patient/*.rs patient/Observation.rs patient/ResearchStudy.rs patient/Goal.cruds patient/*.read";
        let offer = Offer::of(&scopes(asked));
        assert_eq!(offer.choices.iter().map(Choice::value).collect::<Vec<_>>(), ["patient/*.rs", "patient/Goal.cruds"]);
        assert_eq!(
            allowed(asked, &["patient/*.rs"]).as_deref(),
            Ok("patient/*.rs patient/Observation.rs patient/ResearchStudy.rs patient/*.read")
        );
        assert_eq!(allowed(asked, &["patient/ResearchStudy.rs"]).as_deref(), Ok("patient/ResearchStudy.rs"));
        assert_eq!(allowed(asked, &["patient/Observation.rs"]).as_deref(), Ok("patient/Observation.rs"));
        let mut all = values(&offer.choices);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), values(&offer.choices).len(), "no value stands for two boxes");
    }

    /// A whole in one choice and a part of it in another come to the whole.
    #[test]
    fn no_part_stands_beside_its_whole() {
        let part = format!("patient/Condition.rs?category={CONDITION}");
        let asked = "patient/*.rs patient/Condition.cruds";
        assert_eq!(allowed(asked, &[&part, "patient/Condition.cruds"]).as_deref(), Ok("patient/Condition.cruds"));
        assert_eq!(allowed(asked, &[&part]), Ok(part.clone()));
        assert_eq!(
            allowed("patient/*.read patient/Goal.cud", &["patient/Goal.read", "patient/Goal.cud"]).as_deref(),
            Ok("patient/Goal.read patient/Goal.cud")
        );
    }

    /// Two scopes that come to one permission are one box, and a denial of one is a denial of both.
    #[test]
    fn what_reads_as_one_permission_is_one_box() {
        let asked = "patient/Observation.r patient/Goal.rs patient/Observation.s";
        assert_eq!(
            allowed(asked, &["patient/Observation.r patient/Observation.s"]).as_deref(),
            Ok("patient/Observation.r patient/Observation.s")
        );
        assert_eq!(allowed(asked, &["patient/Goal.rs"]).as_deref(), Ok("patient/Goal.rs"));
        assert_eq!(allowed(asked, &["patient/Observation.r"]), Err(Unfit::NotOffered));
        let part = format!("patient/Observation.r?category={LAB} patient/Observation.s?category={LAB}");
        assert_eq!(allowed(asked, &[&part]), Ok(part.clone()));
    }

    #[test]
    fn more_than_a_token_can_hold_is_said_to_be_too_much() {
        let parts =
            |asked| values(&Offer::of(&scopes(asked)).choices).into_iter().filter(|value| !value.contains(['*', '?'])).collect::<Vec<_>>();
        let all = |asked| allowed(asked, &parts(asked).iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(all("patient/*.rs user/*.rs patient/*.cud user/*.cud"), Err(Unfit::TooMany));
        let one = all("patient/*.rs");
        assert_eq!(one.map(|set| scopes(&set).iter().count()), Ok(33));
    }

    proptest! {
        /// Whatever is ticked, nothing is allowed that was not asked for.
        #[test]
        fn no_ticks_allow_more_than_was_asked(
            asked in prop::collection::vec(prop::sample::select(vec![
                "patient/*.rs", "patient/*.read", "patient/Observation.rs", "patient/Observation.r", "patient/Condition.cruds",
                "user/*.*", "user/Condition.read", "openid", "offline_access", "launch/patient",
            ]), 1..6),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let asked = scopes(&asked.join(" "));
            let offer = Offer::of(&asked);
            let values = values(&offer.choices);
            let ticked: Vec<&str> = if values.is_empty() { vec![] } else { picks.iter().map(|pick| values[pick.index(values.len())].as_str()).collect() };
            if let Ok(allowed) = offer.allowed(&ticked) {
                prop_assert!(asked.contains(&allowed), "{asked}: {ticked:?} gave {allowed}");
                // What was not ticked, as a whole or in parts, is not there.
                for scope in allowed.resources() {
                    let mut words = ticked.iter().flat_map(|ticked| ticked.split(' '));
                    prop_assert!(words.any(|t| t.parse::<ResourceScope>().is_ok_and(|t| t.contains(scope))), "{scope} was not ticked");
                }
            }
        }
    }
}
