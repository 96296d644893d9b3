//! What people have, and what they take for it.

use super::term::Term;

/// A lasting problem of the kind that stands on a problem list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    Asthma,
    AtrialFibrillation,
    Copd,
    CoronaryDisease,
    Depression,
    Diabetes,
    Eczema,
    Gout,
    Hyperlipidaemia,
    Hypertension,
    KneeArthrosis,
    Obesity,
    Osteoporosis,
    Prediabetes,
    Rhinitis,
}

/// A medicine, and how it is taken.
pub struct Drug {
    pub term: Term,
    pub dose: &'static str,
    /// Times a day.
    pub daily: u32,
    pub as_needed: bool,
}

const fn drug(code: &'static str, name: &'static str, dose: &'static str, daily: u32) -> Drug {
    Drug { term: Term::rxnorm(code, name), dose, daily, as_needed: false }
}

const fn as_needed(code: &'static str, name: &'static str, dose: &'static str) -> Drug {
    Drug { term: Term::rxnorm(code, name), dose, daily: 4, as_needed: true }
}

const ASTHMA: [Drug; 2] = [
    as_needed("745679", "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "2 puffs when wheezing"),
    drug("895994", "120 ACTUAT Fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler", "2 puffs twice a day", 2),
];
const FIBRILLATION: [Drug; 1] = [drug("855332", "Warfarin Sodium 5 MG Oral Tablet", "1 tablet a day, by INR", 1)];
const COPD: [Drug; 1] = [drug(
    "896209",
    "60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler",
    "1 inhalation twice a day",
    2,
)];
const CORONARY: [Drug; 1] = [drug("309362", "Clopidogrel 75 MG Oral Tablet", "1 tablet a day", 1)];
const DEPRESSION: [Drug; 1] = [drug("312941", "Sertraline 50 MG Oral Tablet", "1 tablet in the morning", 1)];
const DIABETES: [Drug; 1] =
    [drug("860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "2 tablets with the evening meal", 1)];
const ECZEMA: [Drug; 1] = [drug("106258", "Hydrocortisone 10 MG/ML Topical Cream", "a thin layer twice a day", 2)];
const GOUT: [Drug; 1] = [drug("197319", "Allopurinol 100 MG Oral Tablet", "1 tablet a day", 1)];
const LIPIDS: [Drug; 1] = [drug("312961", "Simvastatin 20 MG Oral Tablet", "1 tablet at night", 1)];
const PRESSURE: [Drug; 2] = [
    drug("314076", "Lisinopril 10 MG Oral Tablet", "1 tablet a day", 1),
    drug("197361", "Amlodipine 5 MG Oral Tablet", "1 tablet a day", 1),
];
const ARTHROSIS: [Drug; 1] = [as_needed("313782", "Acetaminophen 325 MG Oral Tablet", "2 tablets when in pain")];
const OSTEOPOROSIS: [Drug; 1] = [drug("904419", "Alendronic acid 10 MG Oral Tablet", "1 tablet before breakfast", 1)];
const RHINITIS: [Drug; 1] = [as_needed("311372", "Loratadine 10 MG Oral Tablet", "1 tablet on bad days")];

impl Ailment {
    pub fn term(self) -> Term {
        match self {
            Self::Asthma => Term::snomed("195967001", "Asthma"),
            Self::AtrialFibrillation => Term::snomed("49436004", "Atrial fibrillation"),
            Self::Copd => Term::snomed("13645005", "Chronic obstructive pulmonary disease"),
            Self::CoronaryDisease => Term::snomed("53741008", "Coronary arteriosclerosis"),
            Self::Depression => Term::snomed("35489007", "Depressive disorder"),
            Self::Diabetes => Term::snomed("44054006", "Diabetes mellitus type 2"),
            Self::Eczema => Term::snomed("24079001", "Atopic dermatitis"),
            Self::Gout => Term::snomed("90560007", "Gout"),
            Self::Hyperlipidaemia => Term::snomed("55822004", "Hyperlipidemia"),
            Self::Hypertension => Term::snomed("59621000", "Essential hypertension"),
            Self::KneeArthrosis => Term::snomed("239873007", "Osteoarthritis of knee"),
            Self::Obesity => Term::snomed("162864005", "Body mass index 30+ - obesity"),
            Self::Osteoporosis => Term::snomed("64859006", "Osteoporosis"),
            Self::Prediabetes => Term::snomed("15777000", "Prediabetes"),
            Self::Rhinitis => Term::snomed("367498001", "Seasonal allergic rhinitis"),
        }
    }

    /// What is prescribed for it: the first to everybody, the others to some.
    pub fn drugs(self) -> &'static [Drug] {
        match self {
            Self::Asthma => &ASTHMA,
            Self::AtrialFibrillation => &FIBRILLATION,
            Self::Copd => &COPD,
            Self::CoronaryDisease => &CORONARY,
            Self::Depression => &DEPRESSION,
            Self::Diabetes => &DIABETES,
            Self::Eczema => &ECZEMA,
            Self::Gout => &GOUT,
            Self::Hyperlipidaemia => &LIPIDS,
            Self::Hypertension => &PRESSURE,
            Self::KneeArthrosis => &ARTHROSIS,
            Self::Osteoporosis => &OSTEOPOROSIS,
            Self::Rhinitis => &RHINITIS,
            Self::Obesity | Self::Prediabetes => &[],
        }
    }

    /// Whether it wants a visit every half year.
    pub fn is_followed(self) -> bool {
        matches!(
            self,
            Self::AtrialFibrillation | Self::Copd | Self::CoronaryDisease | Self::Depression | Self::Diabetes | Self::Hypertension
        )
    }
}
