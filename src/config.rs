//! Settings: flags before environment (`ADMIT_…`) before a TOML file before defaults. A setting is
//! one field of [`Common`] or [`Serve`]; flag, variable and key in the file follow from it.

mod check;
mod file;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Command, FromArgMatches as _, ValueEnum};

pub use check::check_issuer;
use check::check_roles;
pub use file::File;

use crate::app::{KeyPolicy, Validation, proxies};
use crate::audit::{Keeping, LEAST_YEARS, Sink};
use crate::keys::Schedule;
use crate::store::{Location, Options};

/// What every command looks at. Each flag has a variable, and a key of the same name in the file.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// A TOML file with settings (keys as the flags, with underscores)
    #[arg(long, env = "ADMIT_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The database: a file (SQLite) or a postgres:// URL [default: admit.db]
    #[arg(long, env = "ADMIT_DATABASE", value_name = "FILE|URL", global = true, hide_env_values = true)]
    database: Option<String>,
    /// The SQLite database may be on a network file system, which locks and syncs as a local disk does
    #[arg(
        long,
        env = "ADMIT_ALLOW_NETWORK_DISK",
        value_name = "YES",
        global = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    allow_network_disk: Option<bool>,
    /// The file with the master key that seals the signing keys (several while it is changed) [default: beside the SQLite database, ending in .key]
    #[arg(long, env = "ADMIT_MASTER_KEY_FILE", value_name = "FILE", global = true)]
    master_key_file: Option<PathBuf>,
    /// Log lines as JSON or as text [default: text on a terminal, JSON elsewhere]
    #[arg(long, env = "ADMIT_LOG_FORMAT", value_name = "FORMAT", global = true)]
    log_format: Option<LogFormat>,
    /// What to log, such as `info` or `admit=debug` [default: info for serve, warn elsewhere]
    #[arg(long, env = "ADMIT_LOG", value_name = "FILTER", global = true)]
    log: Option<String>,
}

/// What only the server looks at.
#[derive(Args, Clone, Debug, Default)]
pub struct Serve {
    /// The URL that this server is known by, without a slash at its end [default: http:// and the address it listens on]
    #[arg(long, env = "ADMIT_ISSUER", value_name = "URL")]
    issuer: Option<String>,
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "ADMIT_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The port to listen on, at every IPv4 address of this machine, where --listen does not say where
    #[arg(long, env = "PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The organisation, as it stands on the pages [default: the issuer's host]
    #[arg(long, env = "ADMIT_ORGANIZATION", value_name = "NAME")]
    organization: Option<String>,
    /// The certificate chain, PEM; without it the server speaks plain HTTP (for use behind a proxy)
    #[arg(long, env = "ADMIT_TLS_CERTIFICATE_FILE", value_name = "FILE")]
    tls_certificate_file: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, env = "ADMIT_TLS_KEY_FILE", value_name = "FILE")]
    tls_key_file: Option<PathBuf>,
    /// Proxies in front whose X-Forwarded-For is believed: addresses, or networks such as 10.0.0.0/24
    #[arg(long, env = "ADMIT_TRUSTED_PROXIES", value_name = "ADDRESS|NETWORK", value_delimiter = ',', value_parser = proxies)]
    trusted_proxies: Option<Vec<ipnet::IpNet>>,
    /// Hosts beside the issuer's that requests may name
    #[arg(long, env = "ADMIT_ALLOWED_HOSTS", value_name = "HOST", value_delimiter = ',')]
    allowed_hosts: Option<Vec<String>>,
    /// How long `/readyz` says no before the server stops on SIGTERM, so that a load balancer sees it [default: 3]
    #[arg(long, env = "ADMIT_SHUTDOWN_DELAY", value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(..=300))]
    shutdown_delay: Option<u16>,
    /// How many passwords may be hashed at once [default: one per core]
    #[arg(long, env = "ADMIT_HASH_SLOTS", value_name = "N")]
    hash_slots: Option<usize>,
    /// The most connections that this instance holds to PostgreSQL [default: 16]
    #[arg(long, env = "ADMIT_DATABASE_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    database_connections: Option<u32>,
    /// The IAM role that HealthLake takes on, for `POST /validate`; without one it lets no token in
    #[arg(long, env = "ADMIT_ROLE_ARN", value_name = "ARN")]
    role_arn: Option<String>,
    /// Another role, for tokens that may only read
    #[arg(long, env = "ADMIT_READ_ONLY_ROLE_ARN", value_name = "ARN")]
    read_only_role_arn: Option<String>,
    /// `POST /validate` answers `isAuthorized` as a boolean instead of a string
    #[arg(
        long,
        env = "ADMIT_BOOLEAN_IS_AUTHORIZED",
        value_name = "YES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    boolean_is_authorized: Option<bool>,
    /// Clients may publish their keys at private addresses as well, and on this machine without TLS
    #[arg(
        long,
        env = "ADMIT_ALLOW_PRIVATE_JWKS",
        value_name = "YES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    allow_private_jwks: Option<bool>,
    /// Further authorities, PEM, that may have signed the certificates of the places where clients publish their keys, and
    /// of FHIR servers that are asked for patients
    #[arg(long, env = "ADMIT_JWKS_CA_FILE", value_name = "FILE")]
    jwks_ca_file: Option<PathBuf>,
    /// Apps may register themselves at `/register`, with a token from `admit client registration-token create`
    #[arg(
        long,
        env = "ADMIT_REGISTRATION",
        value_name = "YES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    registration: Option<bool>,
    /// How long a signing key signs until the next one takes over, such as 30d; `never` leaves that to `admit key rotate` [default: 90d]
    #[arg(long, env = "ADMIT_KEY_ROTATION", value_name = "DURATION")]
    key_rotation: Option<Schedule>,
    /// Write every audit entry to standard output (`stdout`) as well, to an OpenTelemetry collector (the https:// URL where it
    /// takes logs, ending in /v1/logs), or to both
    #[arg(long, env = "ADMIT_AUDIT_LOG", value_name = "stdout|URL", value_delimiter = ',')]
    audit_log: Option<Vec<Sink>>,
    /// For how many years the audit trail is kept [default: 6, which is also the least]
    #[arg(long, env = "ADMIT_AUDIT_RETENTION_YEARS", value_name = "YEARS", value_parser = clap::value_parser!(u16).range(i64::from(LEAST_YEARS)..=100))]
    audit_retention_years: Option<u16>,
}

