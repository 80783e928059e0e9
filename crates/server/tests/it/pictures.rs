//! Pictures: encoded anew, encrypted, opened by those who may, written down, and gone when they must be.

use crate::people::{House, Person, house};
use crate::privacy::{files_with, state};
use serde_json::{Value, json};
use server::jobs::runner::now_us;
use server::retention;
use server::simulation::client::SimulatedClient;
use store::control::members::{Grant, Role};
use uuid::Uuid;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// A project with one client that may send pictures.
pub struct Study {
    pub house: House,
    lead: Person,
    slug: String,
    project: String,
    client: SimulatedClient,
}

impl Study {
    fn new() -> Self {
        Self::at(house())
    }

    /// The same at a service that runs otherwise than usual.
    pub fn at(house: House) -> Self {
        let lead = house.person("lead", false);
        let slug = crate::fleet::study(&|method, path, body| lead.send(method, path, body), "Orders");
        let project = lead.get(&format!("/projects/{slug}")).expect(200)["id"].as_str().unwrap().to_owned();
        let key = lead.post(&format!("/projects/{slug}/app-keys"), json!({ "name": "test" })).expect(201);
        let server = format!("http://{}", lead.client.0);
        let http = reqwest::Client::new();
        let client = house.running.wait(SimulatedClient::enrol(&http, &server, key["key"].as_str().unwrap())).unwrap();
        Self { house, lead, slug, project, client }
    }

    pub fn send(&self, id: Uuid, png: &[u8]) -> (u16, Value) {
        let masks = [(10, 10, 20, 5, "password")];
        let sent = self.client.send_picture(id, png.to_vec(), [100, 200, 80, 60], &masks);
        self.house.running.wait(sent).unwrap()
    }

    pub fn path(&self, id: Uuid, rest: &str) -> String {
        format!("/projects/{}/screenshots/{id}{rest}", self.slug)
    }

    pub fn member(&self, name: &str, role: Role, grants: &[Grant]) -> Person {
        let person = self.house.person(name, false);
        self.house.join(&self.project, &person, role, grants);
        person
    }

