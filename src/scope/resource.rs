//! `patient/Observation.rs`: whose data, which type, what may be done.

use std::fmt;
use std::str::FromStr;

use super::{Access, UnknownScope};

/// Whose data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The patient in context.
    Patient,
    /// Whatever the signed-in user may see.
    User,
    /// Everything; for backend services.
    System,
}

/// Which resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// `*`: every type, present and future.
    Any,
    /// One FHIR resource type, such as `Observation`.
    Named(String),
}

/// A scope for FHIR resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceScope {
    /// Whose data.
    pub level: Level,
    /// Which resources.
    pub resource: ResourceType,
    /// What may be done.
    pub access: Access,
}

impl ResourceType {
    /// Whether everything of type `other` is of this type.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        *self == Self::Any || self == other
    }

    /// Whether a resource of this FHIR type is meant.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Named(own) => own == name,
        }
    }
}

impl ResourceScope {
    /// Whether whoever may have `self` may have `other`.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.level == other.level && self.resource.contains(&other.resource) && self.access.contains(other.access)
    }

    /// What is allowed by both, in the spelling of `self`.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if self.level != other.level {
            return None;
        }
        let resource = if self.resource.contains(&other.resource) {
            other.resource.clone()
        } else if other.resource.contains(&self.resource) {
            self.resource.clone()
        } else {
            return None;
        };
        Some(Self { level: self.level, resource, access: self.access.intersect(other.access)? })
    }
}

impl FromStr for Level {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "patient" => Ok(Self::Patient),
            "user" => Ok(Self::User),
            "system" => Ok(Self::System),
            _ => Err(UnknownScope),
        }
    }
}

impl FromStr for ResourceType {
    type Err = UnknownScope;

    /// `*`, or the name of a FHIR R4 resource type. An unknown type is an unknown scope: a
    /// misspelt one would otherwise be granted and then never work.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match R4_TYPES.binary_search(&text) {
            Ok(_) => Ok(Self::Named(text.to_owned())),
            Err(_) => Err(UnknownScope),
        }
    }
}

impl FromStr for ResourceScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let (level, rest) = text.split_once('/').ok_or(UnknownScope)?;
        let (resource, access) = rest.split_once('.').ok_or(UnknownScope)?;
        Ok(Self { level: level.parse()?, resource: resource.parse()?, access: access.parse()? })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        })
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.level, self.resource, self.access)
    }
}

/// The resource types of FHIR R4 (4.0.1), sorted for the search above.
const R4_TYPES: &[&str] = &[
    "Account",
    "ActivityDefinition",
    "AdverseEvent",
    "AllergyIntolerance",
    "Appointment",
    "AppointmentResponse",
    "AuditEvent",
    "Basic",
    "Binary",
    "BiologicallyDerivedProduct",
    "BodyStructure",
    "Bundle",
    "CapabilityStatement",
    "CarePlan",
    "CareTeam",
    "CatalogEntry",
    "ChargeItem",
    "ChargeItemDefinition",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "CompartmentDefinition",
    "Composition",
    "ConceptMap",
    "Condition",
    "Consent",
    "Contract",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "DetectedIssue",
    "Device",
    "DeviceDefinition",
    "DeviceMetric",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "EffectEvidenceSynthesis",
    "Encounter",
    "Endpoint",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "EpisodeOfCare",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "ExplanationOfBenefit",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "GraphDefinition",
    "Group",
    "GuidanceResponse",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationEvaluation",
    "ImmunizationRecommendation",
    "ImplementationGuide",
    "InsurancePlan",
    "Invoice",
    "Library",
    "Linkage",
    "List",
    "Location",
    "Measure",
    "MeasureReport",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationKnowledge",
    "MedicationRequest",
    "MedicationStatement",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "MessageHeader",
    "MolecularSequence",
    "NamingSystem",
    "NutritionOrder",
    "Observation",
    "ObservationDefinition",
    "OperationDefinition",
    "OperationOutcome",
    "Organization",
    "OrganizationAffiliation",
    "Parameters",
    "Patient",
    "PaymentNotice",
    "PaymentReconciliation",
    "Person",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "ResearchSubject",
    "RiskAssessment",
    "RiskEvidenceSynthesis",
    "Schedule",
    "SearchParameter",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
    "VerificationResult",
    "VisionPrescription",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-04 of the threat catalogue: what is not wholly understood is unknown.
    #[test]
    fn a_scope_outside_of_the_grammar_is_unknown() {
        for bad in [
            "patient/Observation",
            "/Observation.rs",
            "patient/Foo.rs",
            "patient/Observation.sr",
            "patient/Observation.rr",
            "patient/Observation.x",
            "patient/Observation.",
            "patient/Observation..cruds.",
            "Patient/Observation.rs",
            "patient/observation.rs",
            "patient//Observation.rs",
            "patient/*",
            "patient:Observation.rs",
            "patient/Observation.rs ",
        ] {
            assert_eq!(bad.parse::<ResourceScope>(), Err(UnknownScope), "{bad:?}");
        }
    }

    #[test]
    fn the_types_are_sorted_for_the_search() {
        assert!(R4_TYPES.is_sorted());
    }

    #[test]
    fn a_wildcard_contains_a_type_and_not_the_reverse() {
        let scope = |s: &str| s.parse::<ResourceScope>().expect("a scope of this test");
        assert!(scope("user/*.rs").contains(&scope("user/ImagingStudy.rs")));
        assert!(scope("user/*.*").contains(&scope("user/ImagingStudy.read")));
        assert!(!scope("user/ImagingStudy.rs").contains(&scope("user/*.rs")));
        assert!(!scope("patient/*.rs").contains(&scope("user/Patient.r")));
        assert!(!scope("user/*.rs").contains(&scope("user/Patient.cud")));
    }
}
