//! The URL of a PostgreSQL database: which hosts, and how safe the way to them is.

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::Error;

/// What the URL may say beside user, password, hosts and database. What else libpq knows would be
/// ignored, which may not be what its author believes.
const PARAMETERS: [&str; 10] = ["dbname", "host", "options", "password", "port", "sslcert", "sslkey", "sslmode", "sslrootcert", "user"];

/// How to reach each host of `postgres://user:password@host[:port][,host[:port]…]/database[?…]`. No
/// error repeats the URL, which may hold a password.
pub(super) fn hosts(url: &str) -> Result<Vec<PgConnectOptions>, Error> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| is_ours(scheme)).ok_or_else(invalid)?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    hosts.split(',').map(|host| one(&format!("{scheme}://{user}{host}{tail}"))).collect()
}

fn is_ours(scheme: &str) -> bool {
    ["postgres", "postgresql"].iter().any(|own| scheme.eq_ignore_ascii_case(own))
}

fn invalid() -> Error {
    Error::Unusable("the database URL is not a valid postgres:// URL".to_owned())
}

fn one(url: &str) -> Result<PgConnectOptions, Error> {
    let url = Url::parse(url).map_err(|_| invalid())?;
    let is_known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[");
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| !is_known(name)) {
        return Err(Error::Unusable(format!("the database URL has a parameter {name:?}, but Admit knows only {}", PARAMETERS.join(" "))));
    }
    let options = PgConnectOptions::from_url(&url).map_err(|_| invalid())?;
    let says = |name: &str| url.query_pairs().any(|(own, _)| own == name);
    let is_chosen = says("sslmode") || std::env::var("PGSSLMODE").is_ok_and(|text| is_mode(&text));
    let options = secure(options, is_chosen, says("sslrootcert") || std::env::var_os("PGSSLROOTCERT").is_some());
    Ok(options
        .application_name("admit")
        .options([
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("default_transaction_isolation", "read committed"),
        ])
        .statement_cache_capacity(200)
        .disable_statement_logging())
}

/// Whether somebody chose something: sqlx takes an empty or misspelt `PGSSLMODE` for `prefer`, which nobody meant.
fn is_mode(text: &str) -> bool {
    text.parse::<PgSslMode>().is_ok()
}

/// Beyond this machine, TLS with a certificate that is checked, unless the administrator chose
/// otherwise; who chose less is told what it means.
fn secure(options: PgConnectOptions, is_chosen: bool, has_authority: bool) -> PgConnectOptions {
    // sqlx would look up an IPv6 address with its brackets as a name.
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let options = options.host(&host);
    let is_local = options.get_socket().is_some() || host.starts_with('/') || is_loopback(&host);
    let mode = match options.get_ssl_mode() {
        _ if !is_chosen && !is_local => PgSslMode::VerifyFull,
        // As libpq has it: who names an authority wants it asked.
        PgSslMode::Require if has_authority => PgSslMode::VerifyCa,
        mode => mode,
    };
    let danger = match mode {
        PgSslMode::VerifyFull => None,
        PgSslMode::VerifyCa => Some("any server with a certificate of that authority can pass for PostgreSQL"),
        PgSslMode::Require => Some("whoever sits on the way can pass for PostgreSQL"),
        PgSslMode::Prefer | PgSslMode::Allow | PgSslMode::Disable => Some("whoever sits on the way can read and change everything"),
    };
    if let Some(danger) = danger.filter(|_| !is_local) {
        tracing::warn!(host, "the connection to PostgreSQL is not sslmode=verify-full: {danger}");
    }
    options.ssl_mode(mode)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
