//! What people can rely on: two people for what one must not do alone, erasure to the last byte, an end on time, and pages
//! that show rules instead of contents (promises D4, D6, D8, D9, D10, D11).

use crate::people::{House, Person, house};
use crate::support::{master_key, number_of, program};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use server::api::{AppState, Front};
use server::identity::Identity;
use server::identity::master_key::Sealer;
use server::jobs::runner::now_us;
use server::scripts::Scripts;
use server::simulation::client::SimulatedClient;
use server::{alerts, retention};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use store::control::members::{Grant, Role};
use store::ingest::clients::{Enrolment, Standing};
use store::ingest::dead_letters::DeadLetter;
use store::ingest::landing::{Batch, Entry, hash_of};
use uilog::{Event, EventType, SeqRanges};
use uuid::Uuid;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A project of recorded desktops; gives its id.
fn recorded(lead: &Person) -> String {
    let body = json!({ "name": "Desks", "kind": "enrolled", "purposes": ["Find what can be done once"] });
    lead.post("/projects", body).expect(201)["id"].as_str().unwrap().to_owned()
}

/// An agent of the project, of an invitation or of nobody in particular.
fn agent(house: &House, project: &str, invitation: Option<String>) -> Uuid {
    let agent_id = Uuid::new_v4();
    let enrolment = Enrolment {
        agent_id,
        project: project.to_owned(),
        app_key: "key".into(),
        invitation,
        public_key: String::new(),
        standing: Standing::Active,
        team: None,
        version: "0.1.0".into(),
        os: "linux".into(),
        at_us: now_us() - 40 * DAY_US,
    };
    house.running.wait(house.running.store.ingest().enrol(enrolment)).unwrap();
    agent_id
}

/// Events that an agent sent at a moment, each with this title, as files.
fn sent(
    house: &House,
    project: &str,
    agent_id: Uuid,
    title: &str,
    seqs: std::ops::RangeInclusive<u64>,
    at_us: i64,
) -> SeqRanges {
    let (mut text, mut events) = (Vec::new(), Vec::new());
    for seq in seqs {
        let event = Event {
            agent_id,
            epoch: Uuid::from_u128(7),
            seq,
            time_us: at_us + seq as i64,
            event_type: EventType::LeftClick,
            session_id: Uuid::from_u128(5),
            process_name: Some("excel.exe".into()),
            window_title: Some(title.into()),
            ..Event::default()
        };
        let line = serde_json::to_vec(&event).unwrap();
        text.extend_from_slice(&line);
        text.push(b'\n');
        events.push(Entry { seq, hash: hash_of(&line), end: text.len() });
    }
    let batch = Batch {
        project: project.to_owned(),
        agent_id,
        epoch: Uuid::from_u128(7),
        received_at_us: at_us,
        text,
        events,
        removed: SeqRanges::default(),
    };
    house.running.wait(async {
        let landed = house.running.store.ingest().land(batch).await.unwrap();
        while house.running.store.fold(project, at_us).await.unwrap().more {}
        landed.accepted
    })
}

/// What the service's own rounds work with.
pub fn state(house: &House) -> AppState {
    let store = house.running.store.clone();
    house.running.wait(async {
        let sealer =
            Sealer::open(Some(&master_key()), &store.settings().folder.clone(), store.control()).await.unwrap();
        let scripts = Scripts::none(store.settings());
        AppState::new(
            store,
            Identity::new(sealer, false),
            house.running.client.0,
            Front::default(),
            program(),
            scripts,
            now_us(),
        )
    })
}

/// Files of the data folder in which a text can be read.
pub fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let plain = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let parquet = || {
            let file = std::fs::File::open(&path).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            reader
                .flatten()
                .any(|batch| server::rows::rows(&[batch]).unwrap().iter().any(|row| row.to_string().contains(text)))
        };
        if plain || (path.extension().is_some_and(|ending| ending == "parquet") && parquet()) {
            found.push(path);
        }
    }
    found
}

