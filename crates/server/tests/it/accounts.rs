//! Accounts from outside: the first one, logins, second factors, sessions, tokens, the audit log (promises S9, S10, S11).

use crate::people::{House, PASSWORD, Person, house};
use crate::support::{options, run_json, service_with};
use serde_json::{Value, json};
use server::audit;
use server::identity::master_key::Sealer;
use server::identity::{secret_text, session, totp};
use server::jobs::runner::now_us;
use server::serve::ServeOptions;
use store::control::api_tokens::ApiToken;
use store::control::audit::AuditHead;
use store::control::login_sessions::LoginSession;

const MINUTE_US: i64 = 60 * 1_000_000;

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("no code")
}

/// A service whose first account is ann@example.org.
fn house_of_ann() -> (House, Person) {
    let house = house();
    let answer = house.set_up("Ann@Example.org");
    answer.expect(201);
    let ann = Person::of(&house, &answer);
    (house, ann)
}

#[test]
fn s9_the_first_account_is_made_once_with_the_printed_token() {
    let house = house();
    let old = house.project("Older than accounts");
    let me = house.nobody().get("/me").expect(200);
    assert_eq!((&me["account"], &me["setup_needed"], &me["open"]), (&Value::Null, &json!(true), &json!(false)));
    let wrong = json!({ "token": "guessed", "email": "eve@example.org", "name": "Eve", "password": PASSWORD });
    house.nobody().post("/setup", wrong).expect(404);
    let common = json!({ "token": house.running.setup_token, "email": "a@example.org", "name": "A", "password": "password1234" });
    house.nobody().post("/setup", common).expect(400);

    let answer = house.set_up("Ann@Example.org");
    let account = answer.expect(201);
    assert_eq!((&account["email"], &account["admin"]), (&json!("ann@example.org"), &json!(true)));
    let ann = Person::of(&house, &answer);
    let me = ann.get("/me").expect(200);
    assert_eq!((&me["setup_needed"], &me["projects"][0]["role"]), (&json!(false), &json!("lead")), "{me}");
    ann.get(&format!("/projects/{old}")).expect(200);
    house.set_up("eve@example.org").expect(404);
    assert_eq!(house.running.wait(house.running.store.control().account_count()).unwrap(), 1);
}

#[test]
fn s9_two_first_accounts_at_the_same_moment_are_one() {
    let house = house();
    let house = &house;
    let set_up = |n: i32| move || house.set_up(&format!("a{n}@example.org")).status;
    let statuses = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..6).map(|n| scope.spawn(set_up(n))).collect();
        tries.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(house.running.wait(house.running.store.control().account_count()).unwrap(), 1);
}

#[test]
fn s9_whoever_is_refused_learns_nothing() {
    let (house, _) = house_of_ann();
    let (root, bob) = (house.person("root", true), house.person("bob", false));
    let unknown = house.login("nobody@example.org", PASSWORD, None);
    let wrong = house.login("ann@example.org", "kohlrabi und vier Züge", None);
    assert_eq!(code(&unknown.expect(401)), "unauthenticated");
    assert_eq!(unknown.body, wrong.body);
    // An account without a password, and one that is disabled, look the same.
    assert_eq!(house.login("bob@example.org", PASSWORD, None).body, wrong.body);
    root.patch(&format!("/accounts/{}", bob.id), json!({ "disabled": true })).expect(200);
    assert_eq!(house.login("bob@example.org", "", None).body, wrong.body);
    house.login("ANN@example.org ", PASSWORD, None).expect(200);
    let long = "x".repeat((1 << 20) - 1_000);
    assert_eq!(house.login("ann2@example.org", &long, None).body, wrong.body);
}

