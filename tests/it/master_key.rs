//! What seals the signing keys, and how it is changed while servers run.

use std::sync::Arc;

use admit::key::{MasterKey, Purpose};
use admit::keys::{KeyError, KeyRing, Schedule};
use admit::store::StoredKey;
use admit::token::Algorithm;
use time::Duration;

use crate::keys::{issue, kid};
use crate::support::TestApp;

const ACCESS: (Purpose, Algorithm) = (Purpose::Access, Algorithm::Es256);

async fn keys(app: &TestApp) -> Vec<StoredKey> {
    app.store().published_keys(&app.origin().tenant, app.clock.now()).await.expect("keys")
}

async fn under(app: &TestApp) -> Vec<String> {
    let named = |key: &StoredKey| MasterKey::named_in(key.sealed.as_deref().expect("sealed")).unwrap_or("unnamed").to_owned();
    let mut names: Vec<String> = keys(app).await.iter().map(named).collect();
    names.sort();
    names.dedup();
    names
}

/// Two servers run all the time. First both know both master keys, then everything is sealed anew, then the old one goes.
#[tokio::test]
async fn a_master_key_is_changed_while_servers_run() {
    let app = TestApp::start().await;
    let (old, new) = (app.master(), MasterKey::generate());
    let copy = |key: &MasterKey| MasterKey::parse(&key.expose()).expect("a key");
    let first = app.another_with(|setup| setup.master_key = copy(&old).before(copy(&new))).await;
    let second = app.another_with(|setup| setup.master_key = copy(&new).before(copy(&old))).await;
    assert_eq!(under(&app).await, [old.id()]);

    let done = second.app.keys.reseal(second.store(), &second.origin()).await.expect("sealed anew");
    let all = keys(&app).await.len() as u64;
    assert_eq!((done.changed, done.all, done.under.as_str()), (all, all, new.id()));
    assert_eq!(under(&app).await, [new.id()]);
    for server in [&first, &second] {
        assert_eq!(server.introspect(&issue(server).await).await["active"], true);
    }
    // The first server still seals under the old one, and both follow.
    app.advance(Duration::seconds(1));
    let made = first.app.keys.rotate(first.store(), &first.origin(), ACCESS, first.clock.now()).await.expect("a key");
    app.advance(Duration::seconds(1));
    for server in [&first, &second] {
        assert_eq!(kid(&issue(server).await), made.id.as_str());
    }
    assert_eq!(under(&app).await.len(), 2);
    assert_eq!(second.app.keys.reseal(second.store(), &second.origin()).await.expect("sealed anew").changed, 1);
    assert_eq!(second.app.keys.reseal(second.store(), &second.origin()).await.expect("nothing to do").changed, 0);
    assert_eq!(app.audit("key.resealed").await.len(), 2);

    // Now the old one can go, and nothing opens with it.
    let last = app.another_with(|setup| setup.master_key = copy(&new)).await;
    assert_eq!(last.introspect(&issue(&last).await).await["active"], true);
    let refused = KeyRing::new(app.origin().tenant, old).current(app.store(), app.clock.now()).await.err().expect("the old one");
    assert!(refused.to_string().contains(new.id()), "{refused}");
}

/// What the first versions sealed names no master key; it opens, and names one from then on.
#[tokio::test]
async fn what_the_first_versions_sealed_is_sealed_anew() {
    let app = TestApp::start().await;
    let prefix = format!("v2.{}.", app.master().id());
    app.sql(&format!("update signing_key set sealed = replace(sealed, '{prefix}', 'v1.')")).await;
    let server = app.another().await;
    assert_eq!(under(&app).await, ["unnamed"]);
    assert_eq!(server.introspect(&issue(&server).await).await["active"], true);
    let all = keys(&app).await.len() as u64;
    assert_eq!(server.app.keys.reseal(server.store(), &server.origin()).await.expect("sealed anew").changed, all);
    assert_eq!(under(&app).await, [app.master().id()]);
}

/// One key that cannot be opened, and nothing is changed; it is named.
#[tokio::test]
async fn all_is_sealed_anew_or_nothing() {
    let app = TestApp::start().await;
    let (old, new) = (app.master(), MasterKey::generate());
    let before: Vec<_> = keys(&app).await.into_iter().map(|key| key.sealed).collect();
    let damaged = keys(&app).await.into_iter().max_by_key(|key| key.id.to_string()).expect("a key");
    app.sql(&format!("update signing_key set algorithm = 'RS384' where key_id = '{}'", damaged.id)).await;
    let ring = KeyRing::new(app.origin().tenant, new.before(old));
    let refused = ring.reseal(app.store(), &app.origin()).await.expect_err("one is damaged");
    assert!(matches!(&refused, KeyError::Sealed(id, _) if *id == damaged.id.as_str()), "{refused}");
    assert_eq!(keys(&app).await.into_iter().map(|key| key.sealed).collect::<Vec<_>>(), before);
    assert!(app.audit("key.resealed").await.is_empty());
}

/// Keys are erased, made and sealed anew at once; what is erased stays so, and what is there opens.
#[tokio::test(flavor = "multi_thread")]
async fn keys_may_come_and_go_while_they_are_sealed_anew() {
    let app = Arc::new(TestApp::start().await);
    app.sql("delete from signing_key where purpose <> 'access'").await;
    let both = |first: &MasterKey, second: &MasterKey| {
        let copy = |key: &MasterKey| MasterKey::parse(&key.expose()).expect("a key");
        copy(first).before(copy(second))
    };
    let (one, two) = (app.master(), MasterKey::generate());
    let rings = [KeyRing::new(app.origin().tenant, both(&one, &two)), KeyRing::new(app.origin().tenant, both(&two, &one))].map(Arc::new);
    crate::support::at_once(12, |nth| {
        let (app, ring) = (Arc::clone(&app), Arc::clone(&rings[nth % 2]));
        async move {
            let origin = app.origin();
            match nth / 4 {
                0 => drop(ring.reseal(app.store(), &origin).await.expect("sealed anew")),
                1 => ring.keep_up(app.store(), &origin, Schedule::default()).await.expect("what is due"),
                _ => {
                    let oldest = keys(&app).await.pop().expect("a key");
                    drop(ring.revoke(app.store(), &origin, &oldest).await.expect("an answer"));
                }
            }
        }
    })
    .await;
    assert_eq!(app.count("select count(*) from signing_key where revoked_at is not null and sealed <> ''").await, 0);
    app.advance(Duration::seconds(1));
    for ring in rings {
        ring.current(app.store(), app.clock.now()).await.expect("every key opens");
    }
}
