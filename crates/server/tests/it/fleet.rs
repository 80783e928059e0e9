//! Desktops and the service: who may enrol and speak, and what is taken from whom.
//!
//! The desktops are simulated clients, which scrub and sign as real ones do.

use crate::people::{House, Person, house};
use crate::support::{Answer, Running, service};
use serde_json::{Value, json};
use server::simulation::client::{Sent, SimulatedClient};
use std::time::{Duration, Instant};
use store::control::members::{Grant, Role};
use uilog::envelope::{self, Header};
use uilog::{Event, EventType};

const NOW_US: i64 = 1_767_700_000_000_000;

/// A project whose configuration is published, with a key to enrol.
struct Study {
    running: Running,
    slug: String,
    http: reqwest::Client,
}

impl Study {
    fn new() -> Self {
        let running = service();
        let slug = study(&|method, path, body| running.client.change(method, path, body), "Orders");
        Self { running, slug, http: reqwest::Client::new() }
    }

    fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", self.slug)
    }

    fn key(&self, wanted: Value) -> Value {
        self.running.client.post(&self.path("/app-keys"), &wanted).expect(201)
    }

    fn server(&self) -> String {
        format!("http://{}", self.running.client.0)
    }

    fn enrol(&self, key: &Value) -> anyhow::Result<SimulatedClient> {
        let key = key["key"].as_str().unwrap();
        self.running.wait(SimulatedClient::enrol(&self.http, &self.server(), key))
    }

    /// A client that is enrolled and obeys the configuration.
    fn client(&self) -> SimulatedClient {
        let mut client = self.enrol(&self.key(json!({ "name": "test" }))).unwrap();
        self.running.wait(client.beat("recording")).unwrap();
        client
    }

    fn send(&self, client: &mut SimulatedClient, packed: Vec<u8>) -> Sent {
        self.running.wait(client.send(packed)).unwrap()
    }

    fn rows(&self, sql: &str) -> Value {
        self.running.client.post(&self.path("/query"), &json!({ "sql": sql })).expect(200)["rows"].clone()
    }

    /// Asks until the answer is as wanted, for at most ten seconds: what was acknowledged is visible by then (P12).
    fn rows_until(&self, sql: &str, wanted: &Value) {
        self.running.client.rows_until(&self.slug, sql, wanted, Duration::from_secs(10));
    }
}

/// Makes a project, publishes a configuration, and returns the short name.
pub fn study(change: &dyn Fn(&str, &str, &Value) -> Answer, name: &str) -> String {
    let project = change("POST", "/projects", &json!({ "name": name, "kind": "enrolled" })).expect(201);
    let slug = project["slug"].as_str().unwrap().to_owned();
    let id = project["id"].as_str().unwrap();
    let input = uilog::policy::TemplateInput {
        project: id.parse().unwrap(),
        applications: ["excel.exe", "outlook.exe", "saplogon.exe"].map(str::to_owned).into(),
        sites: vec!["orders.example.org".into()],
        valid_until_s: chrono::Utc::now().timestamp() + 86_400 * 30,
        texts: vec![("en".into(), "We record clicks in Excel.".into())],
    };
    let xml = uilog::policy::write(&uilog::policy::template(uilog::policy::Preset::Standard, &input).unwrap());
    let publish = json!({ "xml": xml, "note": "", "percent": 100 });
    change("POST", &format!("/projects/{slug}/configuration/publish"), &publish).expect(201);
    slug
}

fn refused(sent: Sent) -> u16 {
    match sent {
        Sent::Refused(status, _) => status.as_u16(),
        Sent::Acknowledged(answer) => panic!("acknowledged: {answer:?}"),
    }
}

fn acknowledged(sent: Sent) -> envelope::Acknowledgement {
    match sent {
        Sent::Acknowledged(answer) => answer,
        Sent::Refused(status, _) => panic!("refused: {status}"),
    }
}