#[test]
fn s9_guessing_is_slowed_down_and_says_for_how_long() {
    let (house, _) = house_of_ann();
    let statuses: Vec<u16> = (0..8).map(|_| house.login("ann@example.org", "wrong", None).status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);
    let refused = house.login("ann@example.org", PASSWORD, None);
    assert!(refused.status == 429 && refused.head.contains("retry-after: "), "{}", refused.head);
    // Somebody else at the same address is not kept out.
    house.login("bob@example.org", "wrong", None).expect(401);
}

#[test]
fn s9_a_code_of_the_second_factor_works_once_and_so_does_a_recovery_code() {
    let (house, ann) = house_of_ann();
    let secret = ann.post("/me/totp", json!({})).expect(200)["secret"].as_str().unwrap().to_owned();
    // Until a code was shown, nothing is asked for.
    house.login("ann@example.org", PASSWORD, None).expect(200);
    ann.put("/me/totp", json!({ "code": "000000" })).expect(400);
    // The step before is still good; it leaves the present one for the login.
    let (before, now) =
        (totp::code_at(&secret, now_us() - MINUTE_US / 2).unwrap(), totp::code_at(&secret, now_us()).unwrap());
    let answer = ann.put("/me/totp", json!({ "code": before })).expect(200);
    let recovery: Vec<&str> =
        answer["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(recovery.len(), 10);
    ann.post("/me/totp", json!({})).expect(409);

    assert_eq!(code(&house.login("ann@example.org", PASSWORD, None).expect(401)), "second_factor");
    assert_eq!(
        code(&house.login("ann@example.org", PASSWORD, Some(&before)).expect(401)),
        "second_factor",
        "used before"
    );
    house.login("ann@example.org", PASSWORD, Some(&now)).expect(200);
    // Each story has few tries from one address.
    let (house, id) = (house, ann.id.as_str());
    let control = house.running.store.control();
    let hash = totp::recovery_hash(recovery[0]).unwrap();
    assert!(house.running.wait(control.use_recovery_code(id, &hash)).unwrap());
    assert!(!house.running.wait(control.use_recovery_code(id, &hash)).unwrap(), "a recovery code worked twice");
    let step = totp::step_of(&secret, &now, now_us()).unwrap();
    assert!(!house.running.wait(control.use_totp_step(id, step)).unwrap(), "a code worked twice");

    ann.send("DELETE", "/me/totp", &json!({ "code": "000000" })).expect(400);
    ann.send("DELETE", "/me/totp", &json!({ "code": recovery[1] })).expect(204);
    assert_eq!(ann.get("/me").expect(200)["account"]["totp"], false);
}

#[test]
fn s9_an_admin_whom_a_stolen_password_would_be_manages_nothing() {
    let (house, ann) = house_of_ann();
    let operations = [
        ("GET", "/accounts"),
        ("POST", "/accounts"),
        ("GET", "/service/settings"),
        ("PUT", "/service/settings"),
        ("GET", "/audit"),
    ];
    for (method, path) in operations {
        let body = json!({ "email": "bob@example.org", "name": "Bob" });
        assert_eq!(code(&ann.send(method, path, &body).expect(403)), "no_second_factor", "{method} {path}");
    }
    let token = ann.with_token(&ann.token(None));
    assert_eq!(code(&token.get("/accounts").expect(403)), "no_second_factor");
    assert_eq!(ann.get("/status").expect(200).get("data_folder"), None, "she is told where the data lies");
    // What is no admin's stays open, so that she can make her first project, and set the second factor up.
    ann.post("/projects", json!({ "name": "Orders" })).expect(201);
    let secret = ann.post("/me/totp", json!({})).expect(200)["secret"].as_str().unwrap().to_owned();
    assert_eq!(code(&ann.get("/accounts").expect(403)), "no_second_factor", "a secret that was not shown to work");
    ann.put("/me/totp", json!({ "code": totp::code_at(&secret, now_us()).unwrap() })).expect(200);
    ann.get("/accounts").expect(200);
    token.get("/accounts").expect(200);
    assert!(ann.get("/status").expect(200)["data_folder"].is_string());
    // Without the second factor the right to it is gone with the next request.
    let control = house.running.store.control();
    house.running.wait(control.remove_totp(&ann.id)).unwrap();
    assert_eq!(code(&ann.get("/accounts").expect(403)), "no_second_factor");
}

#[test]
fn s9_a_link_to_choose_a_password_works_once_and_admins_never_choose() {
    let house = house();
    let ann = house.person("ann", true);
    let made = ann.post("/accounts", json!({ "email": "bob@example.org", "name": "Bob", "admin": false })).expect(201);
    let token = made["link"].as_str().unwrap().strip_prefix("/password/").unwrap().to_owned();
    let path = format!("/password-links/{token}");
    assert_eq!(house.nobody().get(&path).expect(200), json!({ "email": "bob@example.org", "name": "Bob" }));
    house.nobody().post(&path, json!({ "password": "short" })).expect(400);
    let answer = house.nobody().post(&path, json!({ "password": PASSWORD }));
    answer.expect(200);
    let bob = Person::of(&house, &answer);
    assert_eq!(bob.get("/me").expect(200)["account"]["password"], true);
    house.nobody().post(&path, json!({ "password": PASSWORD })).expect(404);
    house.nobody().get(&path).expect(404);

    // A reset makes the older link void, and choosing ends the sessions that were there.
    let reset = format!("/accounts/{}/reset", bob.id);
    let first =
        ann.post(&reset, json!({})).expect(200)["link"].as_str().unwrap().replace("/password/", "/password-links/");
    let second =
        ann.post(&reset, json!({})).expect(200)["link"].as_str().unwrap().replace("/password/", "/password-links/");
    house.nobody().get(&first).expect(404);
    bob.get("/me/sessions").expect(200);
    house.nobody().post(&second, json!({ "password": "ein ganz neuer Satz" })).expect(200);
    bob.get("/me/sessions").expect(401);
}

#[test]
fn s9_a_disabled_account_is_out_with_the_next_request_and_one_admin_stays() {
    let house = house();
    let ann = house.person("ann", true);
    let bob = house.person("bob", true);
    let token = bob.post("/me/tokens", json!({ "name": "script" })).expect(201)["token"].as_str().unwrap().to_owned();
    let script = bob.with_token(&token);
    script.get("/accounts").expect(200);
    ann.patch(&format!("/accounts/{}", bob.id), json!({ "disabled": true })).expect(200);
    bob.get("/accounts").expect(401);
    script.get("/accounts").expect(401);
    let last = ann.patch(&format!("/accounts/{}", ann.id), json!({ "admin": false })).expect(400);
    assert!(last["error"]["message"].as_str().unwrap().contains("must stay admin"), "{last}");
}

#[test]
fn s10_the_cookie_is_kept_from_pages_and_strangers_and_new_at_every_login() {
    let (house, ann) = house_of_ann();
    let headers = ["content-type: application/json", ann.credential.as_str()];
    let body = json!({ "email": "ann@example.org", "password": PASSWORD }).to_string();
    let answer = ann.client.send("POST", "/login", &headers, body.as_bytes());
    let line = answer.head.lines().find(|line| line.starts_with("set-cookie")).unwrap().to_owned();
    assert!(line.ends_with("; secure; httponly; samesite=lax; path=/"), "{line}");
    let again = Person::of(&house, &answer);
    assert_ne!(again.credential, ann.credential);
    // Whoever prepared the browser's old session has nothing.
    ann.get("/me/sessions").expect(401);
    again.get("/me/sessions").expect(200);
}

#[test]
fn s10_a_copied_cookie_is_worth_nothing_after_logout() {
    let (house, ann) = house_of_ann();
    let answer = ann.post("/logout", json!({}));
    assert!(answer.status == 204 && answer.head.contains("max-age=0"), "{}", answer.head);
    ann.get("/me/sessions").expect(401);
    assert_eq!(ann.get("/me").expect(200)["account"], Value::Null);
    let again = Person::of(&house, &house.login("ann@example.org", PASSWORD, None));
    again.get("/me/sessions").expect(200);
}

#[test]
fn s10_sessions_are_listed_ended_and_die_with_a_password() {
    let (house, ann) = house_of_ann();
    let other = house.logged_in(&ann.id);
    let third = house.logged_in(&ann.id);
    let sessions = ann.get("/me/sessions").expect(200);
    let sessions = sessions["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1, "{sessions:?}");
    assert_eq!(sessions.len(), 3);
    let others = other.get("/me/sessions").expect(200)["sessions"].as_array().unwrap().clone();
    let others = others.iter().find(|session| session["current"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    house.person("bob", false).delete(&format!("/me/sessions/{others}")).expect(404);
    other.get("/me/sessions").expect(200);
    ann.delete(&format!("/me/sessions/{others}")).expect(204);
    other.get("/me/sessions").expect(401);

    ann.post("/me/password", json!({ "current": "wrong", "password": "ein ganz neuer Satz" })).expect(400);
    third.get("/me/sessions").expect(200);
    ann.post("/me/password", json!({ "current": PASSWORD, "password": "ein ganz neuer Satz" })).expect(204);
    third.get("/me/sessions").expect(401);
    ann.get("/me/sessions").expect(200);
    house.login("ann@example.org", PASSWORD, None).expect(401);
    house.login("ann@example.org", "ein ganz neuer Satz", None).expect(200);
}

#[test]
fn s10_a_session_ends_after_an_hour_of_silence_or_twelve_hours() {
    let house = house();
    let ann = house.person("ann", false);
    let control = house.running.store.control();
    let now = now_us();
    for (created_before, seen_before, holds) in
        [(11 * 60 + 59, 59, true), (11 * 60, 61, false), (12 * 60 + 1, 0, false), (0, 0, true)]
    {
        let secret = secret_text::random_secret();
        let session = LoginSession {
            id: format!("{created_before}/{seen_before}"),
            account: ann.id.clone(),
            created_at_us: now - created_before * MINUTE_US,
            seen_at_us: now - seen_before * MINUTE_US,
            address: "127.0.0.1".into(),
            user_agent: String::new(),
        };
        // As it was put when it began, before anything was over.
        let then = session::ended(session.created_at_us);
        house.running.wait(control.put_login_session(&session, &secret_text::hash_of(&secret), then)).unwrap();
        use secrecy::ExposeSecret;
        let person = Person { credential: format!("cookie: __Host-lode={}", secret.expose_secret()), ..ann.clone() };
        let status = person.get("/me/tokens").status;
        assert_eq!(status, if holds { 200 } else { 401 }, "{created_before} min old, silent for {seen_before} min");
    }
}

#[test]
fn s9_a_token_holds_until_its_day_and_not_longer() {
    use secrecy::ExposeSecret;
    let house = house();
    let ann = house.person("ann", false);
    let control = house.running.store.control();
    for (left_us, status) in [(MINUTE_US, 200), (-1, 401)] {
        let key = secret_text::KeyKind::ApiToken.issue();
        let token = ApiToken {
            id: key.id.clone(),
            account: ann.id.clone(),
            project: None,
            name: "script".into(),
            read_only: false,
            created_at_us: 0,
            expires_at_us: now_us() + left_us,
            last_used_at_us: None,
        };
        house.running.wait(control.put_api_token(&token, &key.hash)).unwrap();
        ann.with_token(key.text.expose_secret()).get("/projects").expect(status);
        // The id alone, with another secret, is worth nothing.
        let forged = secret_text::KeyKind::ApiToken.issue();
        ann.with_token(forged.text.expose_secret()).get("/projects").expect(401);
    }
    ann.post("/me/tokens", json!({ "name": "x", "days": 10_000 })).expect(400);
}

#[test]
fn s11_what_people_do_is_written_down_without_contents() {
    let (house, ann) = house_of_ann();
    let made = ann.post("/projects", json!({ "name": "canary-name" })).expect(201);
    let project = made["id"].as_str().unwrap();
    house.login("canary-address@example.org", "canary-password", None).expect(401);
    let added = json!({ "email": "bob@example.org", "role": "council", "grants": [] });
    let bob = ann.post(&format!("/projects/{project}/members"), added).expect(201);
    assert!(bob["link"].is_string(), "{bob}");
    ann.post(&format!("/projects/{project}/query"), json!({ "sql": "SELECT 'canary-text'" })).expect(200);
    let root = house.person("root", true);
    let log = root.get("/audit").expect(200);
    let actions: Vec<&str> =
        log["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["query.ask", "member.put", "account.create", "login.failed", "project.create", "login.ok", "setup.done"]
    );
    let text = log.to_string();
    for canary in ["canary-address", "canary-password", "canary-text", PASSWORD] {
        assert!(!text.contains(canary), "{canary} stands in the log");
    }
    let council = house.logged_in(bob["account"]["id"].as_str().unwrap());
    let own = council.get(&format!("/projects/{project}/audit?action=member")).expect(200);
    assert_eq!((&own["total"], &own["entries"][0]["action"]), (&json!(1), &json!("member.put")), "{own}");
    assert_eq!(root.get("/audit?action=login").expect(200)["total"], 2);
    assert_eq!(root.get(&format!("/audit?actor={}", ann.id)).expect(200)["total"], 6);
}

#[test]
fn s11_the_head_is_signed_once_a_day_and_a_forged_signature_is_seen() {
    let (house, ann) = house_of_ann();
    let control = house.running.store.control();
    let folder = &house.running.store.settings().folder;
    let key = crate::support::master_key();
    let sealer = house.running.wait(Sealer::open(Some(&key), folder, control)).unwrap();
    let sign = |at_us: i64| house.running.wait(audit::sign_daily(control, &sealer, at_us)).unwrap();
    let heads = || house.running.wait(control.audit_heads()).unwrap();
    let now = now_us();
    sign(now);
    let first = heads().len();
    sign(now + 60 * MINUTE_US);
    assert_eq!(heads().len(), first, "signed twice on one day");
    ann.post("/projects", json!({ "name": "Orders" })).expect(201);
    sign(now + 25 * 60 * MINUTE_US);
    assert_eq!(heads().len(), first + 1);
    let head = ann.get("/audit/head").expect(200);
    assert_eq!((&head["verified"], &head["broken_at"]), (&json!(true), &Value::Null), "{head}");
    assert!(head["signature"].is_string() && head["key"].is_string());

    let forged = AuditHead { signed_at_us: now + 1, ..heads().pop().unwrap() };
    house.running.wait(control.put_audit_head(&forged)).unwrap();
    let head = ann.get("/audit/head").expect(200);
    assert_eq!((&head["verified"], &head["broken_at"]), (&json!(false), &json!(forged.n)), "{head}");
}

#[test]
fn s12_secrets_of_the_settings_are_sealed_and_never_read_back() {
    let (house, _) = house_of_ann();
    let ann = house.person("root", true);
    let settings = json!({
        "public_url": "https://lode.example.org/",
        "smtp": { "host": "mail.example.org", "port": 587, "user": "lode", "from": "lode@example.org", "password": "canary-smtp" },
        "oidc": { "issuer": "https://login.example.org", "client_id": "lode", "name": "Company login", "secret": "canary-oidc" },
        "webhook_url": null,
    });
    let kept = ann.put("/service/settings", settings.clone()).expect(200);
    assert_eq!(
        (&kept["public_url"], &kept["smtp"]["password_set"], &kept["oidc"]["secret_set"]),
        (&json!("https://lode.example.org"), &json!(true), &json!(true))
    );
    let shown = ann.get("/service/settings").expect(200);
    assert_eq!(shown, kept);
    assert!(!shown.to_string().contains("canary"), "{shown}");
    let folder = &house.running.store.settings().folder;
    for file in ["control.sqlite", "control.sqlite-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
        for canary in ["canary-smtp", "canary-oidc", PASSWORD] {
            assert!(
                !bytes.windows(canary.len()).any(|window| window == canary.as_bytes()),
                "{canary} stands in {file}"
            );
        }
    }
    assert_eq!(ann.get("/me").expect(200)["oidc"]["name"], "Company login");
    // The new address is one of the service's own now.
    ann.client.send("GET", "/status", &["host: lode.example.org"], b"").expect(200);
    for wrong in ["http://lode.example.org", "ftp://lode.example.org", "https://user:secret@lode.example.org", "lode"] {
        ann.put("/service/settings", json!({ "public_url": wrong })).expect(400);
    }
    let off = ann.put("/service/settings", json!({})).expect(200);
    assert_eq!((&off["smtp"], &off["oidc"]), (&Value::Null, &Value::Null));
}

#[test]
fn s12_behind_a_proxy_only_encrypted_requests_are_taken() {
    let proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let public_url = Some("https://lode.example.org".to_owned());
    let running = service_with(ServeOptions { open: false, proxies, public_url, ..options() });
    let ask = |line: &str| running.client.send("GET", "/status", &["host: lode.example.org", line], b"").status;
    assert_eq!(ask("x-forwarded-proto: https"), 200);
    assert_eq!(ask("x-forwarded-proto: http"), 400);
    assert_eq!(ask("accept: */*"), 400);
    // Nor are clients, whose calls go another way.
    let nonce =
        |line: &str| running.client.send("POST", "//client/v1/nonce", &["host: lode.example.org", line], b"").status;
    assert_eq!(nonce("x-forwarded-proto: https"), 200);
    assert_eq!(nonce("x-forwarded-proto: http"), 400);
}

#[test]
fn accounts_and_members_are_looked_after_by_hand_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let ok = |arguments: &[&str]| {
        let (code, answer) = run_json(data, arguments);
        assert_eq!(code, 0, "{arguments:?}: {answer}");
        answer
    };
    let ann = ok(&["user", "add", "ann@example.org", "--name", "Ann"]);
    assert!(ann["account"]["admin"] == true && ann["link"].as_str().unwrap().starts_with("/password/"), "{ann}");
    let bob = ok(&["user", "add", "bob@example.org"]);
    assert_eq!(bob["account"]["admin"], false);
    assert_eq!(run_json(data, &["user", "add", "bob@example.org"]).0, 1);
    ok(&["project", "create", "Orders"]);
    ok(&["project", "member", "put", "orders", "ann@example.org", "--role", "lead"]);
    let arguments = ["project", "member", "put", "orders", "bob@example.org", "--role", "analyst", "--grant", "raw"];
    let members = ok(&arguments);
    assert_eq!(
        (&members["members"][1]["role"], &members["members"][1]["grants"]),
        (&json!("analyst"), &json!(["raw"]))
    );
    assert_eq!(
        ok(&["project", "member", "remove", "orders", "bob@example.org"])["members"].as_array().unwrap().len(),
        1
    );
    assert_eq!(run_json(data, &["project", "member", "remove", "orders", "bob@example.org"]).0, 3);
    assert_eq!(ok(&["user", "disable", "bob@example.org"])["disabled"], true);
    assert_eq!(run_json(data, &["user", "disable", "ann@example.org"]).0, 1, "the last admin was locked out");
    assert_eq!(run_json(data, &["user", "reset", "nobody@example.org"]).0, 3);
    assert!(ok(&["user", "reset", "ann@example.org"])["link"].is_string());
    assert_eq!(ok(&["user", "list"])["accounts"].as_array().unwrap().len(), 2);
}
