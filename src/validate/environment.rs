//! The validator's settings, as a Lambda function has them: in its environment.

use std::fmt;

use super::{KeySource, NoClient, Trust, Validator, may_ask};
use crate::token::Jwks;

/// What is wrong with the settings, all of it, each with the name of its variable. No value is
/// repeated.
#[derive(Debug, Default)]
pub struct BadSettings(Vec<(&'static str, String)>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(name, why)| format!("{name} {why}")).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for BadSettings {}

/// Whether `isAuthorized` is to be a boolean; what cannot be read counts as no.
pub(super) fn boolean_is_authorized(variable: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    match variable("ADMIT_BOOLEAN_IS_AUTHORIZED").unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "" | "false" | "0" => Some(false),
        _ => None,
    }
}

impl Validator {
    /// A validator as the variables describe it: `ADMIT_ISSUER`, `JWKS_URI` or `ADMIT_JWKS` or both,
    /// `USER_ROLE_ARN`, and where wanted `ADMIT_READ_ONLY_ROLE_ARN`, `ADMIT_DATASTORES` (separated
    /// by commas), `ADMIT_TENANT`, `ADMIT_BOOLEAN_IS_AUTHORIZED`, `ADMIT_CA_FILE` (PEM;
    /// authorities for `JWKS_URI` besides the public ones). There is no default for whom to trust.
    ///
    /// # Errors
    /// [`BadSettings`] names everything that is missing or cannot be used.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadSettings> {
        let mut bad = BadSettings::default();
        let given = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut check = |name: &'static str, why: &str, is_good: bool| {
            if !is_good {
                bad.0.push((name, why.to_owned()));
            }
        };
        let issuer = given("ADMIT_ISSUER");
        check("ADMIT_ISSUER", "is missing", issuer.is_some());
        let role = given("USER_ROLE_ARN");
        check("USER_ROLE_ARN", "is missing", role.is_some());
        let read_only_role = given("ADMIT_READ_ONLY_ROLE_ARN");
        for (name, arn) in [("USER_ROLE_ARN", &role), ("ADMIT_READ_ONLY_ROLE_ARN", &read_only_role)] {
            check(name, "is not the ARN of an IAM role", arn.as_deref().is_none_or(is_role));
        }
        let datastores: Vec<String> = given("ADMIT_DATASTORES")
            .map(|list| list.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect())
            .unwrap_or_default();
        check("ADMIT_DATASTORES", "names no data store", given("ADMIT_DATASTORES").is_none() || !datastores.is_empty());
        let boolean = boolean_is_authorized(variable);
        check("ADMIT_BOOLEAN_IS_AUTHORIZED", "is neither true nor false", boolean.is_some());
        let (uri, text) = (given("JWKS_URI"), given("ADMIT_JWKS"));
        check("JWKS_URI", "is missing, and so is ADMIT_JWKS", uri.is_some() || text.is_some());
        check("JWKS_URI", "is not an https:// URL", uri.as_deref().is_none_or(may_ask));
        let seed = match text.as_deref().map(|text| Jwks::parse(text.as_bytes())) {
            None => Jwks::default(),
            Some(Ok(keys)) => {
                check("ADMIT_JWKS", "has no usable key", !keys.is_empty());
                keys
            }
            Some(Err(why)) => {
                check("ADMIT_JWKS", &format!("cannot be used: {why}"), false);
                Jwks::default()
            }
        };
        let authorities = given("ADMIT_CA_FILE").map(std::fs::read);
        check("ADMIT_CA_FILE", "cannot be read", !matches!(authorities, Some(Err(_))));
        let authorities = authorities.and_then(Result::ok);
        let (Some(issuer), Some(role), true) = (issuer, role, bad.0.is_empty()) else { return Err(bad) };
        let keys = match uri {
            None => KeySource::embedded(seed),
            Some(uri) => KeySource::remote_with_authorities(&uri, seed, authorities.as_deref()).map_err(|why| {
                BadSettings(vec![match why {
                    NoClient::Authorities => ("ADMIT_CA_FILE", "holds no usable certificates".to_owned()),
                    NoClient::Tls => ("JWKS_URI", why.to_string()),
                }])
            })?,
        };
        let boolean_is_authorized = boolean.unwrap_or_default();
        Ok(Self::new(Trust { issuer, tenant: given("ADMIT_TENANT"), datastores, role, read_only_role, boolean_is_authorized }, keys))
    }
}

/// Such as `arn:aws:iam::123456789012:role/healthlake`.
fn is_role(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("iam")
        && parts.next() == Some("")
        && parts.next().is_some_and(|account| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
        && parts.next().is_some_and(|name| name.strip_prefix("role/").is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
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
        assert_eq!(validator.trust.datastores, ["https://a/r4/", "https://b/r4/"]);
        assert!(!validator.trust.boolean_is_authorized);
        assert!(read(&[("ADMIT_BOOLEAN_IS_AUTHORIZED", "true")]).expect("good settings").trust.boolean_is_authorized);
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
            ("ADMIT_BOOLEAN_IS_AUTHORIZED", "perhaps", "ADMIT_BOOLEAN_IS_AUTHORIZED is neither true nor false"),
        ] {
            assert_eq!(complaint(&[(name, value)]), why);
        }
        let all = complaint(&[("ADMIT_ISSUER", ""), ("USER_ROLE_ARN", ""), ("JWKS_URI", "")]);
        assert_eq!(all, "ADMIT_ISSUER is missing; USER_ROLE_ARN is missing; JWKS_URI is missing, and so is ADMIT_JWKS");
    }
}
