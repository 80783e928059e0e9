//! The PostgreSQL protocol from outside: who is let in, what they see, what a rude client can do (promises S1, S5, S8, D6).
//!
//! The client here knows just enough of the protocol to be told things; real clients are asked in `tests/clients`.

use crate::doors::certificate;
use crate::people::{House, Person, house};
use crate::support::{options, plain_log, service_with};
use serde_json::json;
use server::serve::ServeOptions;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use store::control::members::{Grant, Role};

/// What a statement gave: rows as text, or the fields of an error.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Rows(Vec<Vec<Option<String>>>),
    Refused(BTreeMap<char, String>),
}

impl Told {
    /// The code of the error; the rows, if there was none.
    fn code(&self) -> String {
        match self {
            Self::Rows(rows) => format!("{rows:?}"),
            Self::Refused(fields) => fields[&'C'].clone(),
        }
    }

    /// The first column.
    fn column(self) -> Vec<String> {
        match self {
            Self::Rows(rows) => rows.into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect(),
            Self::Refused(fields) => panic!("{fields:?}"),
        }
    }
}

/// A connection.
struct Wire {
    stream: TcpStream,
    /// With which a cancel request names this connection.
    key: Vec<u8>,
}

impl Wire {
    fn begin(address: SocketAddr, database: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut wire = Self { stream, key: Vec::new() };
        let parameters = format!("user\0ann\0database\0{database}\0\0");
        let body = [&196_608_i32.to_be_bytes()[..], parameters.as_bytes()].concat();
        wire.write(&[&((body.len() + 4) as u32).to_be_bytes()[..], &body].concat());
        wire
    }

    /// Logs in with a password.
    fn open(address: SocketAddr, database: &str, password: &str) -> Result<Self, Told> {
        let mut wire = Self::begin(address, database);
        let (kind, _) = wire.message().expect("no answer to the start");
        assert_eq!(kind, b'R');
        wire.send(b'p', &[password.as_bytes(), b"\0"].concat());
        match wire.told() {
            Told::Rows(_) => Ok(wire),
            refused => Err(refused),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        // A service that closed the connection is noticed when its answer is read.
        let _ = self.stream.write_all(bytes);
    }

    fn send(&mut self, kind: u8, body: &[u8]) {
        self.write(&[&[kind][..], &((body.len() + 4) as u32).to_be_bytes(), body].concat());
    }

    /// The next message; `None` if the service closed the connection.
    fn message(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }

    /// Everything up to the service being ready again, or gone.
    fn told(&mut self) -> Told {
        let (mut rows, mut refused) = (Vec::new(), None);
        while let Some((kind, body)) = self.message() {
            match kind {
                b'D' => rows.push(cells(&body)),
                b'E' => refused = Some(fields(&body)),
                b'K' => self.key = body,
                b'Z' => break,
                _ => {}
            }
        }
        refused.map_or(Told::Rows(rows), Told::Refused)
    }

    fn ask(&mut self, sql: &str) -> Told {
        self.send(b'Q', &[sql.as_bytes(), b"\0"].concat());
        self.told()
    }
}

fn cells(body: &[u8]) -> Vec<Option<String>> {
    let count = u16::from_be_bytes([body[0], body[1]]);
    let mut rest = &body[2..];
    let cell = |_| {
        let length = i32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]);
        let end = 4 + usize::try_from(length).unwrap_or(0);
        let cell = (length >= 0).then(|| String::from_utf8_lossy(&rest[4..end]).into_owned());
        rest = &rest[end..];
        cell
    };
    (0..count).map(cell).collect()
}

fn fields(body: &[u8]) -> BTreeMap<char, String> {
    let texts = body.split(|byte| *byte == 0).filter(|text| !text.is_empty());
    texts.map(|text| (char::from(text[0]), String::from_utf8_lossy(&text[1..]).into_owned())).collect()
}

