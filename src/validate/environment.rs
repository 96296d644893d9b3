//! The validator's settings, as a Lambda function has them: in its environment, and in files beside it.

use std::path::Path;

use super::introspection::{IntrospectionSettings, key_of};
use super::settings::{self, BadSettings, Settings};
use super::{Context, Profile, Validator};

/// Asks for a variable of the environment.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether `isAuthorized` is to be a boolean; what cannot be read counts as no.
pub(super) fn boolean_is_authorized(variable: Variable<'_>) -> Option<bool> {
    is_on(variable, "ADMIT_BOOLEAN_IS_AUTHORIZED")
}

fn is_on(variable: Variable<'_>, name: &str) -> Option<bool> {
    match variable(name).unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "" | "false" | "0" => Some(false),
        _ => None,
    }
}

impl Validator {
    /// A validator as the variables describe it. `docs/validator.md` has the table. One issuer is
    /// described by single variables; several by `ADMIT_TRUST`, or by a file `trust.json` beside the
    /// program. There is no default for whom to trust.
    ///
    /// # Errors
    /// [`BadSettings`] names everything that is missing or cannot be used.
    pub fn from_environment(variable: Variable<'_>) -> Result<Self, BadSettings> {
        let mut bad = BadSettings::default();
        let context = match given(variable, "ADMIT_CONTEXT_CLAIMS").map(|text| text.parse::<Context>()) {
            None => Context::default(),
            Some(Ok(context)) => context,
            Some(Err(why)) => {
                bad.add("ADMIT_CONTEXT_CLAIMS", &why.to_string());
                Context::default()
            }
        };
        let boolean = boolean_is_authorized(variable);
        if boolean.is_none() {
            bad.add("ADMIT_BOOLEAN_IS_AUTHORIZED", "is neither true nor false");
        }
        let authorities = given(variable, "ADMIT_CA_FILE").map(std::fs::read);
        if matches!(authorities, Some(Err(_))) {
            bad.add("ADMIT_CA_FILE", "cannot be read");
        }
        let authorities = authorities.and_then(Result::ok);
        // Who answers API Gateway need not answer HealthLake.
        let needs_role = given(variable, "ADMIT_FHIR_BASE").is_none();
        let rules = match given(variable, "ADMIT_TRUST").or_else(|| beside(variable, "trust.json")) {
            Some(text) => settings::rules(&text, needs_role, authorities.as_deref())?,
            None => {
                let checked = single(variable, &mut bad).check(&|setting| name_of(variable, setting), needs_role, &mut bad);
                let Some(checked) = checked.filter(|_| bad.is_empty()) else { return Err(bad) };
                vec![checked.rule(authorities.as_deref())?]
            }
        };
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Self::of(rules).answering_with_boolean(boolean.unwrap_or_default()).passing_on(context))
    }
}

