//! The questions of the pages over the sample recordings: with and without each filter, paged, and as files.

use crate::support::{Client, ORDER_DESK, SAMPLE, make_project, plain_log, sample_service, service};
use serde_json::Value;

fn ask(client: Client, name: &str, filters: &str) -> Value {
    client.get(&format!("/projects/{SAMPLE}/analyses/{name}?{filters}")).expect(200)
}

fn names(client: Client) -> Vec<String> {
    let all = client.get(&format!("/projects/{SAMPLE}/analyses")).expect(200);
    all["analyses"].as_array().unwrap().iter().map(|analysis| analysis["name"].as_str().unwrap().to_owned()).collect()
}

/// The value of a column in the first row.
fn first(answer: &Value, column: &str) -> Value {
    let columns = answer["columns"].as_array().unwrap();
    let position = columns.iter().position(|known| known["name"] == column).unwrap_or_else(|| panic!("{columns:?}"));
    answer["rows"][0][position].clone()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn every_question_has_the_columns_of_the_guide() {
    let client = sample_service();
    let guide = include_str!("../../../../docs/guide/api.md");
    for name in names(client) {
        let line =
            guide.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name}"));
        let answer = ask(client, &name, "");
        for column in answer["columns"].as_array().unwrap() {
            let column = column["name"].as_str().unwrap();
            assert!(line.contains(column), "{name}: the guide does not know the column '{column}'");
        }
        // Of all samples the order desk alone has pictures.
        let project = if name == "screenshots" { ORDER_DESK } else { SAMPLE };
        let total = client.get(&format!("/projects/{project}/analyses/{name}?limit=1")).expect(200)["total"].clone();
        // Nobody types anything a second time in the samples.
        assert!(total.as_i64().unwrap() > 0 || name == "retyping", "{answer}");
        assert!(!answer["formula"].as_str().unwrap().is_empty(), "{answer}");
        assert!(answer["built_at"].is_string() && answer["suppressed"] == 0 && answer["min_group_size"] == 1);
    }
}

#[test]
fn every_question_answers_with_each_filter() {
    let client = sample_service();
    let application = text(&first(&ask(client, "applications", ""), "application"));
    let node = ask(client, "process_nodes", "");
    let edges = ask(client, "process_edges", "");
    let columns = edges["columns"].as_array().unwrap();
    let place = |name: &str| columns.iter().position(|column| column["name"] == name).unwrap();
    let (from, to) = (place("from_activity"), place("to_activity"));
    let step =
        edges["rows"].as_array().unwrap().iter().find(|row| row[from].is_string() && row[to].is_string()).unwrap();
    let filters = [
        format!("application={}", encoded(&application)),
        format!("application={}&application=nothing", encoded(&application)),
        format!("activity={}", encoded(&text(&first(&node, "activity")))),
        "event_type=copy&event_type=paste".into(),
        format!("case={}", text(&first(&ask(client, "cases", ""), "case"))),
        format!("session={}", text(&first(&ask(client, "sessions", ""), "session"))),
        format!("variant={}", encoded(&text(&first(&ask(client, "variants", ""), "variant")))),
        format!("edge_from={}&edge_to={}", encoded(&text(&step[from])), encoded(&text(&step[to]))),
        "from=2000-01-01&to=2100-01-01".into(),
        "from=2100-01-01".into(),
    ];
    let all = ask(client, "overview", "");
    let events = |answer: &Value| first(answer, "events").as_i64().unwrap();
    for filter in &filters {
        for name in names(client) {
            ask(client, &name, filter);
        }
        let some = events(&ask(client, "overview", filter));
        assert!(some <= events(&all), "{filter}");
        assert_eq!(some == 0, filter == "from=2100-01-01", "{filter} lets {some} events through");
    }
    // Each filter keeps what it names, and the parts make the whole.
    let applications = ask(client, "applications", "limit=10000");
    let sum: i64 = (0..applications["rows"].as_array().unwrap().len())
        .map(|row| {
            let name = text(&applications["rows"][row][0]);
            events(&ask(client, "overview", &format!("application={}", encoded(&name))))
        })
        .sum();
    assert_eq!(sum, events(&all));
    client.get(&format!("/projects/{SAMPLE}/analyses/overview?aplication=x")).expect(400);
    client.get(&format!("/projects/{SAMPLE}/analyses/nothing")).expect(404);
}

#[test]
fn an_answer_comes_in_pages_that_join_without_a_gap() {
    let client = sample_service();
    let whole = ask(client, "cases", "limit=10000");
    let total = whole["total"].as_u64().unwrap() as usize;
    let mut joined = Vec::new();
    while joined.len() < total {
        let page = ask(client, "cases", &format!("limit=37&offset={}", joined.len()));
        assert_eq!(page["total"], whole["total"]);
        joined.extend(page["rows"].as_array().unwrap().clone());
    }
    assert_eq!(&joined, whole["rows"].as_array().unwrap());
}

#[test]
fn an_answer_is_a_file_too() {
    let client = sample_service();
    for name in names(client) {
        let rows = ask(client, &name, "limit=10000")["total"].as_u64().unwrap() as usize;
        let csv = client.get(&format!("/projects/{SAMPLE}/analyses/{name}?format=csv"));
        assert_eq!(csv.status, 200);
        assert!(csv.head.contains(&format!("filename=\"{name}.csv\"")), "{}", csv.head);
        let records = csv::Reader::from_reader(csv.body.as_slice()).into_records().count();
        assert_eq!(records, rows, "{name}");
        let parquet = client.get(&format!("/projects/{SAMPLE}/analyses/{name}?format=parquet"));
        assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"), "{name}");
    }
    client.get(&format!("/projects/{SAMPLE}/analyses/cases?format=pdf")).expect(400);
}