/// A project in which an application is used by six people and a secret one by three, and that shows groups of five.
fn small_groups(house: &House, lead: &Person) -> String {
    let project = lead.post("/projects", json!({ "name": "Orders" })).expect(201)["slug"].as_str().unwrap().to_owned();
    lead.import(&project, "many.csv", &plain_log(0..6, 12));
    let few = plain_log(10..13, 12).replace("Excel", "Secret Sheet").replace("Chrome", "Secret Browser");
    lead.import(&project, "few.csv", &few);
    lead.patch(&format!("/projects/{project}/privacy"), json!({ "min_group_size": 5 })).expect(200);
    house.running.wait(house.running.store.collect_garbage()).unwrap();
    project
}

fn id(lead: &Person, slug: &str) -> String {
    lead.get(&format!("/projects/{slug}")).expect(200)["id"].as_str().unwrap().to_owned()
}

#[test]
fn s1_a_token_opens_the_projects_of_its_owner_as_the_role_allows_and_no_other() {
    let house = house();
    let address = house.running.postgres;
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    let (own, foreign) = (house.project("Own"), house.project("Foreign"));
    house.join(&own, &ann, Role::Analyst, &[]);
    house.join(&foreign, &bob, Role::Lead, &[]);
    let token = ann.token(None);
    let refusal = |database: &str, password: &str| match Wire::open(address, database, password) {
        Ok(_) => "in".to_owned(),
        Err(Told::Refused(fields)) => format!("{} {}", fields[&'C'], fields[&'M']),
        Err(told) => panic!("{told:?}"),
    };
    assert_eq!(refusal("own", &token), "in");
    assert_eq!(refusal(&own, &token), "in", "a project's id names it too");
    assert_eq!(refusal("foreign", &token), "3D000 there is no project 'foreign'");
    assert_eq!(refusal("nowhere", &token), "3D000 there is no project 'nowhere'");
    let bound = ann.token(Some(&own));
    house.join(&foreign, &ann, Role::Analyst, &[]);
    assert_eq!(
        (refusal("foreign", &token), refusal("foreign", &bound).split(' ').next()),
        ("in".into(), Some("3D000"))
    );
    for wrong in ["", "secret", "lodet_", &token[..token.len() - 1], &format!("{token}x")] {
        assert_eq!(refusal("own", wrong), "28P01 this token does not hold", "{wrong}");
    }
    for role in [Role::Viewer, Role::Council] {
        house.join(&own, &ann, role, &[]);
        assert!(refusal("own", &token).starts_with("42501 "), "{role:?}");
    }
}

