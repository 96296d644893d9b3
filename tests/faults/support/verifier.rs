//! The invariants of the threat catalogue (§3.2), looked for from outside: in the database while the
//! server has it open, and by presenting again what the clients were given.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;

use super::client::tokens_of;
use super::ledger::{Spent, jti};
use super::{AppOfOurs, Database, Family, Installation, Ledger, Lost, Reply};

/// Each counts what must not be there. No statement of the product is among them. Each looks at
/// every table once: there are tens of thousands of rows after the long forms.
const NEVER: &[(&str, &str)] = &[
    (
        "I1, I2: a grant with two refresh tokens that are both unused",
        "select count(*) from (select grant_id from refresh_token where rotated_at is null
                                group by tenant_id, grant_id having count(*) > 1) x",
    ),
    (
        "I2: a refresh token with two successors",
        "select count(*) from (select parent_digest from refresh_token where parent_digest is not null
                                group by tenant_id, parent_digest having count(*) > 1) x",
    ),
    (
        "I1: a code that bought two first refresh tokens",
        "select count(*) from (select grant_id from refresh_token where parent_digest is null
                                group by tenant_id, grant_id having count(*) > 1) x",
    ),
    (
        "I5: a grant of the app that asks without the person's consent in the books",
        "select count(*) from (select tenant_id, user_id, client_id, patient_id from access_grant where client_id = 'app'
                                except
                               select tenant_id, user_id, client_id, patient_id from audit where event = 'consent.granted') x",
    ),
    (
        "I6, I10: a grant whose code is not in the books",
        "select count(*) from (select tenant_id, grant_id from access_grant
                                except
                               select tenant_id, grant_id from audit where event = 'code.issued') x",
    ),
    (
        "I10: a used code without its refresh token",
        "select count(*) from (select tenant_id, grant_id from access_grant where code_used_at is not null and refresh is not null
                                except
                               select tenant_id, grant_id from refresh_token) x",
    ),
    (
        "I10: a refresh token of a code that was never used",
        "select count(*) from refresh_token r join access_grant g on g.tenant_id = r.tenant_id and g.grant_id = r.grant_id
          where g.code_used_at is null",
    ),
    (
        "I6, I10: a used code that is not in the books",
        "select count(*) from (select tenant_id, grant_id from access_grant where code_used_at is not null
                                except
                               select tenant_id, grant_id from audit where event = 'code.redeemed') x",
    ),
    (
        "I10: a used refresh token without its successor, of a family that lives",
        "select count(*) from (select r.tenant_id, r.digest
                                 from refresh_token r join access_grant g on g.tenant_id = r.tenant_id and g.grant_id = r.grant_id
                                where r.rotated_at is not null and g.revoked_at is null
                                except
                               select tenant_id, parent_digest from refresh_token) x",
    ),
    (
        "I8: a refresh token without its grant",
        "select count(*) from (select tenant_id, grant_id from refresh_token except select tenant_id, grant_id from access_grant) x",
    ),
    (
        "I8: a grant without its person",
        "select count(*) from (select tenant_id, user_id from access_grant except select tenant_id, user_id from user_account) x",
    ),
    (
        "I8: a grant without its app",
        "select count(*) from (select tenant_id, client_id from access_grant except select tenant_id, client_id from client) x",
    ),
];

/// Everything that the database alone can show.
///
/// # Panics
/// Where an invariant does not hold.
pub async fn verify_store(installation: &Installation) {
    let mut database = installation.database().await;
    match database {
        Database::Sqlite(_) => {
            assert_eq!(database.texts("pragma integrity_check").await, ["ok"], "I8");
            assert_eq!(database.count("select count(*) from pragma_foreign_key_check").await, 0, "I8: a row that hangs in the air");
        }
        Database::Postgres(_) => {
            // It fails where an index does not fit its table.
            let statement = "select count(*)
                               from (select amcheck.bt_index_check(c.oid::regclass, true)
                                       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
                                      where m.amname = 'btree' and i.indisvalid and c.relnamespace = 'public'::regnamespace) x";
            assert!(database.count(statement).await > 0, "I8: there are no indexes");
        }
    }
    for (what, statement) in NEVER {
        let found = database.count(statement).await;
        assert!(found == 0, "{what}: {found} of them");
    }
}

/// The same, and everything that the record can show: what was acknowledged is there and works,
/// what is over is over. It uses up what is in the record.
///
/// # Panics
/// Where an invariant does not hold.
pub async fn verify(app: &AppOfOurs, ledger: Ledger) {
    in_the_books(&app.installation, &ledger).await;
    assert_assertions_are_spent(app, &ledger.assertions).await;
    let families = ledger.families.into_iter().enumerate();
    let present = futures_util::stream::iter(families).map(|(nth, family)| verify_family(app, nth, family));
    present.buffer_unordered(16).collect::<()>().await;
    verify_store(&app.installation).await;
    let chain = app.installation.run(&["audit", "verify"]);
    assert!(chain.status.success(), "I6: {}{}", String::from_utf8_lossy(&chain.stdout), String::from_utf8_lossy(&chain.stderr));
}

