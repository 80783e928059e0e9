//! Found tasks over HTTP: what the sample recordings are about, what people say of tasks and that it stays, who may, and
//! what is handed on.

use crate::people::{Person, house};
use crate::support::{Client, SAMPLE, make_project, sample_service, service};
use serde_json::{Map, Value, json};
use store::control::members::{Grant, Role};

/// Rows of an answer as objects.
fn records(answer: &Value) -> Vec<Map<String, Value>> {
    let names: Vec<&str> =
        answer["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    let record = |row: &Value| {
        let cells = row.as_array().unwrap().iter().cloned();
        names.iter().map(|name| (*name).to_owned()).zip(cells).collect()
    };
    answer["rows"].as_array().unwrap().iter().map(record).collect()
}

fn ask(client: Client, project: &str, question: &str) -> Vec<Map<String, Value>> {
    records(&client.get(&format!("/projects/{project}/analyses/{question}")).expect(200))
}

fn number(record: &Map<String, Value>, name: &str) -> f64 {
    record[name].as_f64().unwrap_or_else(|| panic!("{name}: {record:?}"))
}

fn text<'a>(record: &'a Map<String, Value>, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_else(|| panic!("{name}: {record:?}"))
}

/// Orders that people type from a spreadsheet into a form, half a minute apart; the first `mailing` people look into the mailbox before each.
fn orders(people: std::ops::Range<usize>, mailing: usize, instances: usize) -> String {
    let mut log = String::from("user,ts,app,event,element,label,value,team\n");
    for person in people {
        let mut second = 0;
        let mut step = |app: &str, event: &str, element: &str, label: &str, value: &str| {
            let time = chrono::DateTime::from_timestamp(1_767_600_000 + second, 0).unwrap();
            second += if label == "Save order" { 34 } else { 4 };
            let (time, team) = (time.format("%Y-%m-%dT%H:%M:%SZ"), if person % 2 == 0 { "even" } else { "odd" });
            log.push_str(&format!("user{person},{time},{app},{event},{element},{label},{value},{team}\n"));
        };
        for order in 0..instances {
            let name = format!("Customer {}", person * 100 + order);
            if person < mailing {
                step("Outlook", "clickLink", "inbox", "Inbox", "");
            }
            step("Excel", "copyCell", &format!("A{}", order + 2), "", &name);
            step("Chrome", "editField", "name", "Customer name", &name);
            step("Chrome", "editField", "remark", "Remark", &format!("note {}", (person * 31 + order * 7919) % 97));
            step("Chrome", "clickButton", "save", "Save order", "");
        }
    }
    log
}

const MAP: &str = "user_name=user,time=ts,application=app,event_type=event,element_id=element,element_name=label,text=value,custom1=team";

fn import(client: Client, project: &str, file: &str, log: &str) {
    let path = format!("/projects/{project}/imports?file={file}&map={MAP}");
    let begun = client.send("POST", &path, &["content-type: application/octet-stream"], log.as_bytes()).expect(202);
    let done = client.follow(&format!("/projects/{project}/imports/{}", begun["id"].as_str().unwrap()));
    assert_eq!(done["state"], "done", "{done}");
}

/// Waits until the jobs have made what is there now.
fn settled(client: Client, project: &str) {
    client.until(&format!("/projects/{project}"), |shown| shown["jobs"]["state"] == "fresh");
}

fn correct(client: Client, project: &str, said: &Value) -> String {
    let made = client.post(&format!("/projects/{project}/task-corrections"), said).expect(201);
    settled(client, project);
    made["id"].as_str().unwrap().to_owned()
}

fn tasks(client: Client, project: &str) -> Vec<(String, String, i64, String)> {
    let tasks = ask(client, project, "tasks");
    let told = |task: &Map<String, Value>| {
        let of = |name: &str| text(task, name).to_owned();
        (of("task"), of("name"), task["instances"].as_i64().unwrap(), of("standing"))
    };
    tasks.iter().map(told).collect()
}

