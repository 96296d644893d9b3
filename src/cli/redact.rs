//! Messages without secrets: a token that was typed where none belongs is not repeated on a terminal, whose contents are
//! kept, copied and shown to others.

/// What may stand in a message: as long as the name of a key (a thumbprint of RFC 7638). Our own tokens and secrets are
/// longer, and so is every JWT.
const MOST: usize = 43;

/// The text without what could be a token or a secret.
pub(super) fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_of_tokens) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_of_tokens(c)).unwrap_or(from.len()));
        redacted.push_str(before);
        if could_be_token(word) {
            redacted.push_str(&format!("[{} characters, which could be a token]", word.len()));
        } else {
            redacted.push_str(word);
        }
        rest = after;
    }
    redacted + rest
}

/// The alphabet of base64url, and the dots between the parts of a JWT. Addresses and paths are cut at their slashes.
fn is_of_tokens(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Long names of files seldom have all three kinds of characters; random ones of this length do.
fn could_be_token(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    word.len() > MOST && has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_token_is_left_out_and_nothing_else() {
        let jwt = format!("eyJ{}.eyJ{}.x1_-", "aA0".repeat(20), "bB1".repeat(20));
        let secret = format!("cs_{}", "aZ9-".repeat(11));
        for token in [&jwt, &secret] {
            let left_out = format!("[{} characters, which could be a token]", token.len());
            for (before, after) in [("", ""), ("invalid value '", "' for '--at <TIME>'"), ("ü Bearer ", "\n"), ("--x=", " found")] {
                assert_eq!(redact(&format!("{before}{token}{after}")), format!("{before}{left_out}{after}"));
            }
            assert_eq!(redact(&format!("{token} {token}")), format!("{left_out} {left_out}"));
        }
        for plain in [
            "",
            "unexpected argument '--boolean-is-authorized' found, ü",
            "there is no key ZkhvgqnZoMrlS9nB-fKznwyDoTTBYWzTAy2byL0M-xw",
            "https://healthlake.us-east-1.amazonaws.com/datastore/0123456789abcdef0123456789abcdef/r4/",
            "arn:aws:iam::123456789012:role/Smart-1/Reader-2",
            "there is no file patients-of-the-example-hospital-since-2026-11-22.ndjson",
        ] {
            assert_eq!(redact(plain), plain);
        }
    }
}
