//! Every operation of the OpenAPI document against every kind of caller, in a project of theirs and in a foreign one
//! (promises S1 and D10). A new operation is covered by being there; one without a permission makes this fail.

use crate::people::{House, Person, house};
use crate::support::{Answer, plain_log};
use serde_json::{Value, json};
use store::control::members::{Grant, Role};

/// Kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    Viewer,
    Analyst,
    AnalystWithRaw,
    Lead,
    LeadWithAll,
    Council,
    CouncilWithIdentities,
    AdminOutside,
    Agent,
}

use Caller::*;

const CALLERS: [Caller; 10] =
    [Nobody, Viewer, Analyst, AnalystWithRaw, Lead, LeadWithAll, Council, CouncilWithIdentities, AdminOutside, Agent];

/// The table of `docs/promises.md`, section 3, written down a second time.
fn may(caller: Caller, permission: &str) -> bool {
    match permission {
        "public" => true,
        "signed_in" => !matches!(caller, Nobody | Agent),
        "admin" => caller == AdminOutside,
        "member" => !matches!(caller, Nobody | AdminOutside | Agent),
        "pages" => matches!(caller, Viewer | Analyst | AnalystWithRaw | Lead | LeadWithAll),
        "sql" => matches!(caller, Analyst | AnalystWithRaw | Lead | LeadWithAll),
        "raw" => matches!(caller, AnalystWithRaw | LeadWithAll),
        "pictures" => caller == LeadWithAll,
        "lead" => matches!(caller, Lead | LeadWithAll),
        "oversight" => matches!(caller, Lead | LeadWithAll | Council | CouncilWithIdentities),
        "identities" => matches!(caller, LeadWithAll | CouncilWithIdentities),
        "client" => false,
        unknown => panic!("nobody has said who may '{unknown}'"),
    }
}

struct Operation {
    method: String,
    path: String,
    permission: String,
}

fn operations(house: &House) -> Vec<Operation> {
    let document = house.nobody().get("/openapi.json").expect(200);
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let permission = operation["x-lode-permission"].as_str();
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
                permission: permission.unwrap_or_else(|| panic!("{method} {path} has no permission")).to_owned(),
            });
        }
    }
    found
}

/// A caller that has just come in; `project` is where it belongs, if it belongs anywhere.
fn caller(house: &House, kind: Caller, account: &str, project: &str) -> Person {
    let nobody = house.nobody();
    match kind {
        Nobody => nobody,
        Agent => Person { credential: "authorization: Bearer an-agents-own-token".into(), ..nobody },
        _ => {
            let person = house.logged_in(account);
            let role = match kind {
                Viewer => Some((Role::Viewer, vec![])),
                Analyst => Some((Role::Analyst, vec![])),
                AnalystWithRaw => Some((Role::Analyst, vec![Grant::Raw])),
                Lead => Some((Role::Lead, vec![])),
                LeadWithAll => Some((Role::Lead, Grant::ALL.to_vec())),
                Council => Some((Role::Council, vec![])),
                CouncilWithIdentities => Some((Role::Council, vec![Grant::Identities])),
                Nobody | AdminOutside | Agent => None,
            };
            if let Some((role, grants)) = role {
                house.join(project, &person, role, &grants);
            }
            person
        }
    }
}

fn call(person: &Person, operation: &Operation, project: &str) -> Answer {
    let mut path = operation.path.replace("{project}", project);
    while let Some((before, rest)) = path.clone().split_once('{') {
        path = format!("{before}none{}", rest.split_once('}').unwrap().1);
    }
    person.send(&operation.method, &path, &json!({}))
}

fn is_no_project(answer: &Answer) -> bool {
    answer.status == 404 && answer.text().contains("there is no project")
}

