//! What was written is read; anything else is not.

use age::x25519;
use time::macros::datetime;

use super::*;

fn database() -> Vec<u8> {
    let text = (0..20_000).flat_map(|n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes());
    b"SQLite format 3\0".iter().copied().chain(text).collect()
}

fn manifest(database: &[u8]) -> Manifest {
    let rows = BTreeMap::from([("client".to_owned(), 3)]);
    Manifest::of(database, 11, rows, datetime!(2026-11-22 12:00 UTC)).expect("it is in memory")
}

fn packed(protection: &Protection) -> Vec<u8> {
    let (database, mut file) = (database(), Vec::new());
    manifest(&database).write(&database[..], &mut file, protection).expect("it is in memory");
    file
}

fn unpacked(file: &[u8], keys: &Keys) -> Result<(Manifest, Vec<u8>), BadBackup> {
    let Ok(opened) = Source::of(file)?.open(keys)? else { unreachable!("that is a database") };
    let (manifest, mut database) = (opened.manifest.clone(), Vec::new());
    opened.unpack(&mut database)?;
    Ok((manifest, database))
}

fn pair() -> (Protection, Keys) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string().parse().expect("a recipient");
    (Protection::Recipients(vec![recipient]), Keys::Identities(vec![identity]))
}

#[test]
fn what_was_written_is_read() {
    let passphrase = || "a passphrase of this test".to_owned();
    for (protection, keys) in
        [(Protection::Nothing, Keys::Nothing), pair(), (Protection::Passphrase(passphrase()), Keys::Passphrase(passphrase()))]
    {
        let file = packed(&protection);
        assert_eq!(unpacked(&file, &keys).expect("it is whole"), (manifest(&database()), database()));
        let is_readable = file.windows(15).any(|window| window == b"SQLite format 3") || !file.starts_with(b"age-encryption.org/v1\n");
        assert_eq!(is_readable, matches!(protection, Protection::Nothing));
    }
}

#[test]
fn each_of_several_recipients_opens_it_alone() {
    let (Protection::Recipients(mut all), first) = pair() else { unreachable!("recipients") };
    let (Protection::Recipients(second), other) = pair() else { unreachable!("recipients") };
    all.extend(second);
    let file = packed(&Protection::Recipients(all));
    assert!(unpacked(&file, &first).is_ok() && unpacked(&file, &other).is_ok());
}

#[test]
fn the_wrong_key_opens_nothing() {
    let (protection, _) = pair();
    let file = packed(&protection);
    assert!(matches!(unpacked(&file, &pair().1), Err(BadBackup::WrongIdentity)));
    assert!(matches!(unpacked(&file, &Keys::Nothing), Err(BadBackup::NeedsIdentity)));
    assert!(matches!(unpacked(&file, &Keys::Passphrase("x".to_owned())), Err(BadBackup::NeedsIdentity)));
    let file = packed(&Protection::Passphrase("right".to_owned()));
    assert!(Source::of(&file[..]).expect("ours").wants_passphrase());
    assert!(matches!(unpacked(&file, &Keys::Passphrase("wrong".to_owned())), Err(BadBackup::WrongPassphrase)));
    assert!(matches!(unpacked(&file, &Keys::Nothing), Err(BadBackup::NeedsPassphrase)));
}

/// Cut off anywhere, and with one bit turned anywhere.
#[test]
fn a_file_that_was_changed_is_no_backup() {
    let (protection, keys) = pair();
    for (file, keys, what) in [(packed(&protection), keys, "encrypted"), (packed(&Protection::Nothing), Keys::Nothing, "plain")] {
        let places = (0..file.len()).step_by(file.len() / 97).chain([file.len() - 1, file.len() - 9, file.len() - 17]);
        for at in places {
            assert!(unpacked(&file[..at], &keys).is_err(), "{what}, cut off at {at} of {}", file.len());
            let mut bent = file.clone();
            bent[at] ^= 0x10;
            // A few bits of gzip's own header say nothing about what follows.
            let is_idle = what == "plain" && (4..10).contains(&at);
            assert!(is_idle || unpacked(&bent, &keys).is_err(), "{what}, turned at {at} of {}", file.len());
        }
        let longer = [&file[..], b"x"].concat();
        assert!(unpacked(&longer, &keys).is_err(), "{what}, with something at its end");
    }
}

#[test]
fn what_is_not_ours_is_said_to_be_foreign() {
    let gzip = |text: &str| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text.as_bytes()).expect("it is in memory");
        packed.finish().expect("it is in memory")
    };
    for foreign in
        [vec![], b"PK\x03\x04".to_vec(), gzip(""), gzip("tar"), gzip("{}\n"), gzip("{\"format\":1}\nx"), gzip(&"x".repeat(200_000))]
    {
        assert!(matches!(unpacked(&foreign, &Keys::Nothing), Err(BadBackup::Foreign)), "{foreign:?}");
    }
    let newer = gzip("{\"format\":2,\"program\":\"9.1\\u001b[2J\"}\nwhatever");
    let refused = unpacked(&newer, &Keys::Nothing).map(|_| ()).expect_err("it is newer");
    assert!(matches!(refused, BadBackup::Newer(_)) && refused.to_string().contains("Admit 9.1[2J,"), "{refused}");
}

#[test]
fn recipients_and_identities_are_told_apart() {
    let identity = x25519::Identity::generate();
    let (public, secret) = (identity.to_public().to_string(), identity.to_string());
    let secret = age::secrecy::ExposeSecret::expose_secret(&secret);
    let file = format!("# made by this test\n\n {public}\n{public}\n");
    assert_eq!(Recipient::of_file(&file).map(|all| all.len()), Ok(2));
    let why = secret.parse::<Recipient>().expect_err("an identity").to_string();
    assert!(why.contains("begins with age1") && !why.contains(secret), "{why}");
    assert_eq!(Recipient::of_file("# none\n").expect_err("none").to_string(), "there is no recipient in it");
    assert!(Recipient::of_file(&format!("{public}\nage1x\n")).expect_err("one is none").to_string().starts_with("line 2: "));
    assert!(matches!(Keys::of_file(format!("# one\n{secret}\n").as_bytes()), Ok(Keys::Identities(own)) if own.len() == 1));
    for (bad, why) in [(public.as_str(), "line 1 is no identity"), ("\n#\n", "there is no identity"), ("AGE-SECRET-KEY-1X", "line 1")] {
        let error = Keys::of_file(bad.as_bytes()).err().expect("no identity").to_string();
        assert!(error.contains(why) && !error.contains("KEY-1X"), "{error}");
    }
}
