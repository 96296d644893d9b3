use super::*;

#[test]
fn an_issuer_is_https_or_loopback_and_nothing_but_an_origin() {
    for good in
        ["https://auth.example.org", "https://auth.example.org:8443", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:9000"]
    {
        assert!(check_issuer(good).is_ok(), "{good}");
    }
    for bad in [
        "http://auth.example.org",
        "https://auth.example.org/",
        "https://auth.example.org/x",
        "https://Auth.example.org",
        "https://auth.example.org:443",
        "https://auth.example.org?x",
        "https://u@auth.example.org",
        "ftp://auth.example.org",
        "auth.example.org",
        "",
        "http://127.0.0.1.evil.test",
    ] {
        assert!(check_issuer(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_unknown_key_in_the_file_is_an_error() {
    assert!(toml::from_str::<File>("issuer = \"https://a.test\"\nhash_slots = 2").is_ok());
    let error = toml::from_str::<File>("isuer = \"https://a.test\"").map(|_| ()).map_err(|error| error.to_string());
    assert!(error.is_err_and(|text| text.contains("isuer")));
}

#[test]
fn flags_come_before_the_file_and_the_file_before_defaults() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("admit.toml");
    std::fs::write(&path, "issuer = \"https://file.test\"\norganization = \"From the file\"").expect("written");
    let common = Common { config: Some(path), ..Common::default() };
    let config = Config::resolve(common.clone(), Serve::default()).expect("good settings");
    let server = config.server.expect("good settings");
    assert_eq!((server.issuer.as_str(), server.organization.as_str()), ("https://file.test", "From the file"));
    let serve = Serve { issuer: Some("https://flag.test".to_owned()), ..Serve::default() };
    let server = Config::resolve(common, serve).and_then(|config| config.server).expect("good settings");
    assert_eq!(server.issuer, "https://flag.test");
    let defaults = Config::resolve(Common::default(), Serve::default()).expect("good settings");
    assert_eq!(defaults.server.expect("good settings").issuer, "http://127.0.0.1:8080");
    assert_eq!(defaults.database, Location::Sqlite("admit.db".into()));
}

#[test]
fn a_role_is_the_arn_of_one_and_the_lesser_does_not_stand_alone() {
    let resolve = |role: Option<&str>, reader: Option<&str>| {
        let own = |arn: Option<&str>| arn.map(str::to_owned);
        let serve = Serve { role_arn: own(role), read_only_role_arn: own(reader), ..Serve::default() };
        Config::resolve(Common::default(), serve).and_then(|config| config.server)
    };
    let arn = "arn:aws:iam::123456789012:role/smart";
    assert_eq!(resolve(Some(arn), None).expect("good settings").validation.role.as_deref(), Some(arn));
    assert!(resolve(Some(arn), Some(arn)).is_ok());
    assert!(resolve(None, None).expect("good settings").validation.role.is_none());
    assert!(resolve(Some("smart"), None).is_err_and(|error| error.to_string().contains("ARN")));
    assert!(resolve(None, Some(arn)).is_err_and(|error| error.to_string().contains("--role-arn")));
}

#[test]
fn a_server_that_is_not_on_loopback_needs_an_issuer() {
    let serve = Serve { listen: Some(SocketAddr::from(([0, 0, 0, 0], 80))), ..Serve::default() };
    let config = Config::resolve(Common::default(), serve).expect("other commands need no issuer");
    assert!(config.server.is_err_and(|error| error.to_string().contains("--issuer")));
}
