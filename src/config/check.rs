//! Settings that are checked by more than their type.

use super::BadConfig;
use crate::app::Validation;
use crate::validate::is_role;

pub(super) fn check_roles(validation: &Validation) -> Result<(), BadConfig> {
    let Validation { role, read_only_role, .. } = validation;
    if let Some(bad) = [role, read_only_role].into_iter().flatten().find(|arn| !is_role(arn)) {
        return Err(BadConfig(format!("{bad:?} is not the ARN of an IAM role, such as arn:aws:iam::123456789012:role/smart")));
    }
    if read_only_role.is_some() && role.is_none() {
        return Err(BadConfig("--read-only-role-arn is for tokens that may only read: the others need --role-arn".to_owned()));
    }
    Ok(())
}

/// RFC 8414 §2: https, no query, no fragment; plain http for a loopback address only. Returns the host.
///
/// # Errors
/// [`BadConfig`] says what is wrong.
pub fn check_issuer(issuer: &str) -> Result<String, BadConfig> {
    let bad = |why: &str| BadConfig(format!("the issuer {issuer:?} {why}"));
    let url = url::Url::parse(issuer).map_err(|_| bad("is not a URL"))?;
    let host = match url.host() {
        Some(host) => host.to_string(),
        None => return Err(bad("has no host")),
    };
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => return Err(bad("must be https: tokens travel to it. Plain http is for loopback addresses only")),
        _ => return Err(bad("must be an https URL")),
    }
    // What the parser writes differently, clients would compare differently.
    if url.as_str() != format!("{issuer}/") || !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            "must be scheme and host (and port) alone: lower case, no user name, no path, no slash at its end, no query, no default port",
        ));
    }
    Ok(host)
}
