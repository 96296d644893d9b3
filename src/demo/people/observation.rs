//! The shape that every Observation shares.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::chart::{Chart, instant};
use super::term::{OBSERVATION_CATEGORY, Term, UCUM, US_CORE_CATEGORY};
use super::visit::Visit;

/// The categories of US Core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    VitalSigns,
    Laboratory,
    SocialHistory,
    Survey,
    /// A survey about how somebody lives.
    Sdoh,
    /// A clinical test that is neither of the laboratory nor an image.
    ClinicalTest,
}

impl Category {
    fn concepts(self) -> Vec<Value> {
        let of = |system: &str, code: &str, display: &str| json!({ "coding": [{ "system": system, "code": code, "display": display }] });
        let base = |code, display| of(OBSERVATION_CATEGORY, code, display);
        match self {
            Self::VitalSigns => vec![base("vital-signs", "Vital Signs")],
            Self::Laboratory => vec![base("laboratory", "Laboratory")],
            Self::SocialHistory => vec![base("social-history", "Social History")],
            Self::Survey => vec![base("survey", "Survey")],
            Self::Sdoh => vec![base("survey", "Survey"), of(US_CORE_CATEGORY, "sdoh", "SDOH")],
            Self::ClinicalTest => vec![base("procedure", "Procedure")],
        }
    }
}

/// A unit: what people read, its UCUM code, and how many decimals are measured.
#[derive(Clone, Copy)]
pub struct Unit {
    shown: &'static str,
    code: &'static str,
    decimals: i32,
}

const fn unit(shown: &'static str, code: &'static str, decimals: i32) -> Unit {
    Unit { shown, code, decimals }
}

pub const KILOGRAM: Unit = unit("kg", "kg", 1);
pub const CENTIMETRE: Unit = unit("cm", "cm", 1);
pub const BODY_MASS: Unit = unit("kg/m2", "kg/m2", 1);
pub const MERCURY: Unit = unit("mmHg", "mm[Hg]", 0);
pub const PER_MINUTE: Unit = unit("/min", "/min", 0);
pub const CELSIUS: Unit = unit("°C", "Cel", 1);
pub const SATURATION: Unit = unit("%", "%", 0);
pub const PERCENT: Unit = unit("%", "%", 1);
pub const MG_PER_DL: Unit = unit("mg/dL", "mg/dL", 0);
/// For what there is little of.
pub const MG_PER_DL_FINE: Unit = unit("mg/dL", "mg/dL", 2);
pub const G_PER_DL: Unit = unit("g/dL", "g/dL", 1);
pub const SCORE: Unit = unit("score", "{score}", 0);

impl Unit {
    /// A FHIR `Quantity`, rounded to what such a device shows.
    pub fn quantity(self, value: f64) -> Value {
        let value = match self.decimals {
            0 => json!(value.round() as i64),
            1 => json!((value * 10.0).round() / 10.0),
            _ => json!((value * 100.0).round() / 100.0),
        };
        json!({ "value": value, "unit": self.shown, "system": UCUM, "code": self.code })
    }
}

/// Something that can be observed.
#[derive(Clone, Copy)]
pub struct Test {
    /// What people call it; the codes' own displays are the terminology's.
    name: &'static str,
    codes: &'static [Term],
}

impl Test {
    pub const fn new(name: &'static str, codes: &'static [Term]) -> Self {
        Self { name, codes }
    }
}

/// What was found: the key and the value of `value[x]` (or of `component`).
pub type Finding = (&'static str, Value);

/// Writes down one Observation, made `minutes` after the visit began.
pub fn write(chart: &mut Chart, visit: &Visit, minutes: i64, category: Category, test: Test, (key, found): Finding) {
    let at: OffsetDateTime = visit.start + Duration::minutes(minutes);
    let codings: Vec<Value> = test.codes.iter().map(Term::coding).collect();
    let mut body = json!({
        "status": "final",
        "category": category.concepts(),
        "code": { "coding": codings, "text": test.name },
        "subject": chart.person.reference(),
        "encounter": visit.reference(),
        "effectiveDateTime": instant(at),
        "performer": [visit.clinician_reference()],
    });
    body[key] = found;
    chart.add("Observation", at + Duration::minutes(1), body);
}