/// A log of ten events of each person, who say which team they are of.
fn teams(sizes: &[(&str, usize)]) -> String {
    let mut log = String::from("user,ts,app,event,team\n");
    let people = sizes.iter().flat_map(|(team, people)| std::iter::repeat_n(*team, *people));
    for (person, team) in people.enumerate() {
        for second in 10..20 {
            log.push_str(&format!("user{person},2026-03-02T09:00:{second}Z,Chrome,clickButton,{team}\n"));
        }
    }
    log
}

#[test]
fn d6_tq8_a_few_people_are_not_told_by_subtraction() {
    let running = service();
    let client = running.client;
    let map = "user_name=user,time=ts,application=app,event_type=event,custom1=team";
    let shown = |name: &str, sizes: &[(&str, usize)], team: &str| {
        let project = name.to_lowercase();
        if !client.get("/projects").expect(200).to_string().contains(&format!("\"{project}\"")) {
            make_project(client, name, "enrolled");
            client.upload(&project, &format!("teams.csv&map={map}"), teams(sizes).as_bytes());
        }
        let answers = ["overview", "applications"].map(|analysis| {
            let answer = client.get(&format!("/projects/{project}/analyses/{analysis}?custom1={team}")).expect(200);
            let (total, suppressed) = (answer["total"].as_u64().unwrap(), answer["suppressed"].as_u64().unwrap());
            assert_eq!(total + suppressed, 1, "{answer}");
            total == 1
        });
        assert_eq!(answers[0], answers[1]);
        answers[0]
    };
    // Everybody less the six of sales would be the one of the workshop.
    assert!(!shown("Small", &[("sales", 6), ("workshop", 1)], "sales"));
    // Of two teams one may be seen: with both, the workshop would be left.
    let three = [("sales", 6), ("purchasing", 7), ("workshop", 2)];
    assert_eq!(["sales", "purchasing", "workshop"].map(|team| shown("Three", &three, team)), [false, true, false]);
    assert!(shown("Large", &[("sales", 6), ("yard", 5)], "sales") && shown("Large", &[], "yard"));
}

#[test]
fn d6_tq8_two_selections_that_differ_by_one_person_are_not_shown() {
    let running = service();
    let client = running.client;
    make_project(client, "Recorded", "enrolled");
    let mut log = String::from("user,ts,app,event\n");
    for (application, people) in [("Board", 10), ("Mail", 9), ("Ledger", 8), ("Letters", 7)] {
        for (person, second) in (0..people).flat_map(|person| (10..20).map(move |second| (person, second))) {
            log.push_str(&format!("user{person},2026-03-02T09:00:{second}Z,{application},clickButton\n"));
        }
    }
    let map = "user_name=user,time=ts,application=app,event_type=event";
    client.upload("recorded", &format!("ten.csv&map={map}"), log.as_bytes());
    let ask = |question: &str| client.get(&format!("/projects/recorded/analyses/{question}"));
    let refused = |question: &str, other: &str| {
        let error = ask(question).expect(409)["error"].clone();
        assert_eq!(error["code"], "one_person", "{question}: {error}");
        assert!(error["message"].as_str().unwrap().contains(other), "{question}: {error}");
    };
    refused("overview?application=Mail", "from everything");
    assert_eq!(ask("overview?application=Ledger").expect(200)["total"], 1);
    for question in ["overview?application=Letters", "applications?application=Letters&format=csv"] {
        refused(question, "what you were shown at");
    }
    for question in ["overview", "screens?application=Ledger", "overview?application=Board"] {
        ask(question).expect(200);
    }
}

#[test]
fn d6_rows_about_fewer_than_five_people_are_not_shown() {
    let running = service();
    let client = running.client;
    make_project(client, "Recorded", "enrolled");
    // Four people use Excel and Chrome, a fifth and sixth make six of Chrome only.
    let mut log = plain_log(0..4, 30);
    log.extend(
        plain_log(4..6, 30).lines().skip(1).filter(|line| line.contains("Chrome")).map(|line| format!("{line}\n")),
    );
    client.upload("recorded", "six.csv", log.as_bytes());
    let answer = |name: &str| client.get(&format!("/projects/recorded/analyses/{name}")).expect(200);
    let applications = answer("applications");
    let shown: Vec<_> = applications["rows"].as_array().unwrap().iter().map(|row| text(&row[0])).collect();
    assert_eq!((shown.len(), applications["suppressed"].as_i64()), (1, Some(1)), "{applications}");
    assert!(shown[0].contains("Chrome"), "{shown:?}");
    assert_eq!(answer("overview")["total"], 1, "six people are enough");
    // Single instances are no groups: they need the grant `raw` instead, which the demo's person has.
    for name in ["cases", "sessions", "time_line"] {
        assert!(answer(name)["total"].as_i64().unwrap() > 0, "{name}");
    }
    for format in ["csv", "parquet"] {
        let file = client.get(&format!("/projects/recorded/analyses/applications?format={format}"));
        assert!(!file.text().contains("Excel"), "the file shows what the page does not");
    }
}