#[test]
fn d4_naming_a_person_takes_two_people_a_reason_and_leaves_a_trace() {
    let house = house();
    let (ann, bob, eve) = (house.person("ann", false), house.person("bob", false), house.person("eve", false));
    let project = recorded(&ann);
    house.join(&project, &ann, Role::Lead, &[Grant::Identities]);
    let base = format!("/projects/{project}");
    let people = json!({ "people": [{ "name": "Mia Canary", "email": "mia@example.org" }] });
    let invited = ann.post(&format!("{base}/invitations"), people).expect(201);
    let invitation = invited["invitations"][0]["id"].as_str().unwrap().to_owned();
    let agent_id = agent(&house, &project, Some(invitation)).to_string();
    let ask = json!({ "kind": "reidentify", "subject": agent_id, "reason": "a stolen machine" });

    let alone = ann.post(&format!("{base}/requests"), ask.clone()).expect(409);
    assert!(alone["error"]["message"].as_str().unwrap().contains("takes two people"), "{alone}");
    house.join(&project, &bob, Role::Council, &[Grant::Identities]);
    house.join(&project, &eve, Role::Lead, &[Grant::Identities]);
    let without = json!({ "kind": "reidentify", "subject": agent_id, "reason": " " });
    ann.post(&format!("{base}/requests"), without).expect(400);
    let nameless = agent(&house, &project, None).to_string();
    let nobody = json!({ "kind": "reidentify", "subject": nameless, "reason": "x" });
    ann.post(&format!("{base}/requests"), nobody).expect(409);

    let asked = ann.post(&format!("{base}/requests"), ask.clone()).expect(201);
    let request = format!("{base}/requests/{}", asked["id"].as_str().unwrap());
    ann.post(&format!("{request}/approve"), json!({})).expect(409);
    assert_eq!(ann.get(&request).expect(200)["state"], "open");
    assert!(!ann.get(&request).text().contains("Canary"), "a name before anybody agreed");
    assert_eq!(bob.post(&format!("{request}/approve"), json!({})).expect(200)["state"], "approved");
    for who in [&ann, &bob] {
        assert_eq!(who.get(&request).expect(200)["person"]["name"], "Mia Canary");
    }
    assert!(!eve.get(&request).text().contains("Canary"), "a third person sees the name");
    eve.post(&format!("{request}/refuse"), json!({})).expect(409);

    let audit = bob.get(&format!("{base}/audit?action=reidentify")).expect(200);
    let mut steps: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    steps.sort_unstable();
    assert_eq!(steps, ["reidentify.approve", "reidentify.ask", "reidentify.look", "reidentify.look"]);
    assert!(!audit.to_string().contains("Canary"), "the log holds a name");
}