#[test]
fn the_sample_recordings_are_two_tasks_that_are_done_fifty_times_each() {
    let client = sample_service();
    let found = ask(client, SAMPLE, "tasks");
    let counts: Vec<i64> = found.iter().map(|task| task["instances"].as_i64().unwrap()).collect();
    // As many were recorded.
    assert_eq!(counts, [50, 50], "{found:?}");
    // The reimbursement takes longer than the student record, and both are forms filled from a spreadsheet.
    let seconds: Vec<f64> = found.iter().map(|task| number(task, "p50_s").round()).collect();
    assert_eq!(seconds, [136.0, 76.0], "{found:?}");
    for (task, count) in found.iter().zip(counts) {
        let id = text(task, "task");
        let variants = ask(client, SAMPLE, &format!("task_variants?task={id}"));
        let instances: i64 = variants.iter().map(|variant| variant["instances"].as_i64().unwrap()).sum();
        assert_eq!(instances, count, "variants are not all instances");
        let shares: f64 = variants.iter().map(|variant| number(variant, "share")).sum();
        assert!((shares - 1.0).abs() < 1e-9);
        assert_eq!(ask(client, SAMPLE, &format!("task_instances?task={id}")).len() as i64, count);
        let steps = ask(client, SAMPLE, &format!("task_steps?task={id}"));
        let (starts, ends): (f64, f64) = steps
            .iter()
            .fold((0.0, 0.0), |sum, step| (sum.0 + number(step, "start_cases"), sum.1 + number(step, "end_cases")));
        assert_eq!((starts, ends), (count as f64, count as f64));
        assert!(steps.iter().any(|step| step["rule"].is_string() && number(step, "hit_rate") >= 0.9), "{steps:?}");
        let patterns = ask(client, SAMPLE, &format!("task_patterns?task={id}"));
        let is_usual =
            |pattern: &Map<String, Value>| 2.0 * number(pattern, "instances") >= number(pattern, "looked_at");
        assert!(!patterns.is_empty() && patterns.iter().all(is_usual), "{patterns:?}");
        assert_eq!(number(&patterns[0], "looked_at"), count as f64);
        let paths = ask(client, SAMPLE, &format!("task_paths?task={id}&limit=1000"));
        let begun: f64 =
            paths.iter().filter(|path| path["from_activity"].is_null()).map(|path| number(path, "frequency")).sum();
        assert_eq!(begun, count as f64);
    }
}

#[test]
fn a_candidates_potential_is_the_product_of_the_factors_that_are_shown() {
    let client = sample_service();
    let candidates = ask(client, SAMPLE, "automation");
    assert_eq!(candidates.len(), 2);
    for candidate in &candidates {
        let of = |name| number(candidate, name);
        let product = of("minutes_per_week") * of("rai") * of("determinism") * (1.0 - of("exceptions"));
        assert!((product - of("potential_minutes_per_week")).abs() < 1e-9, "{candidate:?}");
        assert!((of("minutes_per_week") - of("instances_per_week") * of("handling_p50_s") / 60.0).abs() < 1e-9);
        assert!(of("rai") > 0.5 && of("rai") <= 1.0 && of("determinism") <= 1.0, "{candidate:?}");
        let steps = ask(client, SAMPLE, &format!("task_steps?task={}", text(candidate, "task")));
        let automatable = steps.iter().filter(|step| step["automatable"] == true).count();
        assert_eq!((of("steps"), of("automatable_steps")), (steps.len() as f64, automatable as f64));
    }
    assert!(number(&candidates[0], "rai") >= number(&candidates[1], "rai"), "they are ranked by RAI");
}

#[test]
fn filters_choose_the_instances_that_they_let_through() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    import(client, "orders", "orders.csv", &orders(0..4, 2, 12));
    let count = |filter: &str| {
        let found = ask(client, "orders", &format!("tasks?{filter}"));
        found.iter().map(|task| task["instances"].as_i64().unwrap()).sum::<i64>()
    };
    let (all, even, odd) = (count(""), count("custom1=even"), count("custom1=odd"));
    assert!(all >= 48 && even > 0 && odd > 0, "{all}, {even}, {odd}");
    assert_eq!(even + odd, all, "each instance is one person's");
    let mailing = count("application=Microsoft%20Outlook");
    assert!(mailing > 0 && mailing < all, "two of four people look into the mailbox: {mailing} of {all}");
    assert_eq!(count("custom1=neither"), 0);
    assert_eq!(count("from=2100-01-01"), 0);
    let id = text(&ask(client, "orders", "tasks")[0], "task").to_owned();
    assert_eq!(ask(client, "orders", "task_variants?task=none").len(), 0);
    // A question that knows no task does not pretend to.
    client.get(&format!("/projects/orders/analyses/overview?task={id}")).expect(400);
}