/// A variable that says something.
pub(super) fn given(variable: Variable<'_>, name: &str) -> Option<String> {
    variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A file that was packed beside the program.
fn beside(variable: Variable<'_>, name: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(&given(variable, "LAMBDA_TASK_ROOT")?).join(name)).ok()
}

/// The one trust of the single variables.
fn single(variable: Variable<'_>, bad: &mut BadSettings) -> Settings {
    let text = |name: &str| given(variable, name).unwrap_or_default();
    let list =
        |name: &str| -> Vec<String> { text(name).split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect() };
    let mut yes = |name: &str| {
        is_on(variable, name).unwrap_or_else(|| {
            bad.add(name, "is neither true nor false");
            false
        })
    };
    let audience_by_datastore_id = yes("ADMIT_AUDIENCE_BY_DATASTORE_ID");
    let mut settings = Settings {
        issuer: text("ADMIT_ISSUER"),
        profile: text("ADMIT_PROFILE"),
        jwks: given(variable, "ADMIT_JWKS")
            .or_else(|| beside(variable, "jwks.json"))
            .map(|text| serde_json::from_str(&text).unwrap_or_default()),
        jwks_uri: text("JWKS_URI"),
        datastores: list("ADMIT_DATASTORES"),
        audiences: list("ADMIT_AUDIENCES"),
        audience_by_datastore_id,
        tenant: text("ADMIT_TENANT"),
        clients: list("ADMIT_CLIENTS"),
        role_arn: text("USER_ROLE_ARN"),
        read_only_role_arn: text("ADMIT_READ_ONLY_ROLE_ARN"),
        introspection: None,
    };
    if given(variable, "ADMIT_DATASTORES").is_some() && settings.datastores.is_empty() {
        bad.add("ADMIT_DATASTORES", "names no data store");
    }
    // The five variables that most functions in the field already have describe a Cognito user pool.
    let pool = text("USER_POOL_ID");
    let is_cognito = settings.profile == Profile::Cognito.as_str() || (settings.profile.is_empty() && settings.issuer.is_empty());
    if is_cognito && let Some(issuer) = issuer_of_pool(&pool) {
        settings.profile = Profile::Cognito.as_str().to_owned();
        if settings.issuer.is_empty() {
            settings.issuer = issuer;
        }
    }
    if settings.profile == Profile::Cognito.as_str() && settings.clients.is_empty() {
        settings.clients = list("CLIENT_ID");
    }
    settings.introspection = introspection(variable, settings.profile == Profile::Cognito.as_str(), bad);
    settings
}

/// What there is on introspection, if anything. The validator's own client may stand in `CLIENT_ID` and `CLIENT_SECRET`, but
/// where those describe a user pool.
fn introspection(variable: Variable<'_>, is_pool: bool, bad: &mut BadSettings) -> Option<IntrospectionSettings> {
    let own = |name: &str| given(variable, &format!("ADMIT_INTROSPECTION{name}"));
    let text = |name: &str| own(name).unwrap_or_default();
    let usual = |name: &str| given(variable, name).filter(|_| !is_pool);
    let key = own("_KEY").map(|text| key_of(&text));
    let settings = IntrospectionSettings {
        mode: text(""),
        endpoint: text("_ENDPOINT"),
        when_unreachable: text("_WHEN_UNREACHABLE"),
        cache_seconds: own("_CACHE_SECONDS").map_or(Some(0), |text| text.parse().ok()).unwrap_or_else(|| {
            bad.add("ADMIT_INTROSPECTION_CACHE_SECONDS", "is not a number of seconds");
            0
        }),
        client_id: own("_CLIENT_ID").or_else(|| usual("CLIENT_ID")).unwrap_or_default(),
        client_secret: own("_CLIENT_SECRET").or_else(|| usual("CLIENT_SECRET").filter(|_| key.is_none())).unwrap_or_default(),
        key,
        key_id: text("_KEY_ID"),
        audience: text("_AUDIENCE"),
    };
    let is_wanted = INTROSPECTION.iter().any(|name| own(name).is_some());
    is_wanted.then_some(settings)
}

/// What follows `ADMIT_INTROSPECTION` in the names of variables. One that is set is enough to have all of them checked.
const INTROSPECTION: &[&str] =
    &["", "_ENDPOINT", "_WHEN_UNREACHABLE", "_CACHE_SECONDS", "_CLIENT_ID", "_CLIENT_SECRET", "_KEY", "_KEY_ID", "_AUDIENCE"];

/// The variable that says what a setting says.
fn name_of(variable: Variable<'_>, setting: &str) -> String {
    match setting {
        "clients" if given(variable, "ADMIT_CLIENTS").is_none() => "CLIENT_ID",
        "jwks_uri" => "JWKS_URI",
        "role_arn" => "USER_ROLE_ARN",
        "introspection.mode" => "ADMIT_INTROSPECTION",
        other => return format!("ADMIT_{}", other.replace('.', "_").to_ascii_uppercase()),
    }
    .to_owned()
}

/// `us-east-1_AbCdEfGhI` is a user pool of the region before its underscore.
fn issuer_of_pool(pool: &str) -> Option<String> {
    let (region, id) = pool.split_once('_')?;
    let is_region = region.split('-').count() >= 3 && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    (is_region && is_id).then(|| format!("https://cognito-idp.{region}.{end}/{pool}"))
}

#[cfg(test)]
mod tests {
    use super::super::{Proof, WhenUnreachable};
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("ADMIT_ISSUER", "https://idp.test"),
        ("JWKS_URI", "https://idp.test/.well-known/jwks.json"),
        ("USER_ROLE_ARN", "arn:aws:iam::123456789012:role/smart"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Validator, BadSettings> {
        let all: Vec<(String, String)> = GOOD.iter().chain(changes).map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Validator::from_environment(&move |name| all.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone()))
    }

    fn complaint(changes: &[(&str, &str)]) -> String {
        read(changes).err().map(|bad| bad.to_string()).unwrap_or_default()
    }

    #[test]
    fn three_settings_are_enough() {
        assert!(read(&[]).is_ok());
        let all =
            [("ADMIT_READ_ONLY_ROLE_ARN", "arn:aws-cn:iam::123456789012:role/a/b"), ("ADMIT_DATASTORES", "https://a/r4/, https://b/r4/")];
        let validator = read(&all).expect("good settings");
        assert_eq!(validator.rules[0].trust.datastores, ["https://a/r4/", "https://b/r4/"]);
        assert!(!validator.boolean_is_authorized);
        assert!(read(&[("ADMIT_BOOLEAN_IS_AUTHORIZED", "true")]).expect("good settings").boolean_is_authorized);
    }

    /// LM-20: whatever is missing or wrong is named, and nothing is guessed.
    #[test]
    fn every_bad_setting_is_named() {
        for (name, value, why) in [
            ("ADMIT_ISSUER", "", "ADMIT_ISSUER is missing"),
            ("ADMIT_ISSUER", "  ", "ADMIT_ISSUER is missing"),
            ("USER_ROLE_ARN", "", "USER_ROLE_ARN is missing"),
            ("USER_ROLE_ARN", "smart-role", "USER_ROLE_ARN is not the ARN of an IAM role"),
            ("USER_ROLE_ARN", "arn:aws:iam::123456789012:user/x", "USER_ROLE_ARN is not the ARN of an IAM role"),
            ("ADMIT_READ_ONLY_ROLE_ARN", "arn:aws:iam::1:role/x", "ADMIT_READ_ONLY_ROLE_ARN is not the ARN of an IAM role"),
            ("JWKS_URI", "", "JWKS_URI is missing, and so is ADMIT_JWKS"),
            ("JWKS_URI", "http://idp.test/jwks", "JWKS_URI is not an https:// URL"),
            ("JWKS_URI", "file:///etc/jwks", "JWKS_URI is not an https:// URL"),
            ("JWKS_URI", "idp.test", "JWKS_URI is not an https:// URL"),
            ("ADMIT_JWKS", "{}", "ADMIT_JWKS cannot be used: not a JSON Web Key Set"),
            ("ADMIT_JWKS", r#"{"keys":[]}"#, "ADMIT_JWKS has no usable key"),
            ("ADMIT_CA_FILE", "/nowhere/ca.pem", "ADMIT_CA_FILE cannot be read"),
            ("ADMIT_CA_FILE", "/dev/null", "ADMIT_CA_FILE holds no usable certificates"),
            ("ADMIT_DATASTORES", " , ", "ADMIT_DATASTORES names no data store"),
            ("ADMIT_DATASTORES", "fhir.test", "ADMIT_DATASTORES has an entry that is no URL"),
            ("ADMIT_CA_FILE", "/nowhere/ca.pem", "ADMIT_CA_FILE cannot be read"),
            ("ADMIT_CA_FILE", "/dev/null", "ADMIT_CA_FILE holds no usable certificates"),
            ("ADMIT_PROFILE", "auth0", "ADMIT_PROFILE is none of admit, cognito, keycloak, okta, generic"),
            ("ADMIT_AUDIENCES", "api://x", "ADMIT_DATASTORES is missing: audiences of another name have to be tied to data stores"),
            (
                "ADMIT_CONTEXT_CLAIMS",
                "scope",
                "ADMIT_CONTEXT_CLAIMS names a claim that the answer already has, such as iss, aud, exp or scope",
            ),
            ("ADMIT_AUDIENCE_BY_DATASTORE_ID", "x", "ADMIT_AUDIENCE_BY_DATASTORE_ID is neither true nor false"),
            ("ADMIT_BOOLEAN_IS_AUTHORIZED", "perhaps", "ADMIT_BOOLEAN_IS_AUTHORIZED is neither true nor false"),
        ] {
            assert_eq!(complaint(&[(name, value)]), why);
        }
        let all = complaint(&[("ADMIT_ISSUER", ""), ("USER_ROLE_ARN", ""), ("JWKS_URI", "")]);
        assert_eq!(all, "ADMIT_ISSUER is missing; USER_ROLE_ARN is missing; JWKS_URI is missing, and so is ADMIT_JWKS");
    }

    /// The five variables of the usual Python function describe a Cognito user pool.
    #[test]
    fn the_five_usual_variables_are_enough() {
        const FIVE: &[(&str, &str)] = &[
            ("ADMIT_ISSUER", ""),
            ("CLIENT_ID", "app-one, app-two"),
            ("CLIENT_SECRET", "synthetic"),
            ("USER_POOL_ID", "eu-west-2_AbCd12345"),
            ("JWKS_URI", "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCd12345/.well-known/jwks.json"),
        ];
        let validator = read(FIVE).expect("good settings");
        let trust = &validator.rules[0].trust;
        assert_eq!(trust.profile, Profile::Cognito);
        assert_eq!(trust.issuer, "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_AbCd12345");
        assert_eq!(trust.clients, ["app-one", "app-two"]);
        let china = [FIVE, &[("USER_POOL_ID", "cn-north-1_x")]].concat();
        assert_eq!(
            read(&china).expect("good settings").rules[0].trust.issuer,
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x"
        );
        let without = [FIVE, &[("CLIENT_ID", "")]].concat();
        assert!(
            complaint(&without).starts_with("CLIENT_ID is missing: tokens of this profile name no audience"),
            "{}",
            complaint(&without)
        );
        for odd in ["", "pool", "https://evil.test/_x", "us-east-1_", "us_east_1", "us-east-1_x/../y"] {
            let odd = [FIVE, &[("USER_POOL_ID", odd)]].concat();
            assert!(complaint(&odd).contains("ADMIT_ISSUER is missing"), "{}", complaint(&odd));
        }
        // Beside an issuer that is named they change nothing: an Admit server's tokens name no pool.
        let beside = read(&[("CLIENT_ID", "x"), ("USER_POOL_ID", "eu-west-2_AbCd12345")]).expect("good settings");
        assert_eq!((beside.rules[0].trust.profile, beside.rules[0].trust.clients.len()), (Profile::Admit, 0));
    }

    const ASKING: &[(&str, &str)] = &[
        ("ADMIT_INTROSPECTION", "combined"),
        ("ADMIT_INTROSPECTION_ENDPOINT", "https://idp.test/introspect"),
        ("ADMIT_INTROSPECTION_CLIENT_ID", "rs"),
        ("ADMIT_INTROSPECTION_CLIENT_SECRET", "synthetic"),
    ];

    #[test]
    fn introspection_is_for_everything_or_for_revocation() {
        let proof = |changes: &[(&str, &str)]| {
            let mut rules = read(&[ASKING, changes].concat()).map_err(|bad| bad.to_string()).expect("good settings").rules;
            rules.remove(0).proof
        };
        let (refuse, allow) = (WhenUnreachable::Refuse, WhenUnreachable::Allow);
        assert!(matches!(proof(&[]), Proof::Both { when_unreachable, .. } if when_unreachable == refuse));
        let lenient = [("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "allow"), ("ADMIT_INTROSPECTION_CACHE_SECONDS", "60")];
        assert!(matches!(proof(&lenient), Proof::Both { when_unreachable, .. } if when_unreachable == allow));
        // Keys are not asked for where no signature is looked at; those that are there do no harm.
        assert!(matches!(proof(&[("ADMIT_INTROSPECTION", "only"), ("JWKS_URI", "")]), Proof::Introspection(_)));
        assert!(matches!(proof(&[("ADMIT_INTROSPECTION", "only")]), Proof::Introspection(_)));
        // The usual names, where they do not describe a user pool.
        let usual = [("CLIENT_ID", "rs"), ("CLIENT_SECRET", "x"), ("ADMIT_INTROSPECTION_CLIENT_ID", ""), ("USER_POOL_ID", "p")];
        assert!(matches!(proof(&[&usual[..], &[("ADMIT_INTROSPECTION_CLIENT_SECRET", "")]].concat()), Proof::Both { .. }));
        assert!(matches!(read(&usual).expect("good settings").rules[0].proof, Proof::Signature(_)));
    }

    /// LM-20, and no secret is repeated.
    #[test]
    fn every_bad_setting_of_introspection_is_named() {
        let secret = "ADMIT_INTROSPECTION_CLIENT_SECRET";
        for (changes, why) in [
            (&[("ADMIT_INTROSPECTION", "")][..], "ADMIT_INTROSPECTION is missing: it is only or combined"),
            (&[("ADMIT_INTROSPECTION", "both")], "ADMIT_INTROSPECTION is neither only nor combined"),
            (&[("ADMIT_INTROSPECTION_ENDPOINT", "")], "ADMIT_INTROSPECTION_ENDPOINT is missing"),
            (&[("ADMIT_INTROSPECTION_ENDPOINT", "http://idp.test/introspect")], "ADMIT_INTROSPECTION_ENDPOINT is not an https:// URL"),
            (&[("ADMIT_INTROSPECTION_ENDPOINT", "https://rs:synthetic@idp.test/")], "ADMIT_INTROSPECTION_ENDPOINT is not an https:// URL"),
            (&[("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "ask")], "ADMIT_INTROSPECTION_WHEN_UNREACHABLE is neither refuse nor allow"),
            (
                &[("ADMIT_INTROSPECTION", "only"), ("ADMIT_INTROSPECTION_WHEN_UNREACHABLE", "allow")],
                "ADMIT_INTROSPECTION_WHEN_UNREACHABLE cannot be allow: where nothing but introspection proves a token, nothing would",
            ),
            (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "61")], "ADMIT_INTROSPECTION_CACHE_SECONDS is more than 60"),
            (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "-1")], "ADMIT_INTROSPECTION_CACHE_SECONDS is not a number of seconds"),
            (&[("ADMIT_INTROSPECTION_CACHE_SECONDS", "1m")], "ADMIT_INTROSPECTION_CACHE_SECONDS is not a number of seconds"),
            (&[("ADMIT_INTROSPECTION_CLIENT_ID", "")], "ADMIT_INTROSPECTION_CLIENT_ID is missing"),
            (&[(secret, "")], "ADMIT_INTROSPECTION_CLIENT_SECRET is missing, and so is ADMIT_INTROSPECTION_KEY"),
            (
                &[("ADMIT_INTROSPECTION_KEY", "{}")],
                "ADMIT_INTROSPECTION_CLIENT_SECRET is one way to authenticate, and ADMIT_INTROSPECTION_KEY another: one of them is enough",
            ),
            (&[("JWKS_URI", "")], "JWKS_URI is missing, and so is ADMIT_JWKS"),
            (
                &[("ADMIT_INTROSPECTION_KEY", "synthetic"), (secret, "")],
                "ADMIT_INTROSPECTION_KEY_ID is missing, and the key does not name itself; \
                 ADMIT_INTROSPECTION_KEY is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384",
            ),
            (
                &[("ADMIT_INTROSPECTION_KEY", "synthetic"), (secret, ""), ("ADMIT_INTROSPECTION_KEY_ID", "a\"b")],
                "ADMIT_INTROSPECTION_KEY_ID is not plain text without quotes; \
                 ADMIT_INTROSPECTION_KEY is neither a private JWK nor a PKCS#8 key in PEM, RSA, P-256 or P-384",
            ),
        ] {
            assert_eq!(complaint(&[ASKING, changes].concat()), why);
        }
        for (name, _) in ASKING {
            assert!(complaint(&[(name, "x")]).contains("ADMIT_INTROSPECTION"), "{name} alone is not enough");
        }
        // A pool's own client is not the validator's.
        let pool = [("ADMIT_PROFILE", "cognito"), ("CLIENT_ID", "app"), ("CLIENT_SECRET", "x")];
        let asking = [("ADMIT_INTROSPECTION", "combined"), ("ADMIT_INTROSPECTION_ENDPOINT", "https://idp.test/introspect")];
        let missing = "ADMIT_INTROSPECTION_CLIENT_ID is missing; \
                       ADMIT_INTROSPECTION_CLIENT_SECRET is missing, and so is ADMIT_INTROSPECTION_KEY";
        assert_eq!(complaint(&[&pool[..], &asking].concat()), missing);
    }

    #[test]
    fn several_issuers_stand_in_one_variable_or_beside_the_program() {
        let list = r#"[{ "issuer": "https://a.test", "jwks_uri": "https://a.test/jwks", "role_arn": "arn:aws:iam::123456789012:role/a" }]"#;
        assert_eq!(read(&[("ADMIT_TRUST", list)]).expect("good settings").rules[0].trust.issuer, "https://a.test");
        assert_eq!(complaint(&[("ADMIT_TRUST", "[]")]), "trust is empty");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("trust.json"), list).expect("a file");
        let root = folder.path().to_str().expect("UTF-8");
        assert_eq!(read(&[("LAMBDA_TASK_ROOT", root)]).expect("good settings").rules[0].trust.issuer, "https://a.test");
    }
}
