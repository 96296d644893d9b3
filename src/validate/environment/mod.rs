//! The validator's settings, as a Lambda function has them: in its environment, and in files beside it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::introspection::{IntrospectionSettings, key_of};
use super::settings::{BadSettings, Settings, rules};
use super::{Context, Profile, Rule, Validator};

/// The variables that a function is set up with. They may hold secrets: no `Debug`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    strangers: Vec<String>,
}

/// The variables that describe one issuer. `ADMIT_TRUST` describes several, and takes the place of all of them.
const SINGLE: &[&str] = &[
    "ADMIT_ISSUER",
    "ADMIT_PROFILE",
    "ADMIT_JWKS",
    "ADMIT_DATASTORES",
    "ADMIT_AUDIENCES",
    "ADMIT_AUDIENCE_BY_DATASTORE_ID",
    "ADMIT_TENANT",
    "ADMIT_CLIENTS",
    "ADMIT_READ_ONLY_ROLE_ARN",
    "ADMIT_INTROSPECTION",
    "ADMIT_INTROSPECTION_ENDPOINT",
    "ADMIT_INTROSPECTION_WHEN_UNREACHABLE",
    "ADMIT_INTROSPECTION_CACHE_SECONDS",
    "ADMIT_INTROSPECTION_CLIENT_ID",
    "ADMIT_INTROSPECTION_CLIENT_SECRET",
    "ADMIT_INTROSPECTION_KEY",
    "ADMIT_INTROSPECTION_KEY_ID",
    "ADMIT_INTROSPECTION_AUDIENCE",
];
/// The variables that are about the function as a whole.
const WHOLE: &[&str] = &[
    "ADMIT_TRUST",
    "ADMIT_CONTEXT_CLAIMS",
    "ADMIT_BOOLEAN_IS_AUTHORIZED",
    "ADMIT_CA_FILE",
    "ADMIT_FHIR_BASE",
    "ADMIT_GATEWAY_ANSWER",
    "ADMIT_METRICS_NAMESPACE",
    "ADMIT_LOG",
];

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())).collect()
    }

    /// The same, where these variables mean something to somebody else, and are no mistakes.
    #[must_use]
    pub fn tolerating(self, strangers: Vec<String>) -> Self {
        Self { strangers, ..self }
    }

    /// A variable that says something.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn text(&self, name: &str) -> String {
        self.given(name).unwrap_or_default().to_owned()
    }

    /// What stands between commas.
    fn list(&self, name: &str) -> Vec<String> {
        let items = self.given(name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn is_on(&self, name: &str, bad: &mut BadSettings) -> bool {
        match self.given(name).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" | "1" => true,
            "" | "false" | "0" => false,
            _ => {
                bad.add(name, "is neither true nor false");
                false
            }
        }
    }

    /// Whether `isAuthorized` is to be a boolean; what cannot be read counts as no.
    pub(super) fn boolean_is_authorized(&self) -> bool {
        self.is_on("ADMIT_BOOLEAN_IS_AUTHORIZED", &mut BadSettings::default())
    }

    /// A file that was packed beside the program. One that is there counts: that it cannot be read is no reason to do without.
    fn beside(&self, name: &str, bad: &mut BadSettings) -> Option<String> {
        match std::fs::read_to_string(Path::new(self.given("LAMBDA_TASK_ROOT")?).join(name)) {
            Ok(text) => Some(text),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    bad.add(name, "lies beside the program and cannot be read");
                }
                None
            }
        }
    }

    /// A setting that was misspelt would be one that is missing, and most of them narrow what is allowed.
    fn refuse_unknown(&self, bad: &mut BadSettings) {
        let is_known =
            |name: &str| [SINGLE, WHOLE].iter().any(|names| names.contains(&name)) || self.strangers.iter().any(|own| own == name);
        for name in self.variables.keys().filter(|name| name.starts_with("ADMIT_") && !is_known(name)) {
            bad.add(name, "is no variable that the function knows");
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(), strangers: vec![] }
    }
}

impl Validator {
    /// A validator as the variables describe it. `docs/validator.md` has the table. One issuer is
    /// described by single variables; several by `ADMIT_TRUST`, or by a file `trust.json` beside the
    /// program. There is no default for whom to trust.
    ///
    /// # Errors
    /// [`BadSettings`] names everything that is missing or cannot be used.
    pub fn from_environment(environment: &Environment) -> Result<Self, BadSettings> {
        let mut bad = BadSettings::default();
        environment.refuse_unknown(&mut bad);
        let context = environment.given("ADMIT_CONTEXT_CLAIMS").map_or(Ok(Context::default()), str::parse);
        let context = context.unwrap_or_else(|why| {
            bad.add("ADMIT_CONTEXT_CLAIMS", &why.to_string());
            Context::default()
        });
        let boolean = environment.is_on("ADMIT_BOOLEAN_IS_AUTHORIZED", &mut bad);
        let authorities = environment.given("ADMIT_CA_FILE").map(std::fs::read);
        if matches!(authorities, Some(Err(_))) {
            bad.add("ADMIT_CA_FILE", "cannot be read");
        }
        let authorities = authorities.and_then(Result::ok);
        let rules = trusted(environment, authorities.as_deref(), &mut bad).unwrap_or_else(|more| {
            bad.extend(more);
            vec![]
        });
        if bad.is_empty() { Ok(Self::of(rules).answering_with_boolean(boolean).passing_on(context)) } else { Err(bad) }
    }
}

