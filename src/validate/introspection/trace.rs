//! What of a trace header is passed on.

/// The header as X-Ray writes it, `Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1`, of which the
/// last two may be missing. Other fields are left out: they are others' business, and may hold anything. `None`, where a field
/// is not what X-Ray writes.
pub(super) fn to_pass_on(header: &str) -> Option<String> {
    let (mut root, mut parent, mut sampled) = (None, None, None);
    for field in header.split(';') {
        let (name, value) = field.trim_ascii().split_once('=')?;
        let place = match name {
            "Root" if is_root(value) => &mut root,
            "Parent" if is_hex(value, 16) => &mut parent,
            "Sampled" if matches!(value, "0" | "1") => &mut sampled,
            "Root" | "Parent" | "Sampled" => return None,
            _ => continue,
        };
        if place.replace(field.trim_ascii()).is_some() {
            return None;
        }
    }
    Some([Some(root?), parent, sampled].into_iter().flatten().collect::<Vec<_>>().join(";"))
}

/// The version, the time, and a name.
fn is_root(text: &str) -> bool {
    let rest = text.strip_prefix("1-").and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(time, name)| is_hex(time, 8) && is_hex(name, 24))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "Root=1-67891233-abcdef012345678912345678";

    #[test]
    fn what_x_ray_writes_is_passed_on_and_nothing_else() {
        for (rest, passed_on) in [
            ("", ""),
            (";Parent=463ac35c9f6413ad", ";Parent=463ac35c9f6413ad"),
            (";Sampled=0", ";Sampled=0"),
            (";Parent=463ac35c9f6413ad;Sampled=1", ";Parent=463ac35c9f6413ad;Sampled=1"),
            (";Sampled=1; Parent=463AC35C9F6413AD", ";Parent=463AC35C9F6413AD;Sampled=1"),
            (";Lineage=1:a87bd80c:0;Self=x;token=eyJ", ""),
        ] {
            assert_eq!(to_pass_on(&format!("{ROOT}{rest}")), Some(format!("{ROOT}{passed_on}")));
        }
        assert_eq!(to_pass_on(&format!("Self=1-x;{ROOT}")).as_deref(), Some(ROOT));
        for odd in
            ["", "1-67891233-abcdef012345678912345678", "Root=", "Parent=463ac35c9f6413ad", "Root=1-6789123-3abcdef012345678912345678"]
        {
            assert_eq!(to_pass_on(odd), None, "{odd:?}");
        }
        for odd in [
            ";",
            ";x",
            ";Parent=463ac35c9f6413a",
            ";Parent=463ac35c9f6413ag",
            ";Sampled=?",
            ";Sampled=",
            &format!(";{ROOT}"),
            "9",
            "\r\nx: y",
        ] {
            assert_eq!(to_pass_on(&format!("{ROOT}{odd}")), None, "{odd:?}");
        }
        assert_eq!(to_pass_on("Root=2-67891233-abcdef012345678912345678"), None);
        assert_eq!(to_pass_on("Root=1-67891233-abcdef01234567891234567é"), None);
    }
}