/// The one variable that is no setting: a secret has no flag, and no place in a file of settings.
const MASTER_KEY: &str = "ADMIT_MASTER_KEY";

/// Every setting, as clap knows it.
fn settings() -> Command {
    Common::augment_args(Serve::augment_args(Command::new("settings")))
}

/// The variables that mean something: a misspelt one is an error.
#[must_use]
pub fn variables() -> Vec<String> {
    let of_settings = settings();
    let of_settings = of_settings.get_arguments().filter_map(|setting| setting.get_env()?.to_str()).map(str::to_owned);
    of_settings.chain([MASTER_KEY.to_owned()]).collect()
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

/// Settings that contradict themselves, or cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(String);

/// Settings, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the data is.
    pub database: Location,
    /// Whether SQLite may be on a network file system.
    pub allow_network_disk: bool,
    /// Where the master key is, if it is not in `ADMIT_MASTER_KEY`.
    pub master_key_file: Option<PathBuf>,
    /// How log lines look, if that was said.
    pub log_format: Option<LogFormat>,
    /// What to log, if that was said.
    pub log: Option<String>,
    /// What only the server looks at. Other commands do not care whether it is right.
    pub server: Result<Server, BadConfig>,
}

/// The server's settings.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What it is known by; checked.
    pub issuer: String,
    /// What stands on the pages.
    pub organization: String,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Hosts beside the issuer's.
    pub allowed_hosts: Vec<String>,
    /// How long it says that it is not ready before it stops.
    pub shutdown_delay: Duration,
    /// How many passwords may be hashed at once.
    pub hash_slots: usize,
    /// The most connections to PostgreSQL, if that was said.
    pub database_connections: Option<u32>,
    /// How it answers as a validator.
    pub validation: Validation,
    /// Whether clients may publish their keys at private addresses.
    pub allow_private_jwks: bool,
    /// Who may have signed the certificates there, and those of FHIR servers, besides the public authorities.
    pub jwks_ca_file: Option<PathBuf>,
    /// Whether apps may register themselves.
    pub is_open_to_registration: bool,
    /// How often signing keys take over from one another.
    pub key_rotation: Schedule,
    /// How the audit trail is kept.
    pub audit: Keeping,
}

impl Config {
    /// Checks what was said, and fills in the defaults.
    #[must_use]
    pub fn resolve(common: Common, serve: Serve) -> Self {
        let Ok(database) = common.database.unwrap_or_else(|| "admit.db".to_owned()).parse::<Location>();
        Self {
            database,
            allow_network_disk: common.allow_network_disk.unwrap_or(false),
            master_key_file: common.master_key_file,
            log_format: common.log_format,
            log: common.log,
            server: Server::resolve(serve),
        }
    }

    /// Where the data is, and how it is to be used.
    #[must_use]
    pub fn database_options(&self) -> Options {
        Options { allow_network_disk: self.allow_network_disk, ..Options::from(&self.database) }
    }
}