#[test]
fn s1_d10_every_operation_lets_in_whom_the_table_says_and_nobody_else() {
    let house = house();
    let operations = operations(&house);
    assert!(operations.len() > 40, "only {} operations", operations.len());
    let foreign = house.project("Foreign");
    let mut wrong = Vec::new();
    for kind in CALLERS {
        let account = house.person(&format!("{kind:?}"), kind == AdminOutside).id;
        let mut own = house.project(&format!("Own {kind:?}"));
        for operation in &operations {
            let person = caller(&house, kind, &account, &own);
            let Operation { method, path, permission } = operation;
            let told = |answer: &Answer, wanted: &str| {
                format!(
                    "{kind:?} {method} {path} ({permission}): {} instead of {wanted}: {}",
                    answer.status,
                    answer.text()
                )
            };
            let in_project = path.contains("{project}");
            let signed_in = may(kind, "signed_in");
            let answer = call(&person, operation, &own);
            let fits = match (may(kind, permission), signed_in) {
                (true, _) => !matches!(answer.status, 401 | 403 | 405 | 500..) && !is_no_project(&answer),
                (false, false) => answer.status == 401,
                (false, true) if in_project && !may(kind, "member") => is_no_project(&answer),
                (false, true) => answer.status == 403,
            };
            if !fits {
                wrong.push(told(&answer, if may(kind, permission) { "being let in" } else { "being refused" }));
            }
            if in_project && permission != "public" {
                let answer = call(&caller(&house, kind, &account, &own), operation, &foreign);
                let fits = if signed_in { is_no_project(&answer) } else { answer.status == 401 };
                if !fits {
                    wrong.push(told(&answer, "the foreign project not being there"));
                }
            }
            if (method.as_str(), path.as_str()) == ("DELETE", "/projects/{project}") && may(kind, permission) {
                own = house.project(&format!("Own {kind:?} again"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn s1_a_foreign_project_looks_exactly_like_none() {
    let house = house();
    let foreign = house.project("Foreign");
    let ann = house.person("ann", false);
    let text = |handle: &str| ann.get(&format!("/projects/{handle}")).text().replace(handle, "X");
    assert_eq!(text(&foreign), text("00000000-0000-4000-8000-000000000000"));
    assert_eq!(text("foreign"), text("nothing"));
    assert_eq!(ann.get("/projects").expect(200)["projects"], json!([]));
    assert_eq!(ann.get("/me").expect(200)["projects"], json!([]));
}

#[test]
fn s1_ids_of_another_project_are_not_there_in_ones_own() {
    let house = house();
    let (own, other) = (house.project("Own"), house.project("Other"));
    let (ann, bob) = (house.person("ann", false), house.person("bob", false));
    house.join(&own, &ann, Role::Lead, &Grant::ALL);
    house.join(&other, &bob, Role::Lead, &Grant::ALL);
    let upload = |person: &Person, project: &str| {
        let headers = ["content-type: application/octet-stream", person.credential.as_str()];
        let log = plain_log(0..1, 20);
        let path = format!("/projects/{project}/imports?file=log.csv");
        let begun = person.client.send("POST", &path, &headers, log.as_bytes()).expect(202);
        begun["id"].as_str().unwrap().to_owned()
    };
    let import = upload(&bob, &other);
    bob.get(&format!("/projects/{other}/imports/{import}")).expect(200);
    ann.get(&format!("/projects/{own}/imports/{import}")).expect(404);
    ann.get(&format!("/projects/{own}/imports/{import}/rejects")).expect(404);

    let run = bob.post(&format!("/projects/{other}/runs"), json!({ "all": true })).expect(202);
    let run = run["run"].as_str().unwrap().to_owned();
    ann.delete(&format!("/projects/{own}/runs/{run}")).expect(404);
    let runs = ann.get(&format!("/projects/{own}/runs?run={run}")).expect(200);
    assert_eq!(runs["total"], 0, "{runs}");

    let endless = json!({ "sql": "SELECT count(*) FROM generate_series(1, 1000000000000)", "query_id": "q" });
    let answer = std::thread::scope(|scope| {
        let asked = scope.spawn(|| bob.post(&format!("/projects/{other}/query"), endless.clone()));
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            ann.delete(&format!("/projects/{own}/query/q")).expect(404);
            if bob.delete(&format!("/projects/{other}/query/q")).status == 204 {
                break asked.join().unwrap();
            }
            assert!(std::time::Instant::now() < end && !asked.is_finished(), "the question never ran");
        }
    });
    answer.expect(499);
    // Members of another project cannot be changed through one's own.
    ann.delete(&format!("/projects/{own}/members/{}", bob.id)).expect(404);
}

#[test]
fn s1_a_right_that_is_taken_away_is_gone_with_the_next_request() {
    let house = house();
    let project = house.project("Orders");
    let (lead, ann) = (house.person("lead", false), house.person("ann", false));
    house.join(&project, &lead, Role::Lead, &[]);
    let member = format!("/projects/{project}/members/{}", ann.id);
    let jobs = format!("/projects/{project}/jobs");
    ann.get(&jobs).expect(404);
    lead.put(&member, json!({ "role": "analyst" })).expect(200);
    ann.get(&jobs).expect(200);
    lead.put(&member, json!({ "role": "viewer", "grants": ["raw"] })).expect(200);
    ann.get(&jobs).expect(403);
    lead.delete(&member).expect(204);
    ann.get(&jobs).expect(404);
    let last = lead.delete(&format!("/projects/{project}/members/{}", lead.id));
    assert!(last.expect(400)["error"]["message"].as_str().unwrap().contains("needs a lead"));
}

#[test]
fn s1_single_instances_need_the_grant_raw() {
    let house = house();
    let project = house.project("Orders");
    let (with, without) = (house.person("with", false), house.person("without", false));
    house.join(&project, &with, Role::Analyst, &[Grant::Raw]);
    house.join(&project, &without, Role::Analyst, &[]);
    with.get(&format!("/projects/{project}/analyses/screenshots")).expect(403);
    house.join(&project, &with, Role::Analyst, &[Grant::Raw, Grant::Pictures]);
    for name in ["cases", "sessions", "task_instances", "time_line", "screenshots"] {
        let path = format!("/projects/{project}/analyses/{name}");
        without.get(&path).expect(403);
        // There are no tables yet, which only whoever may look is told.
        with.get(&path).expect(404);
    }
    without.get(&format!("/projects/{project}/analyses/overview")).expect(404);
}

#[test]
fn s1_a_token_can_do_no_more_than_it_was_made_for() {
    let house = house();
    let (own, other) = (house.project("Own"), house.project("Other"));
    let ann = house.person("ann", false);
    for project in [&own, &other] {
        house.join(project, &ann, Role::Lead, &[]);
    }
    let token = |body: Value| {
        let made = ann.post("/me/tokens", body).expect(201);
        (made["id"].as_str().unwrap().to_owned(), ann.with_token(made["token"].as_str().unwrap()))
    };
    let (_, free) = token(json!({ "name": "free" }));
    free.get(&format!("/projects/{other}")).expect(200);
    free.patch(&format!("/projects/{own}"), json!({ "name": "Renamed" })).expect(200);
    free.post("/me/tokens", json!({ "name": "child" })).expect(403);
    free.get("/me/sessions").expect(403);

    let (_, reader) = token(json!({ "name": "reader", "read_only": true }));
    reader.get(&format!("/projects/{own}")).expect(200);
    reader.patch(&format!("/projects/{own}"), json!({ "name": "Changed" })).expect(403);
    reader.post(&format!("/projects/{own}/query"), json!({ "sql": "SELECT 1" })).expect(200);

    let (id, bound) = token(json!({ "name": "bound", "project": "own" }));
    bound.get(&format!("/projects/{own}")).expect(200);
    assert!(is_no_project(&bound.get(&format!("/projects/{other}"))));
    assert_eq!(bound.get("/projects").expect(200)["projects"].as_array().unwrap().len(), 1);
    bound.post("/projects", json!({ "name": "New" })).expect(403);

    ann.delete(&format!("/me/tokens/{id}")).expect(204);
    bound.get(&format!("/projects/{own}")).expect(401);
    let (id, _) = token(json!({ "name": "theirs" }));
    house.person("bob", false).delete(&format!("/me/tokens/{id}")).expect(404);
}