#[test]
fn d4_d6_the_smallest_group_grows_at_once_and_shrinks_by_two_people() {
    let house = house();
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    let project = recorded(&ann);
    house.join(&project, &ann, Role::Lead, &[Grant::Identities]);
    house.join(&project, &bob, Role::Lead, &[Grant::Identities]);
    let base = format!("/projects/{project}");
    let shown = ann.get(&base).expect(200);
    assert_eq!((&shown["min_group_size"], &shown["retention"]["raw_days"]), (&json!(5), &json!(30)), "{shown}");
    assert_eq!(shown["clients"], json!({ "total": 0, "recording": 0 }));
    let small = json!({ "name": "Small", "kind": "enrolled", "min_group_size": 4 });
    ann.post("/projects", small).expect(400);
    let council = json!({ "name": "Ten", "kind": "enrolled", "preset": "works_council" });
    assert_eq!(ann.post("/projects", council).expect(201)["min_group_size"], 10);

    ann.patch(&format!("{base}/privacy"), json!({ "min_group_size": 12 })).expect(200);
    let refused = ann.patch(&format!("{base}/privacy"), json!({ "min_group_size": 5, "purposes": ["x"] })).expect(409);
    assert!(refused["error"]["hint"].as_str().unwrap().contains("lower_k"), "{refused}");
    assert_eq!(ann.get(&base).expect(200)["purposes"], json!(["Find what can be done once"]), "half of it was done");
    let ask = |value: i64| {
        ann.post(&format!("{base}/requests"), json!({ "kind": "lower_k", "value": value, "reason": "few" }))
    };
    ask(12).expect(400);
    ask(1).expect(400);
    let request = ask(6).expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(ann.get(&base).expect(200)["min_group_size"], 12);
    // Whom a stolen password would be neither asks nor approves.
    let eve = house.person_by_password("eve", false);
    house.join(&project, &eve, Role::Lead, &[Grant::Identities]);
    for path in ["requests".to_owned(), format!("requests/{request}/approve")] {
        let asked = json!({ "kind": "lower_k", "value": 6, "reason": "few" });
        let refused = eve.post(&format!("{base}/{path}"), asked).expect(403);
        assert_eq!(refused["error"]["code"], "no_second_factor", "{path}");
    }
    assert_eq!(ann.get(&base).expect(200)["min_group_size"], 12);
    bob.post(&format!("{base}/requests/{request}/approve"), json!({})).expect(200);
    assert_eq!(ann.get(&base).expect(200)["min_group_size"], 6);

    let longer = |reason: Value| json!({ "retention": { "raw_days": 90, "picture_days": 14, "aggregate_months": 12, "reason": reason } });
    ann.patch(&format!("{base}/privacy"), longer(Value::Null)).expect(400);
    let kept = ann.patch(&format!("{base}/privacy"), longer(json!("a yearly process"))).expect(200);
    assert_eq!(kept["retention"]["raw_days"], 90);
}

#[test]
fn d4_a_project_with_recorded_desktops_is_erased_by_two_people() {
    let house = house();
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    let project = recorded(&ann);
    house.join(&project, &ann, Role::Lead, &[Grant::Identities]);
    house.join(&project, &bob, Role::Lead, &[Grant::Identities]);
    agent(&house, &project, None);
    let base = format!("/projects/{project}");
    ann.delete(&base).expect(409);
    let asked =
        ann.post(&format!("{base}/requests"), json!({ "kind": "erase_project", "reason": "it is over" })).expect(201);
    let approve = format!("{base}/requests/{}/approve", asked["id"].as_str().unwrap());
    ann.post(&approve, json!({})).expect(409);
    ann.get(&base).expect(200);
    bob.post(&approve, json!({})).expect(200);
    ann.get(&base).expect(404);
}

#[test]
fn d8_an_erased_participant_leaves_no_byte_and_gets_a_certificate_that_can_be_checked() {
    let house = house();
    let ann = house.person("ann", false);
    let project = recorded(&ann);
    let base = format!("/projects/{project}");
    let (gone, stays) = (agent(&house, &project, None), agent(&house, &project, None));
    sent(&house, &project, gone, "canary-title", 1..=5, now_us());
    sent(&house, &project, stays, "neighbour", 1..=3, now_us());
    let folder = house.running.store.settings().folder.clone();
    assert!(!files_with(&folder, "canary-title").is_empty(), "the search sees nothing");

    let own = ann.get(&format!("{base}/people/{gone}/export")).expect(200);
    assert_eq!(own["events"].as_array().unwrap().len(), 5);
    assert!(!own.to_string().contains("neighbour"), "somebody else's data");
    let file = ann.get(&format!("{base}/people/{gone}/export?format=parquet"));
    assert!(file.status == 200 && file.body.starts_with(b"PAR1"));
    ann.get(&format!("{base}/people/{}/export", Uuid::new_v4())).expect(404);

    let asked = ann.post(&format!("{base}/erasures"), json!({ "agent_id": gone })).expect(202);
    let path = format!("{base}/erasures/{}", asked["id"].as_str().unwrap());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let done = loop {
        let shown = ann.get(&path).expect(200);
        if shown["state"] == "done" {
            break shown;
        }
        assert!(std::time::Instant::now() < end, "{shown}");
        std::thread::yield_now();
    };
    let certificate = &done["certificate"];
    assert_eq!(certificate["rows"], 5, "{certificate}");
    let key: [u8; 32] = URL_SAFE_NO_PAD.decode(certificate["key"].as_str().unwrap()).unwrap().try_into().unwrap();
    let signature = URL_SAFE_NO_PAD.decode(certificate["signature"].as_str().unwrap()).unwrap();
    let text = format!("lode-erasure-1\n{}", certificate["text"].as_str().unwrap());
    let signature = Signature::from_slice(&signature).unwrap();
    VerifyingKey::from_bytes(&key).unwrap().verify_strict(text.as_bytes(), &signature).unwrap();

    assert_eq!(files_with(&folder, "canary-title"), Vec::<PathBuf>::new());
    assert_eq!(sent(&house, &project, gone, "canary-title", 1..=5, now_us()), SeqRanges::default());
    assert_eq!(files_with(&folder, "canary-title"), Vec::<PathBuf>::new(), "a repetition brought it back");
    let balance = ann.get(&format!("{base}/balance")).expect(200);
    assert_eq!((&balance["stored"], &balance["erased"]), (&json!(8), &json!(5)), "{balance}");
}