#[test]
fn s1_a_right_that_is_taken_away_is_gone_with_the_next_statement() {
    let house = house();
    let (ann, admin) = (house.person("ann", false), house.person("admin", true));
    let project = house.project("Own");
    house.join(&project, &ann, Role::Analyst, &[]);
    let token = ann.token(None);
    let open = || Wire::open(house.running.postgres, "own", &token).unwrap();
    let mut wires = [open(), open()];
    let mut each = |sql: &str| wires.each_mut().map(|wire| wire.ask(sql).code());
    let question = "SELECT 1";
    assert_eq!(each(question), [r#"[[Some("1")]]"#, r#"[[Some("1")]]"#]);
    house.join(&project, &ann, Role::Viewer, &[]);
    assert_eq!(each(question), ["42501", "42501"]);
    assert_eq!(each("SELECT relname FROM pg_class"), ["42501", "42501"], "names are told to nobody else either");
    house.join(&project, &ann, Role::Analyst, &[]);
    assert_eq!(each(question), [r#"[[Some("1")]]"#, r#"[[Some("1")]]"#]);
    admin.patch(&format!("/accounts/{}", ann.id), json!({ "disabled": true })).expect(200);
    assert_eq!(each(question), ["28P01", "28P01"]);
}

#[test]
fn tq8_d6_the_wire_is_no_door_around_the_smallest_group() {
    let house = house();
    let (lead, ann, trusted) = (house.person("lead", false), house.person("ann", false), house.person("eve", false));
    let slug = small_groups(&house, &lead);
    let project = id(&lead, &slug);
    house.join(&project, &ann, Role::Analyst, &[]);
    house.join(&project, &trusted, Role::Analyst, &[Grant::Raw]);
    let open = |person: &Person| Wire::open(house.running.postgres, &slug, &person.token(None)).unwrap();
    let (mut behind, mut raw) = (open(&ann), open(&trusted));

    let applications = "SELECT DISTINCT application_label FROM app_days ORDER BY 1";
    assert_eq!(raw.ask(applications).column(), ["Google Chrome", "Microsoft Excel", "Secret Browser", "Secret Sheet"]);
    assert_eq!(behind.ask(applications).column(), ["Google Chrome", "Microsoft Excel"]);
    // Sums, complements and joins see the same rows and no others.
    let sum = "SELECT CAST(sum(events) AS BIGINT) FROM app_days";
    assert_eq!((raw.ask(sum).column(), behind.ask(sum).column()), (vec!["108".into()], vec!["72".into()]));
    for bypass in [
        "SELECT * FROM events",
        "SELECT count(*) FROM events WHERE user_key = 1",
        "SELECT * FROM public.events",
        "SELECT * FROM \"events\"",
        "SELECT * FROM stg_events",
        "SELECT * FROM int_sessions",
        "SELECT * FROM app_usage",
        "WITH t AS (SELECT * FROM events) SELECT count(*) FROM t",
        "SELECT (SELECT count(*) FROM events) AS c FROM app_days",
        "SELECT * FROM app_days WHERE EXISTS (SELECT 1 FROM events)",
        "SELECT * FROM app_days UNION ALL SELECT * FROM events",
        "EXPLAIN ANALYZE SELECT * FROM events",
        "SELECT 'events'::regclass::oid, * FROM events",
    ] {
        assert_eq!(behind.ask(bypass).code(), "42P01", "{bypass}");
    }
    for few in ["Secret Sheet", "Secret Browser"] {
        let one = format!("SELECT * FROM app_days WHERE application_label = '{few}'");
        assert_eq!(behind.ask(&one), Told::Rows(vec![]), "{few}");
        let like = "SELECT * FROM app_days WHERE application_label LIKE '%ecret%' OR users < 5";
        assert_eq!(behind.ask(like), Told::Rows(vec![]));
    }
    // The catalogue tells of what may be asked, and of nothing else.
    let names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    for names in [names, "SELECT relname FROM pg_catalog.pg_class", "SELECT tablename FROM pg_tables"] {
        let (seen, all) = (behind.ask(names).column(), raw.ask(names).column());
        assert!(
            all.contains(&"events".to_owned()) && seen.contains(&"app_days".to_owned()),
            "{names}: {seen:?} {all:?}"
        );
        for hidden in ["events", "stg_events", "int_sessions", "app_usage"] {
            assert!(!seen.contains(&hidden.to_owned()), "{names} tells of {hidden}");
        }
    }
    let columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'events'";
    assert_eq!(behind.ask(columns), Told::Rows(vec![]));
}

#[test]
fn tq2_another_project_is_not_there_by_any_name() {
    let house = house();
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    let (own, foreign) = (house.project("Own"), house.project("Foreign Secret"));
    house.join(&own, &ann, Role::Lead, &[Grant::Raw]);
    house.join(&foreign, &bob, Role::Lead, &[Grant::Raw]);
    ann.import("own", "own.csv", &plain_log(0..1, 4));
    bob.import("foreign-secret", "foreign.csv", &plain_log(0..2, 4).replace("orders", "canary"));
    let mut wire = Wire::open(house.running.postgres, "own", &ann.token(None)).unwrap();
    assert_eq!(wire.ask("SELECT count(*) FROM own.public.events").column(), ["4"]);
    for text in [
        "SELECT * FROM \"foreign-secret\".public.events".to_owned(),
        format!("SELECT * FROM \"{foreign}\".public.events"),
        format!("SELECT * FROM \"{foreign}\".events"),
        format!("SELECT * FROM \"{foreign}/events\""),
        format!("SELECT * FROM 'objects/{foreign}/events'"),
        "SELECT * FROM datafusion.foreign.events".to_owned(),
        "SET search_path TO 'foreign-secret'; SELECT * FROM foreign_events".to_owned(),
    ] {
        let told = format!("{:?}", wire.ask(&text));
        assert!(told.contains("42P01") && !told.contains("canary"), "{text}: {told}");
    }
    for text in [
        "SELECT datname FROM pg_database",
        "SELECT nspname FROM pg_namespace",
        "SELECT catalog_name, schema_name FROM information_schema.schemata",
        "SELECT table_catalog, table_name FROM information_schema.tables",
        "SELECT current_database(), version()",
        "SHOW search_path",
    ] {
        let told = format!("{:?}", wire.ask(text));
        assert!(told.starts_with("Rows") && !told.contains("oreign") && !told.contains(&foreign), "{text}: {told}");
    }
    assert_eq!(wire.ask("SELECT count(*) FROM events").column(), ["4"], "a setting changed what a name means");
}

#[test]
fn an_open_connection_knows_the_tables_of_now() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Lead, &[]);
    let mut wire = Wire::open(house.running.postgres, "own", &ann.token(None)).unwrap();
    let names =
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    assert_eq!(wire.ask(names), Told::Rows(vec![]));
    ann.import("own", "log.csv", &plain_log(0..1, 4));
    assert!(wire.ask(names).column().contains(&"events".to_owned()));
    // What a name stands for changes too.
    let number = "SELECT oid FROM pg_class WHERE relname = 'events'";
    let before = wire.ask(number).column();
    assert_eq!((before.len(), wire.ask(number).column()), (1, before), "a table's number changes by itself");
}

#[test]
fn s5_who_has_not_logged_in_is_told_nothing_and_takes_no_room() {
    let house = house();
    let address = house.running.postgres;
    // A question before the password.
    let mut early = Wire::begin(address, "own");
    early.message().unwrap();
    assert_eq!(early.ask("SELECT 1").code(), "08P01");
    assert!(early.message().is_none(), "the connection stays open");
    // A message that claims a gigabyte, of which more and more comes: it ends long before that.
    let mut endless = Wire::begin(address, "own");
    endless.message().unwrap();
    endless.write(&[b"Q".as_slice(), &0x3fff_ff00_u32.to_be_bytes()].concat());
    let (chunk, mut sent) = (vec![b' '; 64 << 10], 0);
    while sent < 64 << 20 && endless.stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 64 << 20, "64 MiB of one message were taken");
    // Nonsense.
    for nonsense in [&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 8, 0, 0, 0, 1]] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
    }
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Analyst, &[]);
    let mut wire = Wire::open(address, "own", &ann.token(None)).unwrap();
    assert_eq!(wire.ask("SELECT 1").column(), ["1"], "others are answered all the same");
    let long = format!("SELECT '{}'", "x".repeat(200_000));
    assert_eq!(wire.ask(&long).code(), "54000");
    // More forms than columns, of a statement that gives one.
    wire.send(b'P', b"\0SELECT 1\0\0\0");
    wire.send(b'B', &[&b"\0\0\0\0\0\0\0\x03"[..], &[0, 1, 0, 1, 0, 1]].concat());
    wire.send(b'D', b"P\0");
    wire.send(b'S', b"");
    assert_eq!(wire.told().code(), "08P01");
    // Statements with their values, one after the other, and none is ever closed.
    wire.send(b'P', b"\0SELECT 1\0\0\0");
    for number in 0..17 {
        wire.send(b'B', format!("p{number}\0\0\0\0\0\0\0\0").as_bytes());
    }
    wire.send(b'S', b"");
    assert_eq!(wire.told().code(), "54000");
    assert_eq!(wire.ask("SET a.b TO 'x'"), Told::Rows(vec![]));
    assert_eq!(wire.ask(&format!("SET a.b TO '{}'", "x".repeat(2_000))).code(), "54000");
    assert_eq!(wire.ask("SELECT 1").column(), ["1"]);
}

