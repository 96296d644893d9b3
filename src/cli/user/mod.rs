//! `admit user`: the people who sign in.

mod create;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::desk::Desk;
use super::output::{Limit, Output, Record, at, note};
use super::{Failure, prompt};
use crate::config::Config;
use crate::password::Passwords;
use crate::person::{User, canonical_username};

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Users {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
Examples:
  admit user create dr.example --name \"Dr. Example\" --fhir-user Practitioner/example
  admit user list --json
  admit user set-password dr.example --password-file - < password.txt";

#[derive(Subcommand)]
enum Action {
    /// Make an account; the password is asked for
    Create(create::Create),
    /// Show people, by user name
    List(Limit),
    /// Show one account
    Show {
        /// What they type to sign in
        username: String,
    },
    /// Set a password; sessions end, and apps have to be allowed again
    SetPassword {
        /// What they type to sign in
        username: String,
        /// A file with the password, - for standard input [default: asked for at the terminal]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Switch an account off, and end everything that apps were allowed in its name
    Disable {
        /// What they type to sign in
        username: String,
    },
}

pub(super) async fn run(config: Config, Users { output, action }: Users) -> Result<(), Failure> {
    match action {
        Action::Create(new) => create::run(config, output, new).await,
        Action::List(limit) => {
            let desk = Desk::open(config).await?;
            desk.reads("user list").await?;
            let users = limit.first(desk.store.users(desk.tenant(), limit.asked()).await?);
            output.many(&["username", "name", "fhir_user", "disabled_at"], &users.iter().map(record).collect::<Vec<_>>())
        }
        Action::Show { username } => {
            let desk = Desk::open(config).await?;
            let user = find(&desk, &username).await?;
            desk.reads_about("user show", |entry| entry.user(&user.id)).await?;
            output.one(&record(&user))
        }
        Action::SetPassword { username, password_file } => {
            let desk = Desk::open(config).await?;
            let user = find(&desk, &username).await?;
            let hash = hash(&prompt::password(password_file.as_deref(), &user.username)?).await?;
            if !desk.store.set_password(&desk.origin, &user.id, &hash).await? {
                return Err(unknown(&username));
            }
            note("the password is set; every session has ended, and apps have to be allowed again");
            output.one(&record(&user))
        }
        Action::Disable { username } => {
            let desk = Desk::open(config).await?;
            let user = find(&desk, &username).await?;
            if !desk.store.disable_user(&desk.origin, &user.id).await? {
                return Err(unknown(&username));
            }
            note(&format!("{} is switched off; access tokens end within ten minutes, everything else at once", user.username));
            output.one(&record(&find(&desk, &username).await?))
        }
    }
}

async fn find(desk: &Desk, username: &str) -> Result<User, Failure> {
    let found = desk.store.user_by_name(desk.tenant(), &canonical_username(username)).await?;
    found.map(|(user, _)| user).ok_or_else(|| unknown(username))
}

fn unknown(username: &str) -> Failure {
    Failure::not_found(format!("there is no user {username:?}: `admit user list` shows those there are"))
}

async fn hash(password: &str) -> Result<String, Failure> {
    Ok(Passwords::new(1)?.hash(password).await?)
}

fn record(user: &User) -> Record {
    Record::default()
        .with("user_id", user.id.as_str())
        .with("username", user.username.as_str())
        .with("name", user.display_name.as_str())
        .with("fhir_user", user.fhir_user.as_ref().map(ToString::to_string))
        .with("created_at", at(user.created_at))
        .with("disabled_at", user.disabled_at.map(at))
}
