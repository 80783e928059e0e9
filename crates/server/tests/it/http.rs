//! The calls of `docs/guide/api.md`, one after the other, as a page makes them.

use crate::support::{Client, SAMPLE, fixture, make_project, plain_log, sample_service, service};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("no code")
}

#[test]
fn status_tells_what_the_service_is() {
    let running = service();
    let status = running.client.get("/status").expect(200);
    assert_eq!(
        (&status["loopback_only"], &status["control"], &status["projects"]),
        (&json!(true), &json!("sqlite"), &json!(0))
    );
}

#[test]
fn a_project_is_made_changed_and_removed() {
    let running = service();
    let client = running.client;
    let made = client.post("/projects", &json!({ "name": "Accounts Payable" })).expect(201);
    assert_eq!(
        (&made["slug"], &made["kind"], &made["min_group_size"]),
        (&json!("accounts-payable"), &json!("imported"), &json!(1))
    );
    assert_eq!(code(&client.post("/projects", &json!({ "name": "Accounts Payable" })).expect(409)), "conflict");
    let rule = json!({ "start_activity": "Open form" });
    let changed =
        client.change("PATCH", "/projects/accounts-payable", &json!({ "name": "AP", "case_rule": rule })).expect(200);
    assert_eq!((&changed["name"], &changed["case_rule"]["start_activity"]), (&json!("AP"), &json!("Open form")));
    let id = made["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/projects/{id}")).expect(200)["name"], "AP");
    client.delete("/projects/accounts-payable").expect(204);
    assert_eq!(code(&client.get("/projects/accounts-payable").expect(404)), "not_found");
    assert_eq!(client.get("/projects").expect(200)["projects"], json!([]));
}

#[test]
fn a_word_that_is_none_of_those_allowed_is_refused_with_its_member_and_the_words() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    let body = |method, path: &str, body| client.change(method, &format!("/projects{path}"), &body);
    let query = |path: &str| client.get(&format!("/projects/orders{path}"));
    for (answer, member, words) in [
        (body("POST", "", json!({ "name": "x", "kind": "unheard of" })), "kind", "sample, imported, enrolled"),
        (body("PATCH", "/orders", json!({ "case_rule": "unheard of" })), "case_rule", "start_activity"),
        (body("POST", "/orders/members", json!({ "email": "x", "role": "king" })), "role", "lead, analyst"),
        (body("POST", "/orders/requests", json!({ "kind": "steal", "reason": "x" })), "kind", "reidentify, lower_k"),
        (body("POST", "/orders/query/export", json!({ "sql": "SELECT 1", "format": "pdf" })), "format", "csv, parquet"),
        (query("/export?format=pdf"), "format", "parquet, csv, xes"),
        (query("/configuration/template?preset=lax"), "preset", "standard, works_council"),
        (query("/clients?state=asleep"), "state", "held, offline"),
        (query("/clients?sort=colour"), "sort", "last_seen, -last_seen"),
        (query("/analyses/applications?format=pdf"), "format", "csv, parquet"),
    ] {
        let error = answer.expect(400);
        assert!(error["error"]["message"].as_str().unwrap().starts_with(&format!("{member}: ")), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_error_has_one_form_whatever_is_wrong() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    let json = ["content-type: application/json"];
    for (status, code_word, answer) in [
        (400, "bad_request", client.post("/projects", &json!({ "name": "" }))),
        (400, "bad_request", client.send("POST", "/projects", &json, b"{ not json")),
        (400, "bad_request", client.send("POST", "/projects", &json, b"{}")),
        (400, "bad_request", client.post("/projects", &json!({ "name": "x", "kind": "unheard of" }))),
        (
            400,
            "bad_request",
            client.send("POST", "/projects/orders/imports", &["content-type: application/octet-stream"], b"x"),
        ),
        (400, "bad_request", client.get("/projects/orders/export")),
        (400, "bad_request", client.get("/projects/orders/export?format=pdf")),
        (404, "not_found", client.get("/projects/nobody/jobs")),
        (404, "not_found", client.get("/nothing/here")),
        (405, "bad_request", client.send("PUT", "/projects", &json, b"{}")),
        (413, "too_large", client.send("POST", "/projects", &json, &vec![b' '; (1 << 20) + 1])),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text());
        let error = answer.json();
        assert_eq!(code(&error), code_word, "{error}");
        assert!(
            !error["error"]["message"].as_str().unwrap().is_empty() && error["error"]["hint"].is_string(),
            "{error}"
        );
    }
}