#[test]
fn p11_a_project_has_so_many_connections_and_no_more() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Lead, &[]);
    house.join(&house.project("Other"), &ann, Role::Lead, &[]);
    let token = ann.token(None);
    let open = |database: &str| Wire::open(house.running.postgres, database, &token);
    let mut wires: Vec<Wire> = (0..20).map(|_| open("own").unwrap_or_else(|told| panic!("{told:?}"))).collect();
    assert_eq!(open("own").err().map(|told| told.code()).as_deref(), Some("53300"));
    assert!(open("other").is_ok(), "one project takes another's room");
    let mut last = wires.pop().unwrap();
    last.send(b'X', b"");
    assert!(last.message().is_none(), "the service does not say goodbye");
    // The room is free when the service has noticed; the connection was closed by it a moment ago.
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while open("own").is_err() {
        assert!(std::time::Instant::now() < end, "a closed connection keeps its room");
        std::thread::yield_now();
    }
}

/// Asks the service to stop what runs on the connection with this key; gives back when it has heard it.
fn cancel(address: SocketAddr, key: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    let body = [&80_877_102_i32.to_be_bytes()[..], key].concat();
    stream.write_all(&[&((body.len() + 4) as u32).to_be_bytes()[..], &body].concat()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn tq3_a_cancel_request_stops_the_statement_it_has_the_key_of_and_no_other() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Lead, &[]);
    ann.import("own", "log.csv", &plain_log(0..4, 500));
    let address = house.running.postgres;
    let mut wire = Wire::open(address, "own", &ann.token(None)).unwrap();
    let key = wire.key.clone();
    let mut wrong = key.clone();
    wrong[7] ^= 1;
    // Whether a statement runs already cannot be seen from here, so it is asked to stop until it is over.
    let mut while_cancelled = |key: Vec<u8>, sql: &str| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let canceller = std::thread::spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                cancel(address, &key);
            }
        });
        let told = wire.ask(sql).code();
        stop.send(()).unwrap();
        canceller.join().unwrap();
        told
    };
    let long = "SELECT count(*) FROM events a, events b, (SELECT * FROM events LIMIT 50) c";
    assert_eq!(while_cancelled(wrong, long), r#"[[Some("200000000")]]"#, "another key stops it");
    let told = while_cancelled(key, "SELECT count(*) FROM events a, events b, events c, events d");
    assert_eq!(told, "57014");
    assert_eq!(wire.ask("SELECT 1").column(), ["1"]);
    let history = ann.get("/projects/own/query/history").expect(200);
    let states: Vec<&str> =
        history["queries"].as_array().unwrap().iter().map(|query| query["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["done", "cancelled", "done"], "{history}");
}

#[test]
fn s11_each_question_is_written_down_with_the_door_it_came_through() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Lead, &[]);
    let mut wire = Wire::open(house.running.postgres, "own", &ann.token(None)).unwrap();
    assert_eq!(wire.ask("SELECT 'canary' AS x; SELECT relname FROM pg_class; SELECT nothing").code(), "42703");
    let audit = ann.get("/projects/own/audit?action=query").expect(200);
    assert_eq!(audit["total"], 2, "two questions; the catalogue is asked all the time: {audit}");
    let entry = &audit["entries"][0];
    assert_eq!(
        (&entry["detail"], &entry["actor"]["kind"]),
        (&json!({ "door": "postgres" }), &json!("token")),
        "{audit}"
    );
    assert!(!audit.to_string().contains("canary"), "the log holds contents");
}

#[test]
fn s12_a_password_travels_encrypted_or_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate();
    let paths = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&paths.0, certificate).unwrap();
    std::fs::write(&paths.1, key).unwrap();
    let running = service_with(ServeOptions { open: false, tls: Some(paths), ..options() });
    let mut plain = Wire::begin(running.postgres, "own");
    let told = plain.told();
    assert!(matches!(&told, Told::Refused(fields) if fields[&'M'].contains("TLS only")), "{told:?}");
    let mut stream = TcpStream::connect(running.postgres).unwrap();
    stream.write_all(&[&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat()).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"S", "it offers no TLS");

    let everywhere = "0.0.0.0:0".parse().unwrap();
    let reaching = ServeOptions { postgres: Some(everywhere), ..options() };
    let threads = tokio::runtime::Runtime::new().unwrap();
    let refusal = threads.block_on(async {
        let store = crate::support::open(&folder.path().join("data")).await;
        server::serve::Service::bind(store, reaching).await.err().map(|error| error.to_string())
    });
    assert!(refusal.as_deref().is_some_and(|text| text.contains("on this machine only")), "{refusal:?}");
}