#[test]
fn p12_what_a_desktop_sends_is_visible_within_ten_seconds_and_once() {
    let study = Study::new();
    let mut client = study.client();
    let events = client.capture(20, NOW_US);
    let packed = client.pack(&events).unwrap();
    assert_eq!(acknowledged(study.send(&mut client, packed.clone())).accepted.count(), 20);
    let again = acknowledged(study.send(&mut client, packed));
    assert_eq!((again.accepted.count(), again.duplicates.count()), (0, 20), "P2");
    study.rows_until("SELECT count(*), count(DISTINCT seq) FROM events", &json!([[20, 20]]));
    let balance = study.running.client.get(&study.path("/balance")).expect(200);
    assert_eq!((balance["stored"].as_i64(), balance["lost"].as_i64()), (Some(20), Some(0)), "{balance}");
}

#[test]
fn d5_a_name_is_hashed_twice_and_the_first_hash_is_stored_nowhere() {
    let study = Study::new();
    let mut client = study.client();
    let events = client.capture(5, NOW_US);
    let once = format!("{:032x}", u128::from_be_bytes(events[0].hashed["user_name"].0));
    let packed = client.pack(&events).unwrap();
    acknowledged(study.send(&mut client, packed));
    study.rows_until("SELECT count(*) FROM events", &json!([[5]]));
    let names = study.rows("SELECT DISTINCT user_name FROM events");
    let name = names[0][0].as_str().unwrap();
    assert!(name.len() == 33 && name.starts_with('#') && !name.contains(&once), "{name}");
}

#[test]
fn d1_what_no_rule_admits_is_refused_by_the_service_too_and_leaves_no_byte() {
    let study = Study::new();
    let mut client = study.client();
    // Of a day's worth, three actions in a window; what is about the recording itself carries none.
    let mut events = client.capture(60, NOW_US);
    events.retain(|event| event.window_title.is_some());
    events.truncate(3);
    events[1].process_name = Some("private.exe".into());
    events[1].window_title = Some("canary-4711".into());
    events[2].user_name = Some("canary-4712".into());
    let packed = client.pack(&events).unwrap();
    let answer = acknowledged(study.send(&mut client, packed));
    assert_eq!((answer.accepted.count(), answer.rejected.len()), (1, 2), "{answer:?}");
    assert!(!format!("{answer:?}").contains("canary"), "S14: {answer:?}");
    study.rows_until("SELECT count(*) FROM events", &json!([[1]]));
    for file in files_below(&study.running.store.settings().folder) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(7).any(|window| window == b"canary-"), "{}", file.display());
    }
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn p8_a_copied_spool_is_told_to_begin_a_new_epoch_and_overwrites_nothing() {
    let study = Study::new();
    let mut client = study.client();
    let mut events = client.capture(4, NOW_US);
    let packed = client.pack(&events).unwrap();
    acknowledged(study.send(&mut client, packed));
    events[2].time_us += 1;
    let packed = client.pack(&events[2..]).unwrap();
    assert_eq!(refused(study.send(&mut client, packed)), 409);
    study.rows_until("SELECT count(*) FROM events", &json!([[4]]));
}

#[test]
fn s2_a_key_enrols_as_often_as_it_may_and_not_after_it_was_revoked() {
    let study = Study::new();
    let once = study.key(json!({ "name": "once", "uses_max": 1 }));
    assert!(study.enrol(&once).is_ok());
    assert!(study.enrol(&once).is_err(), "used up");
    let key = study.key(json!({ "name": "revoked" }));
    assert!(study.enrol(&key).is_ok());
    let id = key["app_key"]["id"].as_str().unwrap();
    study.running.client.delete(&study.path(&format!("/app-keys/{id}"))).expect(204);
    assert!(study.enrol(&key).is_err(), "revoked");
    let wrong = json!({ "key": key["key"].as_str().unwrap().replace("lodek_", "lodek_x") });
    assert!(study.enrol(&wrong).is_err(), "a typing error");
    let here = study.key(json!({ "name": "here", "address_range": "127.0.0.0/8" }));
    assert!(study.enrol(&here).is_ok());
    let elsewhere = study.key(json!({ "name": "elsewhere", "address_range": "10.0.0.0/8" }));
    assert!(study.enrol(&elsewhere).is_err(), "another network");
    let listed = study.running.client.get(&study.path("/app-keys")).expect(200).to_string();
    assert!(!listed.contains(key["key"].as_str().unwrap()), "a key is shown once");
}

