//! A service with accounts, and people who use it: one line each in a story.

use crate::support::{Answer, Client, Running, options, service_with};
use axum::http::HeaderMap;
use serde_json::{Value, json};
use server::identity::session;
use server::jobs::runner::now_us;
use server::serve::ServeOptions;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use store::control::accounts::NewAccount;
use store::control::members::{Grant, Role};
use store::control::projects::ProjectKind;

/// A password that may be taken.
pub const PASSWORD: &str = "kohlrabi und drei Züge";

/// A service with accounts.
pub struct House {
    pub running: Running,
}

/// Somebody with a credential, or without one.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    /// The line that shows who it is; empty for nobody.
    pub credential: String,
    /// Id of the account.
    pub id: String,
}

/// Starts a service with accounts; there is none yet.
pub fn house() -> House {
    House { running: service_with(ServeOptions { open: false, ..options() }) }
}

impl House {
    /// Whoever has no credential.
    pub fn nobody(&self) -> Person {
        Person { client: self.running.client, credential: String::new(), id: String::new() }
    }

    /// An account of this name, without a password and with a second factor, logged in.
    pub fn person(&self, name: &str, admin: bool) -> Person {
        let person = self.person_by_password(name, admin);
        let control = self.running.store.control();
        self.running.wait(control.prepare_totp(&person.id, "sealed")).unwrap();
        self.running.wait(control.activate_totp(&person.id, 0, &[])).unwrap();
        person
    }

    /// The same without a second factor.
    pub fn person_by_password(&self, name: &str, admin: bool) -> Person {
        let email = format!("{name}@example.org");
        let control = self.running.store.control();
        let new = NewAccount { email: &email, name, admin, password_hash: None };
        let account = self.running.wait(control.create_account(&new, now_us())).unwrap();
        self.logged_in(&account.id)
    }

    /// Another login session of an account.
    pub fn logged_in(&self, account: &str) -> Person {
        let control = self.running.store.control();
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let cookie = self.running.wait(session::begin(control, account, here, &HeaderMap::new(), now_us())).unwrap();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        Person { client: self.running.client, credential: format!("cookie: {pair}"), id: account.to_owned() }
    }

    /// Makes an empty project; gives its id.
    pub fn project(&self, name: &str) -> String {
        let control = self.running.store.control();
        self.running.wait(control.create_project(name, ProjectKind::Imported, now_us())).unwrap().id
    }

    /// Makes somebody a member of a project.
    pub fn join(&self, project: &str, person: &Person, role: Role, grants: &[Grant]) {
        let control = self.running.store.control();
        // A project needs a lead before anybody else.
        if role != Role::Lead && self.running.wait(control.members(project)).unwrap().is_empty() {
            let lead = self.person(&format!("lead-of-{project}"), false);
            self.join(project, &lead, Role::Lead, &[]);
        }
        let grants = grants.iter().copied().collect();
        self.running.wait(control.put_member(project, &person.id, role, &grants, now_us())).unwrap();
    }

    /// Makes the first account with the printed token.
    pub fn set_up(&self, email: &str) -> Answer {
        let token = self.running.setup_token.as_deref().unwrap();
        let body = json!({ "token": token, "email": email, "name": "Ann", "password": PASSWORD });
        self.running.client.post("/setup", &body)
    }

    /// Tries to log in with a password.
    pub fn login(&self, email: &str, password: &str, code: Option<&str>) -> Answer {
        self.running.client.post("/login", &json!({ "email": email, "password": password, "code": code }))
    }
}

impl Person {
    /// Whoever an answer has just logged in.
    pub fn of(house: &House, answer: &Answer) -> Self {
        let id = answer.json()["id"].as_str().unwrap_or_default().to_owned();
        Self { client: house.running.client, credential: answer.cookie.clone().expect("no cookie was set"), id }
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&self, method: &str, path: &str, bytes: &[u8]) -> Answer {
        self.client.send(method, path, &["content-type: application/octet-stream", &self.credential], bytes)
    }

    /// Imports a log and waits for its tables.
    pub fn import(&self, project: &str, name: &str, log: &str) {
        let begun = self.send_bytes("POST", &format!("/projects/{project}/imports?file={name}"), log.as_bytes());
        let path = format!("/projects/{project}/imports/{}", begun.expect(202)["id"].as_str().unwrap());
        self.until(&path, |answer| answer["state"] == "done");
    }

    /// Asks again and again until an answer is as it is waited for.
    pub fn until(&self, path: &str, is_met: impl Fn(&Value) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_met(&self.get(path).expect(200)) {
            assert!(Instant::now() < end, "{path} never became what was waited for");
            std::thread::yield_now();
        }
    }

    /// A token of the account, for one project or for all.
    pub fn token(&self, project: Option<&str>) -> String {
        let issued = self.post("/me/tokens", json!({ "name": "test", "project": project })).expect(201);
        issued["token"].as_str().unwrap().to_owned()
    }

    /// The same with a token instead of a login.
    pub fn with_token(&self, token: &str) -> Self {
        Self { credential: format!("authorization: Bearer {token}"), ..self.clone() }
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut headers = vec!["content-type: application/json"];
        headers.extend((!self.credential.is_empty()).then_some(self.credential.as_str()));
        let body = if method == "GET" { String::new() } else { body.to_string() };
        self.client.send(method, path, &headers, body.as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &body)
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, &body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send("PATCH", path, &body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &json!({}))
    }
}