/// I6: every token that was given, and every revocation that was acknowledged, is in the books.
async fn in_the_books(installation: &Installation, ledger: &Ledger) {
    let mut database = installation.database().await;
    let written: HashSet<String> = database.texts("select jti from audit where jti is not null").await.into_iter().collect();
    for family in &ledger.families {
        for (nth, tokens) in family.tokens.iter().enumerate() {
            let (jti, of) = (tokens.jti(), family.tokens.len());
            assert!(written.contains(&jti), "I6: the books know nothing of {jti}, answer {} of {of} to {}", nth + 1, family.client);
        }
    }
    for spent in &ledger.assertions {
        let jti = jti(&spent.access);
        assert!(written.contains(&jti), "I6: the books know nothing of {jti}, which the service was given");
    }
    let statement = "select grant_id from audit where event = 'grant.revoked' and grant_id is not null";
    let written: HashSet<String> = database.texts(statement).await.into_iter().collect();
    for family in ledger.families.iter().filter(|family| family.is_revoked) {
        let jti = family.latest().jti();
        let grant = admit::grant::grant_of(&jti).expect("a person's token names its grant");
        assert!(written.contains(grant.as_str()), "I6: the books know nothing of the revocation of {grant}");
    }
}

/// I7: assertions that were accepted, and are still of age, are good for nothing.
///
/// # Panics
/// Where one is accepted again.
pub async fn assert_assertions_are_spent(app: &AppOfOurs, spent: &[Spent]) {
    // They live for a minute; what is refused for its age shows nothing.
    for spent in spent.iter().filter(|spent| spent.at.elapsed() < Duration::from_secs(45)) {
        let reply = surely(app, || app.assert(&spent.assertion)).await;
        assert_eq!(reply.status, 401, "I7: an assertion was accepted twice: {}", reply.brief());
        assert!(reply.text("error_description").contains("used before"), "I7: {}", reply.brief());
    }
}

/// Presents again what one family was given. Which of the ways its number says.
async fn verify_family(app: &AppOfOurs, nth: usize, mut family: Family) {
    if family.is_revoked {
        let reply = surely(app, || app.refresh(family.client, &family.latest().refresh)).await;
        assert_dead(&reply, "I4: a revoked refresh token was accepted");
        let reply = surely(app, || app.introspect(&family.latest().access)).await;
        assert_eq!(reply.json()["active"], false, "I4: a token of a revoked family is active");
    } else {
        // The last answer that the app has is good, whatever happened since.
        let reply = surely(app, || app.refresh(family.client, &family.latest().refresh)).await;
        assert_eq!(reply.status, 200, "I3: an acknowledged refresh token is lost: {}", reply.brief());
        let tokens = tokens_of(&reply, &family);
        family.tokens.push(tokens);
        let spent = match nth % 3 {
            0 => Some(surely(app, || app.redeem(&family)).await),
            1 => {
                // The parent of the latest would give it again; its own parent may not.
                while family.tokens.len() < 3 {
                    let reply = surely(app, || app.refresh(family.client, &family.latest().refresh)).await;
                    let tokens = tokens_of(&reply, &family);
                    family.tokens.push(tokens);
                }
                Some(surely(app, || app.refresh(family.client, &family.tokens[0].refresh)).await)
            }
            _ => None,
        };
        if let Some(reply) = spent {
            assert_dead(&reply, "I1, I4: a code or a refresh token was accepted twice");
            let reply = surely(app, || app.refresh(family.client, &family.latest().refresh)).await;
            assert_dead(&reply, "I4: a family lives on after a replay");
        }
    }
    if let Some(launch) = &family.launch {
        let reply = surely(app, || app.begin(launch)).await;
        let error = reply.parameter("error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "I7: a launch was accepted twice: {} {}", reply.status, reply.brief());
    }
}

fn assert_dead(reply: &Reply, what: &str) {
    assert_eq!((reply.status.as_u16(), reply.text("error").as_str()), (400, "invalid_grant"), "{what}: {}", reply.brief());
}

/// The verifier asks a server that works: it gets an answer.
async fn surely<F: Future<Output = Result<Reply, Lost>>>(app: &AppOfOurs, once: impl FnMut() -> F) -> Reply {
    let begin = Instant::now();
    let reply = app.until_answered(|_, _| {}, once).await;
    reply.unwrap_or_else(|why| panic!("after {:?} the server still does not answer: {why:?}", begin.elapsed()))
}