#[test]
fn s2_a_key_enrols_nobody_after_its_last_day() {
    let study = Study::new();
    let key = study.key(json!({ "name": "short", "days": 1 }));
    let id = key["app_key"]["id"].as_str().unwrap();
    let control = study.running.store.control();
    let kept = study.running.wait(control.app_key(id)).unwrap().unwrap();
    let day_us = 24 * 3_600 * 1_000_000;
    assert!(study.running.wait(control.use_app_key(id, kept.expires_at_us - 1)).unwrap());
    assert!(!study.running.wait(control.use_app_key(id, kept.expires_at_us)).unwrap(), "its last day is over");
    assert!((kept.expires_at_us - kept.created_at_us - day_us).abs() < day_us / 10);
}

#[test]
fn s2_a_client_that_is_held_sends_nothing_until_somebody_approves_it() {
    let study = Study::new();
    let key = study.key(json!({ "name": "hold", "approval": "hold" }));
    let mut held = study.enrol(&key).unwrap();
    study.running.wait(held.beat("needs_consent")).unwrap();
    let envelope = envelope::encode(&Header::new(held.agent_id, held.epoch, "0", None), &[]).unwrap();
    assert_eq!(refused(study.send(&mut held, envelope.clone())), 403);
    study.running.client.post(&study.path("/clients/approve"), &json!({})).expect(200);
    // The service may believe what it looked up for three seconds.
    let end = Instant::now() + Duration::from_secs(5);
    while let Sent::Refused(status, _) = study.send(&mut held, envelope.clone()) {
        assert!(Instant::now() < end, "still {status} after 5 s");
        std::thread::yield_now();
    }
    let purged = study.enrol(&key).unwrap();
    let id = key["app_key"]["id"].as_str().unwrap();
    let answer = study.running.client.post(&study.path(&format!("/app-keys/{id}/purge")), &json!({})).expect(200);
    assert_eq!(answer["purged"], 1);
    study.running.client.get(&study.path(&format!("/clients/{}", purged.agent_id))).expect(404);
}

#[test]
fn s3_a_revoked_client_is_out_within_five_seconds() {
    let study = Study::new();
    let mut client = study.client();
    let events = client.capture(2, NOW_US);
    let packed = client.pack(&events).unwrap();
    acknowledged(study.send(&mut client, packed.clone()));
    study.running.client.post(&study.path(&format!("/clients/{}/revoke", client.agent_id)), &json!({})).expect(200);
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        // Who asks so often is also told to wait, and that is not what is waited for.
        if let Sent::Refused(status, _) = study.send(&mut client, packed.clone())
            && status.as_u16() != 429
        {
            assert_eq!(status.as_u16(), 401);
            break;
        }
        assert!(Instant::now() < end, "still let in after 5 s");
        std::thread::yield_now();
    }
    assert!(study.running.wait(client.renew()).is_err(), "it gets no new token");
}

#[test]
fn s3_an_envelope_of_another_agent_is_refused() {
    let study = Study::new();
    let (mut one, mut other) = (study.client(), study.client());
    let events = one.capture(2, NOW_US);
    let packed = one.pack(&events).unwrap();
    assert_eq!(refused(study.send(&mut other, packed)), 403);
}

