use super::*;

fn mode(url: &str) -> &'static str {
    match hosts(url).expect("a good URL")[0].get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

fn refusal(url: &str) -> String {
    hosts(url).map(|_| ()).expect_err("a bad URL").to_string()
}

#[test]
fn beyond_this_machine_certificates_are_checked_unless_somebody_said_otherwise() {
    for far in ["db.example.org", "10.0.0.5", "[2001:db8::5]", "127.0.0.1,db2.example.org"] {
        let last = hosts(&format!("postgres://admit@{far}/admit")).expect("a good URL").pop().expect("a host");
        assert!(matches!(last.get_ssl_mode(), PgSslMode::VerifyFull), "{far}");
    }
    for near in ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "%2Frun%2Fpostgresql"] {
        assert_eq!(mode(&format!("postgres://admit@{near}/admit")), "prefer", "{near}");
    }
    assert_eq!(mode("postgres:///admit?host=/run/postgresql"), "prefer");
    assert_eq!(mode("postgres:///admit?host=db.example.org"), "verify-full");
    for chosen in ["disable", "prefer", "require", "verify-ca", "verify-full"] {
        assert_eq!(mode(&format!("postgres://admit@db.example.org/admit?sslmode={chosen}")), chosen);
    }
}

#[test]
fn an_authority_that_is_named_is_asked() {
    assert_eq!(mode("postgres://db.example.org/admit?sslmode=require&sslrootcert=/etc/ca.pem"), "verify-ca");
    assert_eq!(mode("postgres://127.0.0.1/admit?sslmode=require&sslrootcert=/etc/ca.pem"), "verify-ca");
}

#[test]
fn each_host_has_its_own_port_and_everything_else_in_common() {
    let all =
        hosts("postgres://ad%40min:p%2Cw@one.example.org:5433,two.example.org,[::1]:7/admit?sslmode=verify-full").expect("a good URL");
    let seen: Vec<_> = all.iter().map(|host| (host.get_host(), host.get_port(), host.get_username(), host.get_database())).collect();
    let rest = |host, port| (host, port, "ad@min", Some("admit"));
    assert_eq!(seen, [rest("one.example.org", 5433), rest("two.example.org", 5432), rest("::1", 7)]);
}

#[test]
fn no_error_repeats_the_password() {
    for bad in [
        "postgre://u:hunter2@h/d",
        "mysql://u:hunter2@h/d",
        "postgres://u:hunter2@h:port/d",
        "postgres://u:hunter2@h/d?sslmode=hunter2",
        "postgres:u:hunter2",
        "postgres://u:hunter2@a,,b/d",
    ] {
        assert_eq!(refusal(bad), "the database URL is not a valid postgres:// URL", "{bad}");
    }
    let text = refusal("postgres://u@h/d?passwort=hunter2");
    assert!(text.contains("passwort") && !text.contains("hunter2"), "{text}");
    assert!(refusal("postgres://u@h/d?target_session_attrs=any").contains("target_session_attrs"));
}

#[test]
fn what_is_no_mode_in_the_environment_chooses_nothing() {
    for mode in ["disable", "prefer", "VERIFY-FULL"] {
        assert!(is_mode(mode), "{mode}");
    }
    for none in ["", "verify_full", "verify-full ", "on"] {
        assert!(!is_mode(none), "{none}");
    }
}