#[test]
fn d9_events_end_on_time_by_the_services_clock_and_logs_brought_along_stay() {
    let house = house();
    let ann = house.person("ann", false);
    let project = recorded(&ann);
    let imported = house.project("Brought along");
    let now_us = now_us();
    let old = agent(&house, &project, None);
    sent(&house, &project, old, "canary-old", 1..=3, now_us - 31 * DAY_US);
    sent(&house, &imported, agent(&house, &imported, None), "brought along", 1..=3, now_us - 31 * DAY_US);
    let young = agent(&house, &project, None);
    sent(&house, &project, young, "young", 1..=2, now_us - 2 * DAY_US);
    let state = state(&house);
    house.running.wait(retention::round(&state, now_us)).unwrap();
    let events =
        |project: &str| house.running.wait(number_of(&house.running.store, project, "SELECT count(*) FROM events"));
    assert_eq!((events(&project), events(&imported)), (2, 3));
    let balance = ann.get(&format!("/projects/{project}/balance")).expect(200);
    assert_eq!(balance["expired"], 3, "{balance}");
    assert_eq!(files_with(&house.running.store.settings().folder, "canary-old"), Vec::<PathBuf>::new());
}

#[test]
fn d10_d11_a_council_sees_rules_and_counters_and_gets_documents_that_say_what_is_in_force() {
    let house = house();
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    let project = recorded(&ann);
    house.join(&project, &bob, Role::Council, &[]);
    let base = format!("/projects/{project}");
    let who = agent(&house, &project, None);
    sent(&house, &project, who, "canary-title", 1..=5, now_us());
    let template = ann.get(&format!("{base}/configuration/template?apps=excel.exe")).expect(200);
    let publish = json!({ "xml": template["xml"], "note": "first", "percent": 100 });
    ann.post(&format!("{base}/configuration/publish"), publish).expect(201);
    let council = bob.get(&format!("{base}/council")).expect(200);
    assert_eq!((&council["k"], &council["configuration"][0]["revision"]), (&json!(5), &json!(1)));
    assert_eq!(council["balance"]["stored"], 5);
    assert!(!council.to_string().contains("canary-title"));
    for document in ["dpia", "works-agreement", "art30"] {
        let text = bob.get(&format!("{base}/documents/{document}")).text();
        assert!(
            text.contains("Find what can be done once") && text.contains("excel.exe") && !text.contains("{{"),
            "{text}"
        );
    }
    bob.get(&format!("{base}/documents/none")).expect(404);
    bob.get(&format!("{base}/people/{who}/export")).expect(403);
}