#[test]
fn what_people_say_of_a_task_holds_when_it_is_found_anew() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    import(client, "orders", "first.csv", &orders(0..2, 0, 12));
    let found = tasks(client, "orders");
    assert_eq!(found.len(), 1, "{found:?}");
    let id = found[0].0.clone();
    let rename = correct(client, "orders", &json!({ "kind": "rename", "task": id, "name": " Enter an order " }));
    correct(client, "orders", &json!({ "kind": "confirm", "task": id }));
    assert_eq!(tasks(client, "orders"), [(id.clone(), "Enter an order".into(), 24, "confirmed".into())]);

    // New recordings: other people, a step more. The jobs run anew, and the name holds.
    import(client, "orders", "second.csv", &orders(2..4, 4, 12));
    settled(client, "orders");
    let now = tasks(client, "orders");
    assert_eq!((now.len(), now[0].1.as_str(), now[0].2), (1, "Enter an order", 48), "{now:?}");
    let runs = client.post("/projects/orders/runs", &json!({ "all": true })).expect(202);
    assert!(runs["run"].is_string());
    settled(client, "orders");
    let now = tasks(client, "orders");
    assert_eq!(now[0].1, "Enter an order");

    // Split by the mailbox, which the new people look into.
    let steps = ask(client, "orders", &format!("task_steps?task={}", now[0].0));
    let inbox = steps.iter().find(|step| text(step, "application").contains("Outlook")).expect("a step in Outlook");
    let split =
        json!({ "kind": "split", "task": now[0].0, "step": text(inbox, "activity"), "name": "From the mailbox" });
    let split = correct(client, "orders", &split);
    let two = tasks(client, "orders");
    assert_eq!(two.iter().map(|task| (task.1.as_str(), task.2)).collect::<Vec<_>>().len(), 2, "{two:?}");
    assert!(two.iter().any(|task| task.1 == "From the mailbox" && task.2 == 24), "{two:?}");
    assert!(two.iter().any(|task| task.1 == "Enter an order" && task.2 == 24), "{two:?}");

    // Merged again, then all of it rejected, then that taken back.
    let of = |name: &str| two.iter().find(|task| task.1 == name).unwrap().0.clone();
    let merge = json!({ "kind": "merge", "task": of("From the mailbox"), "other": of("Enter an order") });
    correct(client, "orders", &merge);
    let one = tasks(client, "orders");
    assert_eq!((one.len(), one[0].2), (1, 48), "{one:?}");
    let reject = correct(client, "orders", &json!({ "kind": "reject", "task": one[0].0 }));
    assert_eq!(tasks(client, "orders")[0].3, "rejected");
    assert_eq!(ask(client, "orders", "automation").len(), 0, "what is no task is not worth automating");
    client.delete(&format!("/projects/orders/task-corrections/{reject}")).expect(204);
    client.delete(&format!("/projects/orders/task-corrections/{reject}")).expect(404);
    settled(client, "orders");
    assert_eq!(tasks(client, "orders")[0].3, "confirmed");

    let list = client.get("/projects/orders/task-corrections").expect(200);
    let states: Vec<(&str, &str)> = list["corrections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    let expected =
        [("rename", "holds"), ("confirm", "holds"), ("split", "holds"), ("merge", "holds"), ("reject", "withdrawn")];
    assert_eq!(states, expected, "{list}");
    assert!(list["corrections"][0]["id"] == rename && list["corrections"][2]["id"] == split);
}

#[test]
fn a_correction_of_a_task_that_is_gone_is_told_and_not_lost() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    import(client, "orders", "orders.csv", &orders(0..1, 0, 12));
    let id = tasks(client, "orders")[0].0.clone();
    correct(client, "orders", &json!({ "kind": "rename", "task": id, "name": "Enter an order" }));
    let project = running.wait(running.store.control().project("orders")).unwrap().id;
    running.wait(running.store.erase_user(&project, "user0", 2)).unwrap();
    // Somebody else does something else.
    let other = orders(1..2, 0, 12).replace("name,", "street,").replace("remark,", "town,").replace("save,", "send,");
    let other = other.replace("Customer street", "Street").replace("Remark", "Town").replace("Save order", "Send");
    import(client, "orders", "other.csv", &other.replace("Excel", "Word"));
    settled(client, "orders");
    let now = tasks(client, "orders");
    assert!(now.len() == 1 && now[0].1 != "Enter an order", "{now:?}");
    let list = client.get("/projects/orders/task-corrections").expect(200);
    let kept = &list["corrections"][0];
    assert_eq!((kept["state"].as_str(), kept["name"].as_str()), (Some("not_found"), Some("Enter an order")), "{list}");
    assert!(kept["likeness"].as_f64().unwrap() < 0.5, "{list}");
}