#[test]
fn a_log_is_uploaded_followed_and_not_stored_twice() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    let log = plain_log(0..2, 50);
    let done = client.upload("orders", "orders.csv", log.as_bytes());
    assert_eq!((&done["state"], &done["rows_stored"], &done["format"]), (&json!("done"), &json!(100), &json!("plain")));
    let again = client.upload("orders", "again.csv", log.as_bytes());
    assert_eq!((&again["state"], &again["rows_stored"]), (&json!("duplicate"), &json!(0)));
    let project = client.get("/projects/orders").expect(200);
    assert_eq!(
        (&project["events"], &project["users"], &project["jobs"]["state"]),
        (&json!(100), &json!(2), &json!("fresh"))
    );
    assert_eq!(client.get("/projects/orders/imports").expect(200)["total"], 2);
    let failed = client.upload("orders", "letter.txt", b"Dear Sir or Madam");
    assert_eq!((&failed["state"], &failed["rows_stored"]), (&json!("failed"), &json!(0)));
    assert!(failed["message"].as_str().unwrap().contains("not a log that lode knows"), "{failed}");
    assert_eq!(client.get("/projects/orders").expect(200)["events"], 100);
}

#[test]
fn two_logs_that_are_dropped_together_are_both_stored() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    let logs = [plain_log(0..1, 4_000), plain_log(1..2, 4_000), plain_log(1..2, 4_000)];
    let states = std::thread::scope(|scope| {
        let uploads = logs.each_ref().map(|log| scope.spawn(|| client.upload("orders", "log.csv", log.as_bytes())));
        uploads.map(|upload| upload.join().unwrap())
    });
    let count = |state: &str| states.iter().filter(|import| import["state"] == state).count();
    assert_eq!((count("done"), count("duplicate")), (2, 1), "{states:?}");
    assert_eq!(client.get("/projects/orders").expect(200)["events"], 8_000);
}

#[test]
fn bad_rows_are_named_and_go_with_the_project() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    let import = client.upload("orders", "broken.csv", &std::fs::read(fixture("import/broken.csv")).unwrap());
    assert_eq!((&import["state"], &import["rows_rejected"]), (&json!("done"), &json!(6)), "{import}");
    assert_eq!(import["first_rejects"].as_array().unwrap().len(), 6);
    let id = import["id"].as_str().unwrap();
    let rejects = client.get(&format!("/projects/orders/imports/{id}/rejects"));
    assert_eq!(csv::Reader::from_reader(rejects.body.as_slice()).into_records().count(), 6);
    client.delete("/projects/orders").expect(204);
    let folder = running.store.settings().folder.join("rejects");
    let left = std::fs::read_dir(folder).into_iter().flatten().count();
    assert_eq!(left, 0, "rows that were rejected outlive their project");
}

#[test]
fn tables_tell_their_columns_and_which_are_personal() {
    let client = sample_service();
    let answer = client.get(&format!("/projects/{SAMPLE}/tables")).expect(200);
    let tables = answer["tables"].as_array().unwrap();
    let events = tables.iter().find(|table| table["name"] == "events").unwrap();
    assert_eq!(events["rows"], 4_591 + 2_409);
    let user = events["columns"].as_array().unwrap().iter().find(|column| column["name"] == "user_name").unwrap();
    assert_eq!(user["personal"], true);
    assert!(tables.iter().all(|table| table["stale"] == false), "{tables:?}");
    assert!(answer["functions"].as_array().unwrap().len() >= 5);
}

fn query(client: Client, sql: &str) -> crate::support::Answer {
    client.post(&format!("/projects/{SAMPLE}/query"), &json!({ "sql": sql }))
}