    fn audited(&self) -> Vec<String> {
        let found = self.lead.get(&format!("/projects/{}/audit?limit=50", self.slug)).expect(200);
        let entries = found["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    }
}

/// A picture of one colour, with a text of the sender in it.
pub fn png(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.add_text_chunk("Comment".into(), "canary-of-the-sender".into()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![colour; (width * height * 3) as usize]).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn s6_a_picture_is_kept_as_ours_once_and_opened_by_those_who_may() {
    let study = Study::new();
    let (id, sent) = (Uuid::new_v4(), png(40, 30, 7));
    assert_eq!(study.send(id, &sent), (200, json!({ "result": "stored" })));
    assert_eq!(study.send(id, &sent), (200, json!({ "result": "duplicate" })));
    assert_eq!(study.send(id, &png(40, 30, 8)).0, 409);
    let (may, may_not) =
        (study.member("may", Role::Analyst, &[Grant::Pictures]), study.member("maynot", Role::Analyst, &[Grant::Raw]));
    may_not.get(&study.path(id, "/png")).expect(403);
    let known = may.get(&study.path(id, "")).expect(200);
    assert_eq!((&known["width"], &known["height"], &known["hidden"]), (&json!(40), &json!(30), &json!(false)));
    assert_eq!(known["masks"][0]["reason"], "password", "{known}");
    assert_eq!(known["place"], json!([100, 200, 80, 60]), "{known}");
    let opened = may.get(&study.path(id, "/png"));
    assert_eq!(opened.status, 200);
    for header in ["content-type: image/png", "cache-control: no-store", "nosniff", "sandbox"] {
        assert!(opened.head.contains(header), "{header} is missing: {}", opened.head);
    }
    let mut pixels = vec![0; 40 * 30 * 3];
    png::Decoder::new(std::io::Cursor::new(&opened.body)).read_info().unwrap().next_frame(&mut pixels).unwrap();
    assert!(pixels.iter().all(|colour| *colour == 7));
    assert!(!String::from_utf8_lossy(&opened.body).contains("canary-of-the-sender"));
    assert!(study.audited().contains(&"picture.open".to_owned()), "{:?}", study.audited());
    // On the disk nobody reads it: it is encrypted, and its key stands in the database.
    let folder = study.house.running.store.settings().folder.clone();
    assert_eq!(files_with(&folder, "IHDR"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn s6_what_is_no_picture_is_refused_and_leaves_nothing() {
    let study = Study::new();
    let id = Uuid::new_v4();
    let mut huge = png(4, 4, 1);
    huge[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    let mut cut = png(40, 30, 1);
    cut.truncate(60);
    for (what, bytes) in
        [("a text", b"canary".to_vec()), ("a huge head", huge), ("a cut one", cut), ("nothing", Vec::new())]
    {
        let (status, answer) = study.send(id, &bytes);
        assert_eq!(status, 422, "{what}: {answer}");
    }
    let store = &study.house.running.store;
    assert!(study.house.running.wait(store.ingest().picture(&study.project, &id.to_string())).is_err());
    assert!(!store.settings().folder.join("pictures").exists());
}

#[test]
fn a_reported_picture_is_hidden_at_once_until_a_lead_decides() {
    let study = Study::new();
    let id = Uuid::new_v4();
    assert_eq!(study.send(id, &png(8, 8, 1)).0, 200);
    let may = study.member("may", Role::Analyst, &[Grant::Pictures]);
    let chief = study.member("chief", Role::Lead, &[Grant::Pictures]);
    may.post(&study.path(id, "/report"), json!({})).expect(204);
    assert!(may.get(&study.path(id, "/png")).expect(409).to_string().contains("reported"));
    assert_eq!(chief.get(&study.path(id, "/png")).status, 200);
    may.post(&study.path(id, "/release"), json!({})).expect(403);
    chief.post(&study.path(id, "/release"), json!({})).expect(204);
    assert_eq!(may.get(&study.path(id, "/png")).status, 200);
    chief.delete(&study.path(id, "")).expect(204);
    may.get(&study.path(id, "/png")).expect(404);
    let audited = study.audited();
    for action in ["picture.report", "picture.review", "picture.release", "picture.open", "picture.erase"] {
        assert!(audited.contains(&action.to_owned()), "{action} was not written down: {audited:?}");
    }
}

#[test]
fn what_a_lead_paints_over_is_gone_from_the_picture_and_from_the_disk() {
    let study = Study::new();
    let id = Uuid::new_v4();
    assert_eq!(study.send(id, &png(8, 8, 200)).0, 200);
    let chief = study.member("chief", Role::Lead, &[Grant::Pictures]);
    let may = study.member("may", Role::Analyst, &[Grant::Pictures]);
    let area = |x: u32, width: u32| json!({ "areas": [{ "x": x, "y": 2, "width": width, "height": 4 }] });
    may.post(&study.path(id, "/cover"), area(1, 3)).expect(403);
    for wrong in [area(7, 2), area(0, 0), json!({ "areas": [] })] {
        chief.post(&study.path(id, "/cover"), wrong).expect(400);
    }
    let store = &study.house.running.store;
    let row = || study.house.running.wait(store.ingest().picture(&study.project, &id.to_string())).unwrap();
    let before = row();
    chief.post(&study.path(id, "/cover"), area(1, 3)).expect(204);
    let mut pixels = vec![0; 8 * 8 * 3];
    let open = || may.get(&study.path(id, "/png")).body;
    png::Decoder::new(std::io::Cursor::new(open())).read_info().unwrap().next_frame(&mut pixels).unwrap();
    let black = (0..64).filter(|at| pixels[at * 3] == 0).map(|at| (at % 8, at / 8)).collect::<Vec<_>>();
    let wanted = (2..6).flat_map(|y| (1..4).map(move |x| (x, y))).collect::<Vec<_>>();
    assert_eq!(black, wanted);
    let reasons: Vec<Value> = may.get(&study.path(id, "")).expect(200)["masks"].as_array().unwrap().clone();
    assert_eq!(
        reasons.iter().map(|mask| mask["reason"].as_str().unwrap()).collect::<Vec<_>>(),
        ["password", "covered"]
    );
    let folder = store.settings().folder.join("pictures");
    assert!(row().path != before.path && !folder.join(&before.path).exists(), "the picture as it was is gone");
    // The same picture, sent again by its client, changes nothing.
    let covered = open();
    assert_eq!(study.send(id, &png(8, 8, 200)), (200, json!({ "result": "duplicate" })));
    assert_eq!(open(), covered);
    assert!(study.audited().contains(&"picture.cover".to_owned()), "{:?}", study.audited());
}

#[test]
fn d8_d9_pictures_end_with_their_days_and_with_their_participant() {
    let study = Study::new();
    let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(study.send(id, &png(8, 8, 1)).0, 200);
    let store = study.house.running.store.clone();
    let files = || {
        let mut found = Vec::new();
        let mut open = vec![store.settings().folder.join("pictures")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() { open.push(entry.path()) } else { found.push(entry.path()) }
            }
        }
        found
    };
    let there = study.house.running.wait(store.ingest().picture(&study.project, &id.to_string())).unwrap();
    let open = || study.house.running.wait(state(&study.house).pictures.open(&study.project, &there));
    let kept = std::fs::read(&files()[0]).unwrap();
    study.house.running.wait(retention::round(&state(&study.house), now_us() + 13 * DAY_US)).unwrap();
    assert_eq!(files().len(), 1, "the fourteenth day is kept");
    assert!(open().is_ok());
    study.house.running.wait(retention::round(&state(&study.house), now_us() + 14 * DAY_US)).unwrap();
    assert_eq!(files().len(), 0);
    // A copy of the file, from a backup say, is noise: its key is gone.
    let copy = store.settings().folder.join("pictures").join(&there.path);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::write(&copy, kept).unwrap();
    assert!(format!("{:#}", open().unwrap_err()).contains("key"));
    std::fs::remove_file(copy).unwrap();
    assert_eq!(study.send(other, &png(8, 8, 2)).0, 200);
    let agent = study.client.agent_id.to_string();
    let begun = study.lead.post(&format!("/projects/{}/erasures", study.slug), json!({ "agent_id": agent }));
    assert!([201, 202].contains(&begun.status), "{}", begun.text());
    let path = format!("/projects/{}/erasures", study.slug);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let certificate = loop {
        let found = study.lead.get(&path).expect(200);
        if let Some(certificate) = found["erasures"][0]["certificate"].as_object() {
            break Value::Object(certificate.clone());
        }
        assert!(std::time::Instant::now() < end, "{found}");
        std::thread::yield_now();
    };
    assert_eq!((&certificate["pictures"], files().len()), (&json!(1), 0), "{certificate}");
}