impl Serve {
    /// Where the server listens. An address comes before the port, which may be the platform's.
    fn listen(&self) -> SocketAddr {
        let at_every_address = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        self.listen.or(self.port.map(at_every_address)).unwrap_or(DEFAULT_LISTEN)
    }

    /// Where this machine reaches the server; `None` where that takes TLS: its certificate is for another name.
    #[must_use]
    pub fn local_url(&self) -> Option<String> {
        let listen = self.listen();
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let is_tls = self.tls_certificate_file.is_some();
        (!is_tls).then(|| format!("http://{}", SocketAddr::new(ip, listen.port())))
    }

    /// What variables and file say, as `admit serve` would read them: for a command that stands in for the server.
    ///
    /// # Errors
    /// [`BadConfig`], where something cannot be read.
    pub fn without_flags(file: Option<&File>) -> Result<Self, BadConfig> {
        let command = Self::augment_args(Command::new("serve"));
        let command = file.map_or(command.clone(), |file| file.beneath(command));
        let read = command.try_get_matches_from(["serve"]);
        read.and_then(|found| Self::from_arg_matches(&found))
            .map_err(|error| BadConfig(format!("the settings of `admit serve`: {}", first_line(&error))))
    }
}

/// What clap says of a value, without how commands are used.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

impl Server {
    fn resolve(serve: Serve) -> Result<Self, BadConfig> {
        let listen = serve.listen();
        let issuer = match serve.issuer {
            Some(issuer) => issuer,
            None if listen.ip().is_loopback() => format!("http://{listen}"),
            None => {
                return Err(BadConfig(format!("the server listens on {listen}: give the URL that it is known by (--issuer https://…)")));
            }
        };
        let tls = match (serve.tls_certificate_file, serve.tls_key_file) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(BadConfig("TLS needs both --tls-certificate-file and --tls-key-file".to_owned())),
        };
        let hash_slots = serve.hash_slots.unwrap_or_else(cores);
        if hash_slots == 0 {
            return Err(BadConfig("--hash-slots is how many passwords may be hashed at once: at least 1".to_owned()));
        }
        let host = check_issuer(&issuer)?;
        let validation = Validation {
            role: serve.role_arn,
            read_only_role: serve.read_only_role_arn,
            boolean_is_authorized: serve.boolean_is_authorized.unwrap_or_default(),
        };
        check_roles(&validation)?;
        let audit = Keeping { years: serve.audit_retention_years.unwrap_or(LEAST_YEARS), sinks: serve.audit_log.unwrap_or_default() };
        if audit.sinks.iter().enumerate().any(|(at, sink)| audit.sinks[..at].iter().any(|other| other.name() == sink.name())) {
            return Err(BadConfig("--audit-log takes stdout once, and one URL".to_owned()));
        }
        Ok(Self {
            listen,
            issuer,
            organization: serve.organization.unwrap_or(host),
            tls,
            trusted_proxies: serve.trusted_proxies.unwrap_or_default(),
            allowed_hosts: serve.allowed_hosts.unwrap_or_default(),
            shutdown_delay: serve.shutdown_delay.map_or(SHUTDOWN_DELAY, |seconds| Duration::from_secs(seconds.into())),
            hash_slots,
            database_connections: serve.database_connections,
            validation,
            allow_private_jwks: serve.allow_private_jwks.unwrap_or_default(),
            jwks_ca_file: serve.jwks_ca_file,
            is_open_to_registration: serve.registration.unwrap_or_default(),
            key_rotation: serve.key_rotation.unwrap_or_default(),
            audit,
        })
    }

    /// Where clients may publish their keys.
    ///
    /// # Errors
    /// [`BadConfig`], where the file of the authorities cannot be read.
    pub fn key_policy(&self) -> Result<KeyPolicy, BadConfig> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|error| BadConfig(format!("the authorities in {} cannot be read: {error}", path.display())))
        };
        let authorities = self.jwks_ca_file.as_ref().map(read).transpose()?;
        Ok(KeyPolicy { allow_private: self.allow_private_jwks, authorities })
    }
}

/// With the time in which requests under way may end ([`crate::listener`]), ten seconds in all.
const SHUTDOWN_DELAY: Duration = Duration::from_secs(3);
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Refuses a misspelt variable.
///
/// # Errors
/// [`BadConfig`] names it, and those that there are.
pub fn refuse_unknown_variables() -> Result<(), BadConfig> {
    let known = variables();
    let unknown = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .find(|name| name.starts_with("ADMIT_") && !known.contains(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(BadConfig(format!("the variable {name} is not one that Admit knows; it knows {}", known.join(" ")))),
    }
}

#[cfg(test)]
mod tests;