#[test]
fn what_cannot_be_said_of_a_task_is_refused_in_words() {
    let running = service();
    let client = running.client;
    make_project(client, "Orders", "imported");
    import(client, "orders", "orders.csv", &orders(0..1, 0, 12));
    let id = tasks(client, "orders")[0].0.clone();
    let path = "/projects/orders/task-corrections";
    for (said, status, word) in [
        (json!({ "kind": "praise", "task": id }), 400, "confirm, rename, merge"),
        (json!({ "kind": "rename", "task": id, "name": "  " }), 400, "a name of 1 to 120"),
        (json!({ "kind": "rename", "task": id, "name": "x".repeat(121) }), 400, "a name of 1 to 120"),
        (json!({ "kind": "merge", "task": id }), 400, "another one"),
        (json!({ "kind": "merge", "task": id, "other": id }), 400, "another one"),
        (json!({ "kind": "merge", "task": id, "other": "none" }), 404, "no task 'none'"),
        (json!({ "kind": "split", "task": id, "name": "x" }), 400, "at a step"),
        (json!({ "kind": "split", "task": id, "name": "x", "step": "fly" }), 404, "no step 'fly'"),
        (json!({ "kind": "confirm", "task": "none" }), 404, "no task 'none'"),
    ] {
        let answer = client.post(path, &said);
        assert_eq!(answer.status, status, "{said}: {}", answer.text());
        assert!(answer.text().contains(word), "{said}: {}", answer.text());
    }
    assert_eq!(client.get(path).expect(200)["corrections"], json!([]));
}

#[test]
fn s1_s11_viewers_read_what_analysts_say_and_it_is_written_down() {
    let house = house();
    let project = house.project("Orders");
    let (analyst, viewer) = (house.person("analyst", false), house.person("viewer", false));
    house.join(&project, &analyst, Role::Analyst, &[Grant::Raw]);
    house.join(&project, &viewer, Role::Viewer, &[]);
    let lead = house.person("lead", false);
    house.join(&project, &lead, Role::Lead, &[]);
    upload(&lead, &project, &orders(0..6, 0, 12));
    let found = analyst.get(&format!("/projects/{project}/analyses/tasks")).expect(200);
    let task = text(&records(&found)[0], "task").to_owned();
    let path = format!("/projects/{project}/task-corrections");
    viewer.post(&path, json!({ "kind": "confirm", "task": task })).expect(403);
    let made = analyst.post(&path, json!({ "kind": "rename", "task": task, "name": "Secret words" })).expect(201);
    let list = viewer.get(&path).expect(200);
    assert_eq!(list["corrections"][0]["made_by"]["name"], "analyst");
    viewer.delete(&format!("{path}/{}", made["id"].as_str().unwrap())).expect(403);
    viewer.get(&format!("/projects/{project}/tasks/{task}?format=html")).expect_file("text/html");
    lead.delete(&format!("{path}/{}", made["id"].as_str().unwrap())).expect(204);
    let written = lead.get(&format!("/projects/{project}/audit")).expect(200).to_string();
    for action in ["task.correct", "task.correction_withdraw", "export.task"] {
        assert!(written.contains(&format!("\"{action}\"")), "{action} is not written down: {written}");
    }
    assert!(!written.contains("Secret words"), "contents stand in the audit log");
}

fn upload(person: &Person, project: &str, log: &str) {
    let headers = ["content-type: application/octet-stream", person.credential.as_str()];
    let path = format!("/projects/{project}/imports?file=log.csv&map={MAP}");
    let begun = person.client.send("POST", &path, &headers, log.as_bytes()).expect(202);
    let import = format!("/projects/{project}/imports/{}", begun["id"].as_str().unwrap());
    loop {
        match person.get(&import).expect(200)["state"].as_str().unwrap() {
            "done" => return,
            "failed" => panic!("the import failed"),
            _ => std::thread::yield_now(),
        }
    }
}