#[test]
fn a_question_is_answered_bounded_and_remembered() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    client.upload("orders", "orders.csv", plain_log(0..2, 50).as_bytes());
    let path = "/projects/orders/query";
    let answer = client
        .post(path, &json!({ "sql": "SELECT user_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 1" }))
        .expect(200);
    assert_eq!(answer["columns"], json!([{ "name": "user_name", "type": "text" }, { "name": "n", "type": "integer" }]));
    assert_eq!(answer["rows"], json!([["user0", 50], ["user1", 50]]));
    let bounded = client.post(path, &json!({ "sql": "SELECT * FROM events", "limit": 7 })).expect(200);
    assert_eq!((&bounded["row_count"], &bounded["truncated"]), (&json!(7), &json!(true)));
    client.post(path, &json!({ "sql": "SELECT nothing" })).expect(422);
    let history = client.get("/projects/orders/query/history").expect(200);
    let states: Vec<_> =
        history["queries"].as_array().unwrap().iter().map(|query| query["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "done", "done"]);
    for format in ["csv", "parquet"] {
        let body = json!({ "sql": "SELECT user_name FROM events", "format": format });
        let file = client.post("/projects/orders/query/export", &body);
        assert!(file.status == 200 && file.head.contains(&format!("answer.{format}")), "{}", file.head);
    }
    assert_eq!(client.get("/projects/orders/query/limits").expect(200)["seconds"], 300);
}

#[test]
fn s14_a_cell_of_a_csv_file_is_no_formula() {
    let client = sample_service();
    let body = json!({ "sql": "SELECT '=HYPERLINK(1)' AS a, '+1' AS b, '@x' AS c", "format": "csv" });
    let file = client.post(&format!("/projects/{SAMPLE}/query/export"), &body).text();
    assert_eq!(file, "a,b,c\n'=HYPERLINK(1),'+1,'@x\n");
}

#[test]
fn wrong_sql_tells_line_and_column() {
    let error = query(sample_service(), "SELECT user_name,\n       usr_key\nFROM events").expect(422);
    assert_eq!(
        (code(&error), &error["error"]["line"], &error["error"]["column"]),
        ("sql", &json!(2), &json!(8)),
        "{error}"
    );
    for changing in ["DROP TABLE events", "COPY events TO '/tmp/lode-out.csv'", "SET a = 1", "SELECT 1; SELECT 2"] {
        assert_eq!(code(&query(sample_service(), changing).expect(422)), "sql", "{changing}");
    }
}

#[test]
fn tq3_a_cancelled_question_stops_within_two_seconds() {
    let client = sample_service();
    let base = format!("/projects/{SAMPLE}/query");
    for (id, endless) in [
        ("1", "SELECT count(*) FROM generate_series(1, 1000000000000)"),
        ("2", "SELECT count(*) FROM generate_series(1, 1000000) a CROSS JOIN generate_series(1, 1000000) b"),
    ] {
        let (answer, took) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| client.post(&base, &json!({ "sql": endless, "query_id": id })));
            let end = Instant::now() + Duration::from_secs(10);
            while client.delete(&format!("{base}/{id}")).status == 404 {
                assert!(Instant::now() < end && !asked.is_finished(), "the question never ran");
                std::thread::yield_now();
            }
            let began = Instant::now();
            (asked.join().unwrap(), began.elapsed())
        });
        assert_eq!(code(&answer.expect(499)), "cancelled");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    let history = client.get(&format!("{base}/history")).expect(200);
    assert!(history["queries"].as_array().unwrap().iter().any(|query| query["state"] == "cancelled"), "{history}");
}

