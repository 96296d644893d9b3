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

/// What `admit serve` is told by these flags, over this file.
fn told(flags: &[&str], file: &str) -> Result<(Common, Serve), BadConfig> {
    let path = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(path.path(), file).expect("written");
    let file = File::read(path.path())?;
    let command = file.beneath(settings());
    let found = command.try_get_matches_from([&["settings"], flags].concat()).map_err(|error| file.blame(&error))?;
    Ok((Common::from_arg_matches(&found).expect("common settings"), Serve::from_arg_matches(&found).expect("the server's settings")))
}

#[test]
fn what_is_no_setting_or_no_value_is_an_error() {
    for (file, named) in [
        ("isuer = \"https://a.test\"", "isuer"),
        ("config = \"other.toml\"", "config"),
        ("hash_slots = \"many\"", "--hash-slots"),
        ("listen = 1.5", "listen"),
        ("trusted_proxies = \"10.0.0.0/33\"", "--trusted-proxies"),
        ("issuer = { url = \"https://a.test\" }", "issuer"),
        ("issuer", "issuer"),
    ] {
        let told = told(&[], file).map(|_| ()).expect_err("it is refused").to_string();
        assert!(told.contains(named) && told.contains("the settings in"), "{told}");
    }
}

#[test]
fn flags_come_before_the_file_and_the_file_before_defaults() {
    let file = "issuer = \"https://file.test\"
                organization = \"From the file\"
                hash_slots = 3
                registration = true
                log_format = \"json\"
                trusted_proxies = [\"10.0.0.1\", \"10.0.8.0/24\"]";
    let (common, serve) = told(&[], file).expect("good settings");
    assert_eq!(common.log_format, Some(LogFormat::Json));
    let server = Server::resolve(serve).expect("good settings");
    assert_eq!((server.issuer.as_str(), server.organization.as_str(), server.hash_slots), ("https://file.test", "From the file", 3));
    assert!(server.is_open_to_registration);
    assert_eq!(server.trusted_proxies, ["10.0.0.1/32", "10.0.8.0/24"].map(|network| network.parse().expect("a network")));
    let flags = ["--issuer", "https://flag.test", "--registration=no", "--trusted-proxies", "10.0.0.3"];
    let (_, serve) = told(&flags, file).expect("good settings");
    let server = Server::resolve(serve).expect("good settings");
    assert_eq!((server.issuer.as_str(), server.organization.as_str()), ("https://flag.test", "From the file"));
    assert!(!server.is_open_to_registration);
    assert_eq!(server.trusted_proxies.len(), 1);
    let defaults = Config::resolve(Common::default(), Serve::default());
    assert_eq!(defaults.server.expect("good settings").issuer, "http://127.0.0.1:8080");
    assert_eq!(defaults.database, Location::Sqlite("admit.db".into()));
}

/// The tables of the administrator's document.
#[test]
fn every_setting_is_documented_with_its_flag_its_variable_and_its_key() {
    let document = include_str!("../../docs/administration.md");
    for setting in settings().get_arguments() {
        let flag = format!("`--{}", setting.get_long().expect("every setting has a flag"));
        let variable = format!("`{}`", setting.get_env().expect("and a variable").to_string_lossy());
        let key = format!("`{}`", setting.get_id());
        let is_row =
            |line: &&str| line.contains(&flag) && line.contains(&variable) && (line.contains(&key) || setting.get_id() == "config");
        assert!(document.lines().any(|line| line.starts_with('|') && is_row(&line)), "docs/administration.md has no row for {flag}");
    }
}

#[test]
fn a_role_is_the_arn_of_one_and_the_lesser_does_not_stand_alone() {
    let resolve = |role: Option<&str>, reader: Option<&str>| {
        let own = |arn: Option<&str>| arn.map(str::to_owned);
        let serve = Serve { role_arn: own(role), read_only_role_arn: own(reader), ..Serve::default() };
        Server::resolve(serve)
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
    assert!(Server::resolve(serve).is_err_and(|error| error.to_string().contains("--issuer")));
}

#[test]
fn a_port_is_taken_at_every_address_and_an_address_comes_before_it() {
    let listens = |flags: &[&str], file: &str| {
        let (_, serve) = told(&[&["--issuer", "https://a.test"], flags].concat(), file)?;
        let local = serve.local_url();
        Ok::<_, BadConfig>((Server::resolve(serve)?.listen.to_string(), local.unwrap_or_default()))
    };
    for (flags, file, listen, local) in [
        (&[][..], "", "127.0.0.1:8080", "http://127.0.0.1:8080"),
        (&["--port", "9000"], "", "0.0.0.0:9000", "http://127.0.0.1:9000"),
        (&[], "port = 9000", "0.0.0.0:9000", "http://127.0.0.1:9000"),
        (&["--port", "9000", "--listen", "10.0.0.1:80"], "", "10.0.0.1:80", "http://10.0.0.1:80"),
        (&["--port", "9000"], "listen = \"[::]:80\"", "[::]:80", "http://[::1]:80"),
    ] {
        assert_eq!(listens(flags, file).expect("good settings"), (listen.to_owned(), local.to_owned()), "{flags:?} {file}");
    }
    for bad in ["0", "65536", "http", ""] {
        assert!(told(&[], &format!("port = \"{bad}\"")).is_err_and(|error| error.to_string().contains("--port")), "{bad}");
    }
    let tls = told(&["--tls-certificate-file", "a.pem"], "").expect("good settings").1;
    assert_eq!(tls.local_url(), None);
}