#[test]
fn a_dead_letter_goes_through_the_rules_of_its_revision_again() {
    let house = house();
    let ann = house.person("ann", false);
    let project = recorded(&ann);
    let base = format!("/projects/{project}");
    let template = ann.get(&format!("{base}/configuration/template?apps=excel.exe+chrome.exe")).expect(200);
    let publish = json!({ "xml": template["xml"], "note": "", "percent": 100 });
    ann.post(&format!("{base}/configuration/publish"), publish).expect(201);
    let key =
        ann.post(&format!("{base}/app-keys"), json!({ "name": "all" })).expect(201)["key"].as_str().unwrap().to_owned();
    let (event, agent_id, epoch) = house.running.wait(async {
        let server = format!("http://{}", house.running.client.0);
        let mut client = SimulatedClient::enrol(&reqwest::Client::new(), &server, &key).await.unwrap();
        client.fetch_configuration().await.unwrap();
        (client.capture(1, now_us()).remove(0), client.agent_id, client.epoch)
    });
    let state = state(&house);
    let put = |id: &str, event: &Event| {
        let text = serde_json::to_string(event).unwrap();
        let letter = DeadLetter {
            id: id.into(),
            agent_id: agent_id.to_string(),
            epoch: epoch.to_string(),
            seq: Some(1),
            reason: "revision".into(),
            received_at_us: now_us(),
            body: state.identity.sealer.seal(&format!("dead_letter/{id}"), &text).unwrap().into_bytes(),
        };
        house.running.wait(house.running.store.ingest().put_dead_letters(&project, vec![letter])).unwrap();
    };
    put("known", &event);
    put("unknown", &Event { config_revision: Some("99".into()), seq: 2, ..event });
    assert_eq!(ann.get(&format!("{base}/dead-letters")).expect(200)["total"], 2);
    assert_eq!(ann.post(&format!("{base}/dead-letters/known/replay"), json!({})).expect(200)["outcome"], "accepted");
    ann.post(&format!("{base}/dead-letters/unknown/replay"), json!({})).expect(409);
    assert_eq!(ann.get(&format!("{base}/dead-letters")).expect(200)["total"], 1, "a refused one is gone");
    ann.delete(&format!("{base}/dead-letters/unknown")).expect(204);
    ann.delete(&format!("{base}/dead-letters/unknown")).expect(404);
    assert_eq!(ann.get(&format!("{base}/balance")).expect(200)["stored"], 1);
}

#[test]
fn d11_silence_is_told_once_a_day_to_the_address_that_an_admin_gave() {
    let house = house();
    let ann = house.person("ann", false);
    let project = recorded(&ann);
    agent(&house, &project, None);
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", hook.local_addr().unwrap());
    house.running.wait(house.running.store.control().put_setting("webhook_url", Some(&url))).unwrap();
    let alerts = format!("/projects/{project}/alerts");
    ann.put(&alerts, json!({ "silence_hours": 24, "email": ["no address"], "webhook": true })).expect(400);
    ann.put(&alerts, json!({ "silence_hours": 24, "webhook": true })).expect(200);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // The first caller is refused, so that the alert counts as not sent.
        for status in ["500 Internal Server Error", "204 No Content", "204 No Content"] {
            let (mut stream, _) = hook.accept().unwrap();
            let mut bytes = [0; 4096];
            let mut text = String::new();
            while !text.ends_with('}') {
                let read = stream.read(&mut bytes).unwrap();
                text.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            tell.send(text).unwrap();
            stream
                .write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
                .unwrap();
        }
    });
    let state = state(&house);
    let round = |at_us: i64| house.running.wait(alerts::round(&state, at_us));
    let now_us = now_us();
    assert!(round(now_us).is_err());
    round(now_us + 1).unwrap();
    round(now_us + DAY_US / 2).unwrap();
    let texts: Vec<String> = told.try_iter().collect();
    assert_eq!(texts.len(), 2, "a refused alert was not tried again, or one was sent twice");
    assert!(texts[1].contains("\"clients\":1") && texts[1].contains("\"project\":\"desks\""), "{}", texts[1]);
    round(now_us + 2 * DAY_US).unwrap();
    assert_eq!(told.try_iter().count(), 1, "the next day's alert did not come");
}
