//! Tables that somebody brings along: the old one or the new one, nobody else's, and behind the smallest group like
//! everything whose text Lode did not write.

use crate::people::{Person, house};
use crate::support::{Answer, plain_log};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use serde_json::json;
use std::sync::Arc;
use store::control::members::{Grant, Role};

fn rows(names: &[&str]) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..names.len() as i64));
    let names: ArrayRef = Arc::new(StringArray::from(names.to_vec()));
    RecordBatch::try_from_iter([("name", names), ("score", numbers)]).unwrap()
}

fn stream(names: &[&str]) -> Vec<u8> {
    let batch = rows(names);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn parquet(names: &[&str]) -> Vec<u8> {
    let batch = rows(names);
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn put(person: &Person, name: &str, bytes: &[u8]) -> Answer {
    person.send_bytes("PUT", &format!("/projects/own/tables/{name}"), bytes)
}

fn ask(person: &Person, sql: &str) -> Answer {
    person.post("/projects/own/query", json!({ "sql": sql }))
}

#[test]
fn a_table_that_is_brought_along_is_the_old_one_or_the_new_one() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Analyst, &[]);
    assert_eq!(put(&ann, "scores", &stream(&["a", "b"])).expect(200)["rows"], 2);
    let count = || ask(&ann, "SELECT count(*) FROM scores").expect(200)["rows"][0][0].clone();
    assert_eq!(count(), 2);
    assert_eq!(put(&ann, "scores", &parquet(&["a", "b", "c"])).expect(200)["rows"], 3);
    assert_eq!(count(), 3);
    let whole = stream(&["a"]);
    for broken in [&whole[..whole.len() / 2], b"{}", b"", b"PAR1PAR1"] {
        put(&ann, "scores", broken).expect(400);
    }
    assert_eq!(count(), 3, "a file that is no table replaced one");
    let tables = ann.get("/projects/own/tables").expect(200);
    let listed = tables["tables"].as_array().unwrap().iter().find(|table| table["name"] == "scores").unwrap();
    assert_eq!((&listed["layer"], &listed["rows"]), (&json!("uploaded"), &json!(3)), "{listed}");
    ann.delete("/projects/own/tables/scores").expect(204);
    ask(&ann, "SELECT count(*) FROM scores").expect(422);
    ann.delete("/projects/own/tables/scores").expect(404);
}

#[test]
fn names_of_jobs_and_names_that_sql_does_not_take_are_refused() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Lead, &[]);
    for (name, status) in
        [("events", 409), ("activities", 409), ("stg_events", 409), ("Scores", 400), ("1st", 400), ("a-b", 400)]
    {
        assert_eq!(put(&ann, name, &stream(&["a"])).status, status, "{name}");
    }
    put(&ann, &"x".repeat(64), &stream(&["a"])).expect(400);
    ann.import("own", "log.csv", &plain_log(0..1, 3));
    ann.delete("/projects/own/tables/events").expect(404);
    ann.delete("/projects/own/tables/activities").expect(404);
}

#[test]
fn s1_a_token_that_only_reads_writes_no_table() {
    let house = house();
    let ann = house.person("ann", false);
    house.join(&house.project("Own"), &ann, Role::Analyst, &[]);
    let reads = ann.post("/me/tokens", json!({ "name": "reads", "read_only": true })).expect(201);
    let reads = ann.with_token(reads["token"].as_str().unwrap());
    put(&reads, "scores", &stream(&["a"])).expect(403);
    put(&ann.with_token(&ann.token(None)), "scores", &stream(&["a"])).expect(200);
}

#[test]
fn d6_a_table_that_is_brought_along_opens_with_the_grant_raw_alone() {
    let house = house();
    let (lead, ann, eve) = (house.person("lead", false), house.person("ann", false), house.person("eve", false));
    let project = house.project("Own");
    house.join(&project, &lead, Role::Lead, &[]);
    house.join(&project, &ann, Role::Analyst, &[]);
    house.join(&project, &eve, Role::Analyst, &[Grant::Raw]);
    lead.patch("/projects/own/privacy", json!({ "min_group_size": 5 })).expect(200);
    // Also one that says of itself that it counts people.
    let users: ArrayRef = Arc::new(Int64Array::from(vec![100]));
    let batch = RecordBatch::try_from_iter([("users", users)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    put(&eve, "generous", &writer.into_inner().unwrap()).expect(200);
    put(&eve, "scores", &stream(&["a"])).expect(200);
    for table in ["generous", "scores"] {
        ask(&eve, &format!("SELECT * FROM {table}")).expect(200);
        ask(&ann, &format!("SELECT * FROM {table}")).expect(422);
    }
}

#[test]
fn d8_an_erasure_takes_tables_along_that_nothing_can_make_again() {
    let house = house();
    let ann = house.person("ann", false);
    let project = house.project("Own");
    house.join(&project, &ann, Role::Lead, &[Grant::Raw]);
    ann.import("own", "log.csv", &plain_log(0..2, 3));
    put(&ann, "scores", &stream(&["user1"])).expect(200);
    house.running.wait(house.running.store.erase_user(&project, "user1", 0)).unwrap();
    ask(&ann, "SELECT count(*) FROM scores").expect(422);
}