/// Whom the variables trust.
fn trusted(environment: &Environment, authorities: Option<&[u8]>, bad: &mut BadSettings) -> Result<Vec<Rule>, BadSettings> {
    // Who answers API Gateway need not answer HealthLake.
    let needs_role = environment.given("ADMIT_FHIR_BASE").is_none();
    let several = match environment.given("ADMIT_TRUST") {
        Some(text) => Some(("ADMIT_TRUST", text.to_owned())),
        None => environment.beside("trust.json", bad).map(|text| ("trust.json", text)),
    };
    if let Some((source, text)) = several {
        for name in SINGLE.iter().filter(|name| environment.given(name).is_some()) {
            bad.add(name, &format!("has no meaning beside {source}, which says it for each issuer"));
        }
        return rules(source, &text, needs_role, authorities);
    }
    let Some(checked) = single(environment, bad).check(&|setting| name_of(environment, setting), needs_role, bad) else {
        return Ok(vec![]); // what is wrong has been said
    };
    Ok(vec![checked.rule(authorities, &mut vec![])?])
}

/// The one trust of the single variables.
fn single(environment: &Environment, bad: &mut BadSettings) -> Settings {
    let text = |name: &str| environment.text(name);
    let mut settings = Settings {
        issuer: text("ADMIT_ISSUER"),
        profile: text("ADMIT_PROFILE"),
        jwks: environment.given("ADMIT_JWKS").map(str::to_owned).or_else(|| environment.beside("jwks.json", bad)),
        jwks_uri: text("JWKS_URI"),
        datastores: environment.list("ADMIT_DATASTORES"),
        audiences: environment.list("ADMIT_AUDIENCES"),
        audience_by_datastore_id: environment.is_on("ADMIT_AUDIENCE_BY_DATASTORE_ID", bad),
        tenant: text("ADMIT_TENANT"),
        clients: environment.list("ADMIT_CLIENTS"),
        role_arn: text("USER_ROLE_ARN"),
        read_only_role_arn: text("ADMIT_READ_ONLY_ROLE_ARN"),
        introspection: None,
    };
    for (name, list) in [("ADMIT_DATASTORES", &settings.datastores), ("ADMIT_CLIENTS", &settings.clients)] {
        if environment.given(name).is_some() && list.is_empty() {
            bad.add(name, "names nothing between its commas");
        }
    }
    // The five variables that most functions in the field already have describe a Cognito user pool.
    let is_cognito = settings.profile == Profile::Cognito.as_str() || (settings.profile.is_empty() && settings.issuer.is_empty());
    if is_cognito && let Some(issuer) = issuer_of_pool(&text("USER_POOL_ID")) {
        settings.profile = Profile::Cognito.as_str().to_owned();
        if settings.issuer.is_empty() {
            settings.issuer = issuer;
        }
    }
    let is_cognito = settings.profile == Profile::Cognito.as_str();
    if is_cognito && settings.clients.is_empty() {
        settings.clients = environment.list("CLIENT_ID");
    }
    settings.introspection = introspection(environment, is_cognito, bad);
    settings
}

/// What there is on introspection, if anything. The validator's own client may stand in `CLIENT_ID` and `CLIENT_SECRET`, but
/// where those describe a user pool. One variable that is set is enough to have all of them checked.
fn introspection(environment: &Environment, is_pool: bool, bad: &mut BadSettings) -> Option<IntrospectionSettings> {
    SINGLE.iter().find(|name| name.starts_with("ADMIT_INTROSPECTION") && environment.given(name).is_some())?;
    let own = |name: &str| environment.given(&format!("ADMIT_INTROSPECTION{name}")).map(str::to_owned);
    let text = |name: &str| own(name).unwrap_or_default();
    let usual = |name: &str| environment.given(name).filter(|_| !is_pool).map(str::to_owned);
    let key = own("_KEY").map(|text| key_of(&text));
    Some(IntrospectionSettings {
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
    })
}

/// The variable that says what a setting says.
fn name_of(environment: &Environment, setting: &str) -> String {
    match setting {
        "clients" if environment.given("ADMIT_CLIENTS").is_none() => "CLIENT_ID",
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
mod tests;