#[test]
fn s4_a_new_revision_is_obeyed_and_a_roll_back_is_a_higher_one() {
    let study = Study::new();
    let mut client = study.client();
    assert_eq!(client.revision(), Some(1));
    let first = study.running.client.get(&study.path("/configuration/revisions/1")).expect(200);
    let xml = first["xml"].as_str().unwrap().replace("PT5M", "PT6M");
    let publish = json!({ "xml": xml, "note": "longer", "percent": 100 });
    study.running.client.post(&study.path("/configuration/publish"), &publish).expect(201);
    study.running.wait(client.beat("recording")).unwrap();
    assert_eq!(client.revision(), Some(2));
    let back = json!({ "revision": 1 });
    study.running.client.post(&study.path("/configuration/rollback"), &back).expect(201);
    study.running.wait(client.beat("recording")).unwrap();
    assert_eq!(client.revision(), Some(3));
    let third = study.running.client.get(&study.path("/configuration/revisions/3")).expect(200);
    assert!(third["xml"].as_str().unwrap().contains("PT5M") || !third["xml"].as_str().unwrap().contains("PT6M"));
    let states = study.running.client.get(&study.path("/configuration/revisions")).expect(200);
    let states: Vec<&str> =
        states["revisions"].as_array().unwrap().iter().map(|revision| revision["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "rolled_back", "superseded"]);
}

#[test]
fn s5_bombs_and_nonsense_are_refused_and_the_next_envelope_is_taken() {
    let study = Study::new();
    let mut client = study.client();
    let zeros = zstd::encode_all(std::io::repeat(0).take_bytes(64 << 20).as_slice(), 19).unwrap();
    let many_frames: Vec<u8> = zeros.iter().chain(&zeros).copied().collect();
    let skippable: Vec<u8> = (0..1_000).flat_map(|_| [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]).collect();
    let deep = zstd::encode_all(format!("{{\"a\":{}", "[".repeat(1_000_000)).as_bytes(), 3).unwrap();
    for (name, body, status) in [
        ("zeros", zeros, 413),
        ("two frames", many_frames, 413),
        ("skippable frames", skippable, 400),
        ("deep", deep, 400),
        ("empty", Vec::new(), 400),
        ("text", b"hello".to_vec(), 400),
    ] {
        assert_eq!(refused(study.send(&mut client, body)), status, "{name}");
    }
    let large = vec![0; (4 << 20) + 1];
    assert_eq!(refused(study.send(&mut client, large)), 413);
    let events = client.capture(3, NOW_US);
    let packed = client.pack(&events).unwrap();
    assert_eq!(acknowledged(study.send(&mut client, packed)).accepted.count(), 3);
}

trait TakeBytes {
    fn take_bytes(self, count: u64) -> Vec<u8>;
}

impl<R: std::io::Read> TakeBytes for R {
    fn take_bytes(self, count: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut self.take(count), &mut bytes).unwrap();
        bytes
    }
}

#[test]
fn p5_a_gap_explains_the_numbers_that_will_never_come() {
    let study = Study::new();
    let mut client = study.client();
    let mut events = client.capture(6, NOW_US);
    let explained = Event {
        event_type: EventType::CoverageGap,
        attributes: [("reason", "quota"), ("seq_from", "3"), ("seq_to", "4")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        config_revision: events[0].config_revision.clone(),
        agent_id: client.agent_id,
        epoch: client.epoch,
        session_id: events[0].session_id,
        seq: 7,
        time_us: NOW_US,
        ..Event::default()
    };
    events.drain(2..4);
    events.push(explained);
    let packed = client.pack(&events).unwrap();
    assert_eq!(acknowledged(study.send(&mut client, packed)).accepted.count(), 5);
    let agent = client.agent_id.to_string();
    let received = study.running.wait(study.running.store.ingest().client_by_id(client.agent_id)).unwrap().unwrap();
    let ingest = study.running.store.ingest();
    let received =
        study.running.wait(ingest.received_of(&received.project, &[&agent])).unwrap().remove(&agent).unwrap();
    assert_eq!((received.stored, received.removed, received.missing), (5, 2, 0));
}

/// TQ8: who has no grant `raw` sees no single event and no small group, whatever is asked.
#[test]
fn d6_sql_without_the_grant_raw_shows_no_group_below_the_minimum() {
    let house = house();
    let lead = house.person("lead", false);
    let slug = study(&|method, path, body| lead.send(method, path, body), "Orders");
    let project = lead.get(&format!("/projects/{slug}")).expect(200)["id"].as_str().unwrap().to_owned();
    let (analyst, trusted) = (house.person("analyst", false), house.person("trusted", false));
    house.join(&project, &analyst, Role::Analyst, &[]);
    house.join(&project, &trusted, Role::Analyst, &[Grant::Raw]);
    feed(&house, &lead, &slug);
    let ask = |person: &Person, sql: &str| {
        let answer = person.post(&format!("/projects/{slug}/query"), json!({ "sql": sql }));
        (answer.status, answer.json())
    };
    assert_eq!(ask(&trusted, "SELECT count(*) FROM events").0, 200);
    for table in ["events", "stg_events", "int_labeled_events", "int_sessions", "int_case_spans", "\"events\""] {
        let (status, answer) = ask(&analyst, &format!("SELECT * FROM {table}"));
        assert_eq!(status, 422, "{table}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("at least 5 people"), "{answer}");
    }
    // Pictures have a grant of their own; without it nothing says that there are any.
    for sql in ["SELECT screenshot_id FROM events", "SELECT screenshot_id FROM stg_events"] {
        assert_eq!(ask(&trusted, sql).0, 422, "{sql}");
    }
    let shown = |person: &Person| ask(person, "SELECT * FROM int_labeled_events LIMIT 1").1["columns"].to_string();
    assert!(!shown(&trusted).contains("screenshot_id"), "{}", shown(&trusted));
    house.join(&project, &trusted, Role::Analyst, &[Grant::Raw, Grant::Pictures]);
    assert!(shown(&trusted).contains("screenshot_id"), "{}", shown(&trusted));
    let (status, own) = ask(&trusted, "SELECT count(*) FROM app_days");
    assert!(status == 200 && own["rows"][0][0].as_i64().unwrap() > 0, "{own}");
    let (status, own) = ask(&analyst, "SELECT count(*) FROM app_days");
    assert_eq!((status, own["rows"][0][0].as_i64()), (200, Some(0)), "three people are fewer than five: {own}");
    // A table of one's own that counts people as one likes is not shown to whoever has no grant.
    let sql = "-- Everything, counted generously.\n-- reads: stg_events      grain: event      audience: analyst\nSELECT 100 AS users, window_title FROM stg_events";
    analyst.put(&format!("/projects/{slug}/jobs/mine"), json!({ "text": sql })).expect(200);
    lead.post(&format!("/projects/{slug}/runs"), json!({ "jobs": ["mine"] })).expect(202);
    let end = Instant::now() + Duration::from_secs(20);
    while ask(&trusted, "SELECT count(*) FROM mine").0 != 200 {
        assert!(Instant::now() < end, "the job of one's own never ran");
        std::thread::yield_now();
    }
    assert_eq!(ask(&analyst, "SELECT * FROM mine").0, 422);
}

/// Three clients send, and the jobs run.
fn feed(house: &House, lead: &Person, slug: &str) {
    let key = lead.post(&format!("/projects/{slug}/app-keys"), json!({ "name": "test" })).expect(201);
    let http = reqwest::Client::new();
    let server = format!("http://{}", lead.client.0);
    for _ in 0..3 {
        let key = key["key"].as_str().unwrap();
        let mut client = house.running.wait(SimulatedClient::enrol(&http, &server, key)).unwrap();
        house.running.wait(client.beat("recording")).unwrap();
        let events = client.capture(30, NOW_US);
        let packed = client.pack(&events).unwrap();
        acknowledged(house.running.wait(client.send(packed)).unwrap());
    }
    let end = Instant::now() + Duration::from_secs(30);
    let ready = || {
        let jobs = lead.get(&format!("/projects/{slug}/jobs")).expect(200);
        jobs["jobs"].as_array().is_some_and(|jobs| jobs.iter().all(|job| job["state"] == "fresh"))
    };
    while !ready() {
        assert!(Instant::now() < end, "the jobs never ran");
        std::thread::yield_now();
    }
}
