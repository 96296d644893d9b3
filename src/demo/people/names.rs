//! Names for people who do not exist.
//!
//! Every family name is a word of woods, fields and weather, so that a screenshot says at a
//! glance that nobody in it is real.

use super::person::Gender;

pub const FAMILIES: [&str; 50] = [
    "Alderwood",
    "Applegrove",
    "Ashbrook",
    "Barleycroft",
    "Beechmere",
    "Birchall",
    "Bramblewood",
    "Briarley",
    "Brightwater",
    "Cedarholm",
    "Cloverfield",
    "Copperleaf",
    "Cornflower",
    "Dewhurst",
    "Driftwood",
    "Elderberry",
    "Elmsworth",
    "Fallowfield",
    "Fennimore",
    "Foxglove",
    "Frostwick",
    "Goldenrod",
    "Greenhollow",
    "Hartsong",
    "Heatherly",
    "Honeywell-Moss",
    "Ivybridge",
    "Juniperus",
    "Kestrelby",
    "Lakeshore",
    "Lavenderly",
    "Lindenrow",
    "Maplethorpe",
    "Marigold",
    "Meadowcroft",
    "Millstream",
    "Mistlethwaite",
    "Mosswood",
    "Nightingale-Fern",
    "Oakhollow",
    "Pebblebrook",
    "Pinecrest",
    "Quillfeather",
    "Rainsford",
    "Rosewillow",
    "Rowanby",
    "Skylark",
    "Snowdrop",
    "Thistledown",
    "Wildermere",
];

const WOMEN: [&str; 27] = [
    "Ada", "Beatriz", "Chloe", "Divya", "Elena", "Fatima", "Greta", "Hana", "Ines", "Joy", "Keiko", "Leila", "Maren", "Nadia", "Olive",
    "Priya", "Quinta", "Rosa", "Sofia", "Thandi", "Uma", "Vera", "Wanda", "Ximena", "Yara", "Zora", "Mei",
];

const MEN: [&str; 27] = [
    "Arjun", "Bruno", "Caleb", "Dmitri", "Emeka", "Felipe", "Goran", "Hugo", "Ivo", "Jonas", "Kofi", "Luca", "Mateo", "Nils", "Omar",
    "Pavel", "Quentin", "Rafael", "Sami", "Tomas", "Umar", "Viktor", "Wen", "Xavier", "Yusuf", "Zane", "Idris",
];

const ANYONE: [&str; 3] = ["Robin", "Sasha", "Rowan"];

/// The given name of the `n`th person.
pub fn given(gender: Gender, n: usize) -> &'static str {
    let names: &[&str] = match gender {
        Gender::Female => &WOMEN,
        Gender::Male => &MEN,
        Gender::Other => &ANYONE,
    };
    // 10 shares no factor with 27, so that a table's names come in turn and not in order.
    names[n * 10 % names.len()]
}

/// `"Rosa"` and `"Foxglove"` make `rosa.foxglove`, for addresses and user names.
pub fn handle(given: &str, family: &str) -> String {
    format!("{given}.{family}").to_lowercase()
}
