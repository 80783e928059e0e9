//! Accounts, members and the audit log in the control database, over both kinds of it.

use crate::support::{NOW_US, Place, over_both, project};
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use store::control::accounts::{Account, NewAccount};
use store::control::audit::{AuditActor, AuditFilter, AuditHead, AuditRecord};
use store::control::login_sessions::{Ended, LoginSession, SESSIONS_MAX};
use store::control::members::{Grant, Grants, Role};
use store::{Store, StoreError};

async fn account(store: &Store, name: &str) -> Account {
    let email = format!("{name}@example.org");
    let new = NewAccount { email: &email, name, admin: false, password_hash: None };
    store.control().create_account(&new, NOW_US).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_members_see_their_projects_and_no_others() {
    over_both(async |place| {
        let store = place.open().await;
        let control = store.control();
        let (orders, invoices) = (project(&store, "Orders").await, project(&store, "Invoices").await);
        let (ann, bob) = (account(&store, "ann").await, account(&store, "bob").await);
        let grants: Grants = [Grant::Raw, Grant::Identities].into();
        control.put_member(&orders.id, &ann.id, Role::Lead, &grants, NOW_US).await.unwrap();
        control.put_member(&invoices.id, &bob.id, Role::Lead, &Grants::new(), NOW_US).await.unwrap();

        let own = control.projects_of(&ann.id).await.unwrap();
        assert_eq!((own.len(), own[0].0.id.as_str(), &own[0].1.grants), (1, orders.id.as_str(), &grants));
        for handle in [orders.id.as_str(), "orders", "Orders"] {
            let (_, membership) = control.project_for(handle, &ann.id).await.unwrap().unwrap();
            assert_eq!(membership.unwrap().role, Role::Lead, "{handle}");
        }
        assert_eq!(control.project_for("invoices", &ann.id).await.unwrap().unwrap().1, None);
        assert!(control.project_for("nothing", &ann.id).await.unwrap().is_none());

        // The last lead stays.
        let viewer = control.put_member(&orders.id, &ann.id, Role::Viewer, &Grants::new(), NOW_US).await;
        assert!(matches!(viewer, Err(StoreError::Invalid(_))), "{viewer:?}");
        assert!(control.remove_member(&orders.id, &ann.id).await.is_err());
        assert!(!control.remove_member(&orders.id, &bob.id).await.unwrap());
        control.delete_project(&orders.id).await.unwrap();
        assert_eq!(control.projects_of(&ann.id).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s9_the_first_account_is_one_and_addresses_are_too() {
    over_both(async |place| {
        let store = place.open().await;
        let control = store.control();
        let orders = project(&store, "Orders").await;
        let new = NewAccount { email: "Ann@Example.org", name: "Ann", admin: true, password_hash: Some("hash") };
        let first = control.create_first_account(&new, NOW_US).await.unwrap().unwrap();
        assert_eq!(control.project_for(&orders.id, &first.id).await.unwrap().unwrap().1.unwrap().role, Role::Lead);
        assert_eq!(control.account(&first.id).await.unwrap(), first);
        let second = NewAccount { email: "eve@example.org", ..new };
        assert_eq!(control.create_first_account(&second, NOW_US).await.unwrap(), None);
        let taken = control.create_account(&NewAccount { email: "ANN@example.org", ..new }, NOW_US).await;
        assert!(matches!(taken, Err(StoreError::Exists { .. })), "{taken:?}");
        assert_eq!(control.account_by_email(" ann@EXAMPLE.org").await.unwrap().unwrap().id, first.id);
        control.set_subject(&first.id, "issuer", "subject").await.unwrap();
        assert_eq!(control.account_by_subject("issuer", "subject").await.unwrap().unwrap().id, first.id);
        assert_eq!(control.account_by_subject("another", "subject").await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_an_account_has_so_many_sessions_and_the_oldest_ends() {
    over_both(async |place| {
        let store = place.open().await;
        let control = store.control();
        let ann = account(&store, "ann").await;
        let never = Ended { created_before_us: 0, seen_before_us: 0 };
        for n in 0..=SESSIONS_MAX {
            let session = LoginSession {
                id: format!("session-{n}"),
                account: ann.id.clone(),
                created_at_us: NOW_US + n,
                seen_at_us: NOW_US + n,
                address: "192.0.2.1".into(),
                user_agent: "test".into(),
            };
            control.put_login_session(&session, &format!("hash-{n}"), never).await.unwrap();
        }
        assert_eq!(control.login_sessions(&ann.id, never).await.unwrap().len(), SESSIONS_MAX as usize);
        assert!(control.login_session("hash-0", never).await.unwrap().is_none());
        let (found, newest) = control.login_session(&format!("hash-{SESSIONS_MAX}"), never).await.unwrap().unwrap();
        assert_eq!((found.id, newest.created_at_us), (ann.id, NOW_US + SESSIONS_MAX));
    })
    .await;
}

fn record(action: &str, detail: i64) -> AuditRecord {
    AuditRecord {
        actor: AuditActor { kind: "account".into(), id: "a".into(), name: "Ann".into() },
        action: action.into(),
        project: Some("p".into()),
        subject: Some(("import".into(), "i".into())),
        detail: json!({ "rows": detail }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_a_cut_edited_or_swapped_entry_is_seen() {
    over_both(async |place| {
        // Whatever is done to the log, and the first entry at which it is seen.
        for (damage, broken_at) in [
            ("SELECT 1", None),
            ("UPDATE audit SET detail = '{\"rows\":1000}' WHERE n = 3", Some(3)),
            ("UPDATE audit SET actor_id = 'b' WHERE n = 1", Some(1)),
            ("UPDATE audit SET subject_id = NULL WHERE n = 2", Some(2)),
            ("UPDATE audit SET at = at + 1 WHERE n = 5", Some(5)),
            ("UPDATE audit SET n = 100 - n WHERE n IN (2, 3)", Some(2)),
            ("DELETE FROM audit WHERE n = 4", Some(4)),
            // The chain alone does not show a cut tail; the signed head does.
            ("DELETE FROM audit WHERE n >= 4", Some(4)),
            ("DELETE FROM audit", Some(1)),
        ] {
            let store = place.open().await;
            let control = store.control();
            for n in 1..=5 {
                let entry = control.append_audit(&record("import.start", n), NOW_US + n).await.unwrap();
                assert_eq!(entry.n, n);
            }
            let (n, hash) = control.audit_tip().await.unwrap();
            let head = AuditHead { n, hash, signed_at_us: NOW_US, public_key: "k".into(), signature: "s".into() };
            damaged(place, &store, damage).await;
            assert_eq!(control.verify_audit(std::slice::from_ref(&head)).await.unwrap(), broken_at, "{damage}");
            damaged(place, &store, "DELETE FROM audit").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_an_entry_that_was_written_anew_is_seen_at_the_one_after_it() {
    over_both(async |place| {
        let store = place.open().await;
        let control = store.control();
        for n in 1..=5 {
            control.append_audit(&record("import.start", n), NOW_US + n).await.unwrap();
        }
        damaged(place, &store, "CREATE TABLE kept AS SELECT * FROM audit WHERE n > 2").await;
        damaged(place, &store, "DELETE FROM audit WHERE n >= 2").await;
        // A second past, whose every entry is good by itself.
        control.append_audit(&record("import.start", 1_000), NOW_US + 2).await.unwrap();
        damaged(place, &store, "INSERT INTO audit SELECT * FROM kept").await;
        assert_eq!(control.verify_audit(&[]).await.unwrap(), Some(3));
    })
    .await;
}

/// Does to the control database what its program never does.
async fn damaged(place: &Place, store: &Store, sql: &'static str) {
    let file = format!("sqlite://{}", store.settings().folder.join("control.sqlite").display());
    let url = place.settings().control_url.unwrap_or(file);
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_entries_written_at_the_same_moment_make_one_chain() {
    over_both(async |place| {
        let store = place.open().await;
        let writers = (0..8).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    store.control().append_audit(&record("import.start", writer * 100 + n), NOW_US).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let control = store.control();
        assert_eq!(control.audit_tip().await.unwrap().0, 80);
        assert_eq!(control.verify_audit(&[]).await.unwrap(), None);
        let filter = |action: &str| AuditFilter { action: Some(action.into()), ..AuditFilter::default() };
        for (action, count) in [("import", 80), ("import.start", 80), ("imp", 0), ("import.%", 0)] {
            assert_eq!(control.audit(&filter(action), 10, 0).await.unwrap().1, count, "{action}");
        }
        let foreign = AuditFilter { project: Some("q".into()), ..AuditFilter::default() };
        assert_eq!(control.audit(&foreign, 10, 0).await.unwrap().1, 0);
    })
    .await;
}