#[test]
fn the_log_is_taken_away_in_every_form() {
    let client = sample_service();
    for (format, ending, begins) in [
        ("parquet", "parquet", "PAR1"),
        ("csv", "csv", "agent_id,"),
        ("xes", "xes", "<?xml"),
        ("ocel-json", "ocel.json", "{"),
        ("ocel-sqlite", "ocel.sqlite", "SQLite format 3"),
    ] {
        let file = client.get(&format!("/projects/{SAMPLE}/export?format={format}"));
        assert_eq!(file.status, 200, "{format}: {}", file.text());
        assert!(file.head.contains(&format!("filename=\"{SAMPLE}.{ending}\"")), "{}", file.head);
        assert!(file.body.starts_with(begins.as_bytes()), "{format}: {:?}", String::from_utf8_lossy(&file.body[..60]));
        if format == "csv" {
            assert_eq!(csv::Reader::from_reader(file.body.as_slice()).into_records().count(), 7_000);
        }
    }
}

#[test]
fn a_job_is_tried_kept_run_and_taken_away() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    client.upload("orders", "orders.csv", plain_log(0..2, 50).as_bytes());
    let base = "/projects/orders";
    let sql =
        "-- Events per person.\n-- reads: events\nSELECT user_name, count(*) AS n FROM events GROUP BY 1 ORDER BY 1";
    let tried = client.post(&format!("{base}/jobs/dry-run"), &json!({ "text": sql })).expect(200);
    assert_eq!(tried["answer"]["rows"], json!([["user0", 50], ["user1", 50]]));
    let kept = client
        .change("PUT", &format!("{base}/jobs/per_person"), &json!({ "text": sql, "schedule": "manual" }))
        .expect(200);
    assert_eq!((&kept["origin"], &kept["schedule"]), (&json!("custom"), &json!("manual")));

    let started = client.post(&format!("{base}/runs"), &json!({ "jobs": ["per_person"] })).expect(202);
    let runs = format!("{base}/runs?run={}", started["run"].as_str().unwrap());
    let ended = client.until(&runs, |answer| answer["runs"][0]["finished_at"].is_string());
    assert_eq!((&ended["runs"][0]["state"], &ended["runs"][0]["rows_out"]), (&json!("done"), &json!(2)), "{ended}");
    let answer = client.post(&format!("{base}/query"), &json!({ "sql": "SELECT sum(n) FROM per_person" })).expect(200);
    assert_eq!(answer["rows"], json!([[100]]));

    client.delete(&format!("{base}/jobs/per_person")).expect(204);
    client.post(&format!("{base}/query"), &json!({ "sql": "SELECT * FROM per_person" })).expect(422);
    client.delete(&format!("{base}/jobs/app_usage")).expect(404);
    client.delete(&format!("{base}/runs/{}", started["run"].as_str().unwrap())).expect(404);
    client.post(&format!("{base}/runs"), &json!({ "jobs": ["nothing"] })).expect(404);
}

#[test]
fn a_job_that_cannot_run_is_not_kept() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    client.upload("orders", "orders.csv", plain_log(0..1, 5).as_bytes());
    let put =
        |name: &str, sql: &str| client.change("PUT", &format!("/projects/orders/jobs/{name}"), &json!({ "text": sql }));
    let wrong = put("own", "-- Own.\n-- reads: events\nSELECT nothing\nFROM events").expect(422);
    assert_eq!((&wrong["error"]["line"], &wrong["error"]["column"]), (&json!(3), &json!(8)), "{wrong}");
    put("own", "-- Own.\n-- reads: nothing\nSELECT 1").expect(422);
    put("own", "SELECT 1").expect(422);
    put("Own", "-- Own.\nSELECT 1").expect(400);
    put("own", "-- Own.\n-- reads: int_sessions\nSELECT 1 AS one").expect(200);
    let circle = put("int_sessions", "-- A circle.\n-- reads: own\nSELECT 1 AS one").expect(422);
    assert!(circle["error"]["message"].as_str().unwrap().contains("circle"), "{circle}");
    let jobs = client.get("/projects/orders/jobs").expect(200);
    let state = |name: &str| {
        let jobs = jobs["jobs"].as_array().unwrap();
        jobs.iter().find(|job| job["name"] == name).map(|job| job["origin"].clone())
    };
    assert_eq!((state("own"), state("int_sessions")), (Some(json!("custom")), Some(json!("built-in"))));
}