#[test]
fn d6_a_way_that_too_few_people_work_is_neither_shown_nor_handed_on() {
    let running = service();
    let client = running.client;
    make_project(client, "Recorded", "enrolled");
    // Six people do the task; four of them look into the mailbox first.
    import(client, "recorded", "six.csv", &orders(0..6, 4, 12));
    let found = ask(client, "recorded", "tasks");
    assert_eq!((found.len(), found[0]["users"].as_i64()), (1, Some(6)), "{found:?}");
    let id = text(&found[0], "task").to_owned();
    let answer = |question: &str| client.get(&format!("/projects/recorded/analyses/{question}?task={id}")).expect(200);
    // Four people's order, and the other two's: neither may be shown, though six do the task.
    let variants = answer("task_variants");
    assert_eq!(
        (variants["rows"].as_array().unwrap().len(), variants["suppressed"].as_i64()),
        (0, Some(2)),
        "{variants}"
    );
    let steps = answer("task_steps");
    assert!(steps["suppressed"].as_i64() == Some(1) && !steps.to_string().contains("Outlook"), "{steps}");
    let paths = answer("task_paths");
    assert!(paths["suppressed"].as_i64().unwrap() > 0 && !paths.to_string().contains("Inbox"), "{paths}");
    // Single instances are no groups: they need the grant `raw`, which the demo's person has.
    assert!(!answer("task_instances")["rows"].as_array().unwrap().is_empty());
    assert_eq!(answer("automation")["rows"].as_array().unwrap().len(), 1);
    for format in ["html", "bpmn", "playwright"] {
        let document = client.get(&format!("/projects/recorded/tasks/{id}?format={format}"));
        assert_eq!(document.status, 200);
        assert!(!document.text().contains("Inbox"), "{format} tells what the pages do not");
    }
    // Where four of six look into the mailbox, most instances have that step, and still only four people.
    let mailing = service();
    make_project(mailing.client, "Recorded", "enrolled");
    import(mailing.client, "recorded", "mailing.csv", &orders(0..6, 4, 12));
    let patterns = mailing.client.get("/projects/recorded/analyses/task_patterns").expect(200);
    assert!(!patterns["rows"].as_array().unwrap().is_empty() && !patterns.to_string().contains("Inbox"), "{patterns}");
    assert!(records(&patterns).iter().all(|pattern| pattern["users"] == 6), "{patterns}");
    let few = service();
    make_project(few.client, "Recorded", "enrolled");
    import(few.client, "recorded", "four.csv", &orders(0..4, 0, 12));
    assert_eq!(ask(few.client, "recorded", "tasks").len(), 0);
    few.client.get(&format!("/projects/recorded/tasks/{id}?format=html")).expect(404);
}

#[test]
fn a_task_is_handed_on_as_a_page_a_model_and_a_script() {
    let client = sample_service();
    for task in ask(client, SAMPLE, "automation") {
        let (id, name) = (text(&task, "task"), text(&task, "name"));
        let page = client.get(&format!("/projects/{SAMPLE}/tasks/{id}?format=html"));
        page.expect_file("text/html");
        let page = page.text();
        assert!(page.contains(name) && page.contains("<svg") && page.contains("Data flow"), "{page}");
        assert!(
            !page.contains("<script") && !page.contains("src=\"") && !page.contains("@import"),
            "it loads something"
        );
        let model = client.get(&format!("/projects/{SAMPLE}/tasks/{id}?format=bpmn"));
        model.expect_file("application/xml");
        assert!(model.text().contains("<bpmn:task ") && model.text().contains("BPMNShape"), "{}", model.text());
        let script = client.get(&format!("/projects/{SAMPLE}/tasks/{id}?format=playwright"));
        script.expect_file("text/javascript");
        let script = script.text();
        assert!(
            script.contains("await page.goto(") && script.contains(".fill(") && script.contains("It was never run"),
            "{script}"
        );
    }
    client.get(&format!("/projects/{SAMPLE}/tasks/none?format=html")).expect(404);
    let id = text(&ask(client, SAMPLE, "tasks")[0], "task").to_owned();
    client.get(&format!("/projects/{SAMPLE}/tasks/{id}?format=docx")).expect(400);
}
