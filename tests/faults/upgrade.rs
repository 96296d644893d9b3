//! F-20: the tables are brought up to date, and brought back, while clients use the server.
//!
//! There is one program here, which stands for both versions. For the upgrade, the newest tables
//! that nothing depends on are taken back before it starts. For the way back, the tables are
//! changed as a later version would change them.

use std::path::Path;
use std::time::Duration;

use admit::store::Location;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::Fault;
use crate::support::{APART, AppOfOurs, Browser, Installation, Kind, Load, Plan, Server, Traffic, pause, tokens_of, verify};

pub const FAULT: Fault = Fault {
    id: "F-20",
    what: "upgrade and rollback under traffic",
    pass: "0 lost sessions, one of all instances migrates, an older program refuses newer tables",
    on: &[Kind::Sqlite, Kind::Postgres],
    run: |plan| Box::pin(run(plan)),
};

/// What the eighth migration made.
const OLDER: &str = "drop table job; delete from _sqlx_migrations where version = 8";
/// What a later one might do.
const NEWER: &str = "alter table session add column device text; create table device (tenant_id text not null primary key);
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
    select 9999, 'device', success, checksum, 0 from _sqlx_migrations where version = 1";

const CLIENTS: u64 = 8;

async fn run(plan: Plan) -> String {
    let rounds = plan.either(1_u64, 20);
    let installation = Installation::new(plan.store).await;
    let mut server = Server::start(&installation).await;
    // How long an upgrade takes is not what is looked at: everybody waits for its end.
    let app = AppOfOurs { patience: Duration::from_secs(300), ..installation.clients(&[server.port]) };
    // Beside the others, somebody who signs in once.
    let mut browser = app.browser(APART);
    app.authorize_in(&mut browser, APART, false).await.expect("an answer");
    let mut traffic = Traffic::start(&app, Load::without_end(CLIENTS));
    let mut done = 0;
    for round in 0..rounds {
        done = traffic_since(&mut traffic, done).await;
        stop(&mut server).await;
        sql(&installation, OLDER).await;
        upgrade(&installation, &mut server).await;
        assert_signed_in(&app, &mut browser).await;

        done = traffic_since(&mut traffic, done).await;
        stop(&mut server).await;
        let backup = installation.folder().join(format!("backup-{round}.db"));
        admit(&installation, &["db", "copy", "--from", &name(&installation.location), "--to", &backup.to_string_lossy()], 0);
        sql(&installation, NEWER).await;
        let refused = admit(&installation, &["serve", "--listen", "127.0.0.1:0"], 5);
        assert!(refused.contains("newer version of Admit"), "{refused}");
        roll_back(&installation, &backup).await;
        server.again().await;
        assert_signed_in(&app, &mut browser).await;
    }
    traffic_since(&mut traffic, done).await;
    let ledger = traffic.stop().await;
    let (answered, abandoned, unanswered, turned_away) = (ledger.answered, ledger.abandoned, ledger.unanswered, ledger.turned_away);
    // An orderly stop answers whoever has come in. The kernel may let in one more between the server's last look and its
    // closing the door; whoever that is finds the connection reset.
    let (stops, because) = (2 * rounds, &ledger.abandoned_because);
    assert!(unanswered <= stops, "{unanswered} requests had no answer in {stops} orderly stops");
    assert!(abandoned <= unanswered, "{abandoned} authorizations ended, {unanswered} requests had no answer: {because:?}");
    verify(&app, ledger).await;
    format!(
        "{rounds} upgrades and {rounds} rollbacks, {answered} answers kept, 0 sessions lost; {unanswered} requests without an answer at {stops} stops, \
         {turned_away} turned away"
    )
}

/// The session of before is good still.
async fn assert_signed_in(app: &AppOfOurs, browser: &mut Browser<'_>) {
    let family = app.authorize_in(browser, APART, false).await.expect("an answer");
    assert_eq!(browser.sign_ins, 1, "a session is lost: its person has to sign in again");
    tokens_of(&app.redeem(&family).await.expect("an answer"), &family);
}

/// Some more authorizations than before.
async fn traffic_since(traffic: &mut Traffic, done: u64) -> u64 {
    while traffic.done() < done + 30 {
        assert!(!traffic.is_over(), "the traffic has ended");
        pause(5).await;
    }
    traffic.done()
}

async fn stop(server: &mut Server) {
    let (_, status) = server.terminate().await;
    assert!(status.success(), "an orderly stop ends with {status}");
}

/// Starts the newer program: on PostgreSQL several at once, of which one changes the tables.
async fn upgrade(installation: &std::sync::Arc<Installation>, server: &mut Server) {
    match &installation.location {
        Location::Sqlite(path) => {
            server.again().await;
            let folder = std::fs::read_dir(path.parent().expect("a folder")).expect("read");
            let copies = folder.filter(|entry| entry.as_ref().expect("a file").file_name().to_string_lossy().contains(".before-"));
            assert_eq!(copies.count(), 1, "the file was copied before it was changed");
        }
        Location::Postgres(_) => {
            let (_, second, third) = tokio::join!(server.again(), Server::start(installation), Server::start(installation));
            drop((second, third));
        }
    }
    let applied = installation.database().await.count("select count(*) from _sqlx_migrations where version = 8").await;
    assert_eq!(applied, 1, "the upgrade was made once");
}

/// The tables and everything in them are as they were before the upgrade.
async fn roll_back(installation: &Installation, backup: &Path) {
    match &installation.location {
        Location::Sqlite(path) => {
            for end in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", path.display())); // an orderly stop leaves none
            }
            std::fs::copy(backup, path).expect("restored");
        }
        Location::Postgres(url) => {
            sql(installation, "drop schema public cascade; create schema public").await;
            admit(installation, &["db", "copy", "--from", &backup.to_string_lossy(), "--to", url], 0);
        }
    }
}

fn name(location: &Location) -> String {
    match location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.clone(),
    }
}

/// Runs a command that has to end with this code; what it says.
fn admit(installation: &Installation, arguments: &[&str], code: i32) -> String {
    let done = installation.run(arguments);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(code), "admit {}: {said}", arguments.join(" "));
    said
}

async fn sql(installation: &Installation, statements: &str) {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    match &installation.location {
        Location::Sqlite(path) => {
            let mut connection = sqlx::SqliteConnection::connect(&path.to_string_lossy()).await.expect("the database");
            statements.execute(&mut connection).await.expect("the statements");
            connection.close().await.expect("closed");
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
            statements.execute(&mut connection).await.expect("the statements");
            connection.close().await.expect("closed");
        }
    }
}
