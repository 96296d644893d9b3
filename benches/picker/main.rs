//! The picker with a million patients: what one page costs in CPU time, beside its budget of 20 ms.
//!
//! Three clinicians: one who may open everybody, one with twenty patients, one with half of them. Each page is asked for
//! many times; the CPU time is the process's own, SQLite's threads included. `benches/README.md` says how to run it.

use std::process::ExitCode;
use std::time::Instant;

use admit::audit::Origin;
use admit::id::{PatientId, TenantId};
use admit::person::{FhirUser, Patient};
use admit::store::{ImportedPatient, Location, Opener, Store};
use admit::tenant::FhirBase;

/// How often each page is asked for.
const TIMES: u32 = 200;
/// What a page may cost, in milliseconds of CPU time.
const BUDGET: f64 = 20.0;

const GIVEN: [&str; 40] = [
    "Ada", "Bo", "Cy", "Di", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kai", "Lea", "Mia", "Ned", "Ola", "Pia", "Quin", "Ray", "Sam",
    "Tess", "Uma", "Vic", "Wyn", "Xan", "Yara", "Zoe", "Abel", "Bea", "Cora", "Dov", "Edna", "Finn", "Gail", "Hugo", "Iris", "Jan", "Kim",
    "Lou", "Mara", "Nils",
];
const PARTS: [&str; 30] = [
    "ash", "birch", "cedar", "dale", "elm", "fern", "glen", "hazel", "ivy", "juniper", "knoll", "larch", "maple", "nettle", "oak", "pine",
    "quarry", "rowan", "sedge", "thorn", "umber", "vale", "willow", "yarrow", "stone", "mill", "ford", "wood", "field", "brook",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let count = arguments.next().map_or(Ok(1_000_000), |text| text.parse());
    let Ok(count) = count else {
        eprintln!("picker: the one argument is how many patients there are [default: 1000000]");
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(measure(count))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("picker: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(count: usize) -> Result<bool, String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let now = time::macros::datetime!(2026-11-22 12:00 UTC);
    let store = Store::open(&Location::Sqlite(dir.path().join("picker.db")), now).await.map_err(|error| error.to_string())?;
    let origin = Origin::command(TenantId::default_tenant(), now);
    let begun = Instant::now();
    fill(&store, &origin, count).await.map_err(|error| error.to_string())?;
    println!("{count} patients written in {:.0} s", begun.elapsed().as_secs_f64());

    let mut is_good = true;
    println!("{:<18} {:<24} {:>6} {:>12} {:>12}", "clinician", "search", "found", "CPU ms", "wall ms");
    for who in ["Practitioner/all", "Practitioner/half", "Practitioner/few"] {
        let person: FhirUser = who.parse().map_err(|_| "no person")?;
        for typed in ["", "a", "wil", "ada willowford", "willowford ada", "zoe z", "19", "1984-03-09", "MRN-0001", "MRN-0500000", "nobody"]
        {
            let (cpu, wall) = (cpu_seconds()?, Instant::now());
            let mut found = 0;
            for _ in 0..TIMES {
                let page = store.patients_open_to(&origin.tenant, "main", &person, typed, 51).await;
                found = page.map_err(|error| error.to_string())?.len();
            }
            let each = |seconds: f64| seconds * 1000.0 / f64::from(TIMES);
            let (cpu, wall) = (each(cpu_seconds()? - cpu), each(wall.elapsed().as_secs_f64()));
            is_good &= cpu <= BUDGET;
            println!("{who:<18} {typed:<24} {found:>6} {cpu:>12.3} {wall:>12.3}{}", if cpu <= BUDGET { "" } else { "  over budget" });
        }
    }
    store.close().await;
    Ok(is_good)
}

async fn fill(store: &Store, origin: &Origin, count: usize) -> Result<(), admit::store::Error> {
    let base = FhirBase::new("main", "https://fhir.test/r4");
    store.add_fhir_base(origin, &base).await?;
    let opener = |who: &str| Opener { who: who.to_owned(), since: None };
    let few = (count / 20).max(1);
    let imported = |number: usize| {
        let mut opened_by = vec![opener("Practitioner/all")];
        opened_by.extend(number.is_multiple_of(2).then(|| opener("Practitioner/half")));
        opened_by.extend(number.is_multiple_of(few).then(|| opener("Practitioner/few")));
        ImportedPatient { patient: patient(number), is_inactive: false, opened_by }
    };
    store.import_patients(origin, "main", (0..count).map(imported).collect(), false).await
}

/// Nobody: names of 40 × 900 combinations, birth dates over a century, a number of their own.
fn patient(number: usize) -> Patient {
    let mixed = number.wrapping_mul(2_654_435_761) >> 7;
    let family = format!("{}{}", PARTS[mixed % PARTS.len()], PARTS[mixed / 31 % PARTS.len()]);
    Patient {
        id: PatientId::new(format!("p{number}")),
        name: format!("{} {}{}", GIVEN[mixed / 997 % GIVEN.len()], family[..1].to_uppercase(), &family[1..]),
        birth_date: format!("{}-{:02}-{:02}", 1926 + mixed / 13 % 100, 1 + mixed / 7 % 12, 1 + mixed / 3 % 28),
        sex: "unknown".to_owned(),
        mrn: format!("MRN-{number:07}"),
    }
}

/// What this process has used of all cores so far, in seconds (proc(5): fields 14 and 15, in ticks of 10 ms).
fn cpu_seconds() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).ok_or("no /proc/self/stat");
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
