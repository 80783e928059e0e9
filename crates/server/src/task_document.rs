//! A task as something to hand on: a page to read and print, a model for other tools, a script for a robot to begin with.
//!
//! All three are made of the same answers that the pages show, so they hold no group that the pages would not show. They
//! stand alone: no script, no picture, no font is loaded from anywhere.

use discovery::models::{self, ProcessTree, Trace, mine, svg};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Share of a step's most frequent successor below which another one is left out of the model, as `lode discover` does.
pub const MODEL_NOISE: f64 = 0.2;

/// A row of an answer.
pub type Record = Map<String, Value>;

/// What is known of a task.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Name of the project.
    pub project: &'a str,
    /// The row of the question `automation`.
    pub figures: &'a Record,
    /// The rows of `task_steps`.
    pub steps: &'a [Record],
    /// The rows of `task_variants`.
    pub variants: &'a [Record],
    /// How the figures come about, in words.
    pub formula: &'a str,
    /// The day on which it is handed on.
    pub day: &'a str,
}

impl Task<'_> {
    fn name(&self) -> &str {
        text(self.figures, "name")
    }

    /// The model of all variants that may be shown, and what its activities are called.
    fn model(&self) -> (ProcessTree, Vec<&str>) {
        let (mut numbers, mut names) = (BTreeMap::<&str, u32>::new(), Vec::new());
        let mut traces: Vec<Trace> = Vec::new();
        for variant in self.variants {
            let steps = texts(variant, "steps").map(|step| {
                *numbers.entry(step).or_insert_with(|| {
                    names.push(step);
                    names.len() as u32 - 1
                })
            });
            traces.push((steps.collect(), variant["instances"].as_u64().unwrap_or(0) as usize));
        }
        (mine(&traces, MODEL_NOISE), names)
    }

    /// The steps of the script, in its order: the most usual order of steps, in which one may come several times.
    fn script_way(&self) -> Vec<&Record> {
        let places = |step: &Record| -> Vec<i64> {
            step.get("script_ranks").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64).collect()
        };
        let mut steps: Vec<(i64, &Record)> =
            self.steps.iter().flat_map(|step| places(step).into_iter().map(move |place| (place, step))).collect();
        steps.sort_by_key(|(place, _)| *place);
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// How the script fared in the recorded instances; every step says the same.
    fn replayed(&self) -> Replayed {
        let of = |name| self.steps.first().map_or(0, |step| count(step, name));
        Replayed { instances: of("replayed"), in_order: of("replayed_in_order"), exact: of("replayed_exactly") }
    }
}

/// Instances in which the script was followed, in which it does the same steps in the same order, and the same values too.
struct Replayed {
    instances: u64,
    in_order: u64,
    exact: u64,
}

/// In how many instances a step would have differed, and how: the columns, and words that come before the number.
const DIFFERENCES: [(&str, &str); 5] = [
    ("replay_missing", "not done by the script, or done less often"),
    ("replay_added", "done by the script alone"),
    ("replay_other_order", "at another place"),
    ("replay_other_value", "another value"),
    ("replay_unknown_value", "no rule gives the value"),
];

/// How a step would have differed; empty if it would not.
fn differences(step: &Record) -> String {
    let found = DIFFERENCES.iter().map(|(column, words)| (count(step, column), words));
    let told: Vec<String> = found
        .filter(|(instances, _)| *instances > 0)
        .map(|(instances, words)| format!("{words}: {instances}"))
        .collect();
    told.join(", ")
}

fn text<'a>(record: &'a Record, name: &str) -> &'a str {
    record.get(name).and_then(Value::as_str).unwrap_or("")
}

fn texts<'a>(record: &'a Record, name: &str) -> impl Iterator<Item = &'a str> {
    record.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn number(record: &Record, name: &str) -> f64 {
    record.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

fn count(record: &Record, name: &str) -> u64 {
    record.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// The model as BPMN 2.0.
pub fn bpmn(task: &Task) -> String {
    let (tree, names) = task.model();
    models::bpmn(&tree, task.name(), &|activity| names[activity as usize].to_owned())
}

/// A page that stands alone, to be read and printed.
pub fn html(task: &Task) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = write_html(&mut page, task);
    page
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1d22;background:#fff}\
h1{line-height:1.2}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:start;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #9996}\
.end{text-align:end}.note{color:#555b66;font-size:.9rem}.model{overflow-x:auto}dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1.5rem}dd{margin:0;font-weight:600}\
pre{white-space:pre-wrap;font:inherit}@media(prefers-color-scheme:dark){body{background:#16181d;color:#e8e8ea}.note{color:#a5abb6}}\
@media print{body{margin:0;max-width:none;color:#000;background:#fff}h2{break-after:avoid}tr,.model{break-inside:avoid}.model svg{max-width:100%;height:auto}}";

fn write_html(page: &mut String, task: &Task) -> std::fmt::Result {
    let name = safe(task.name());
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
    )?;
    writeln!(page, "<title>{name}</title><style>{STYLE}</style></head><body><h1>{name}</h1>")?;
    writeln!(
        page,
        "<p>A task that was found in recordings of the project “{}”, in {}: done {} times by {} {}. Written on {}.</p>",
        safe(task.project),
        safe(&texts(task.figures, "applications").collect::<Vec<_>>().join(", ")),
        task.figures["instances"],
        task.figures["users"],
        if task.figures["users"] == 1 { "person" } else { "people" },
        safe(task.day),
    )?;
    write_figures(page, task)?;
    write_steps(page, task)?;
    write_data_flow(page, task)?;
    write_replay(page, task)?;
    let (tree, names) = task.model();
    writeln!(
        page,
        "<h2>Model</h2><p class=\"note\">BPMN: circles are start and end, boxes steps, × one of the ways, + all of them. Made of {} orders of steps.</p>",
        task.variants.len()
    )?;
    writeln!(
        page,
        "<div class=\"model\">{}</div>",
        svg(&tree, task.name(), &|activity| names[activity as usize].to_owned())
    )?;
    writeln!(
        page,
        "<h2>What this is not</h2><p>It was learned from what people did, not from what they meant. Steps that were not recorded are not here, and a rule that held in all recorded instances may not hold in the next. Let somebody who does the task read it.</p></body></html>"
    )
}

fn write_figures(page: &mut String, task: &Task) -> std::fmt::Result {
    let figures = task.figures;
    let of = |name| number(figures, name);
    writeln!(page, "<h2>Figures</h2><dl>")?;
    let lines = [
        (
            "Steps a robot can do (RAI)",
            format!(
                "{} ({} of {} different steps)",
                percent(of("rai")),
                figures["automatable_steps"],
                figures["steps"]
            ),
        ),
        ("Determinism", percent(of("determinism"))),
        ("Exceptions", percent(of("exceptions"))),
        ("Active time, median", format!("{:.0} s", of("handling_p50_s"))),
        ("Instances per week", format!("{:.1}", of("instances_per_week"))),
        ("Minutes per week", format!("{:.1}", of("minutes_per_week"))),
        ("Potential, minutes per week", format!("{:.1}", of("potential_minutes_per_week"))),
    ];
    for (what, figure) in lines {
        writeln!(page, "<dt>{what}</dt><dd>{figure}</dd>")?;
    }
    writeln!(page, "</dl><pre class=\"note\">{}</pre>", safe(task.formula))
}

fn write_steps(page: &mut String, task: &Task) -> std::fmt::Result {
    writeln!(
        page,
        "<h2>Steps</h2><p class=\"note\">In the order in which they usually come. “Usual” steps are those of the most frequent order.</p>"
    )?;
    writeln!(
        page,
        "<table><thead><tr><th>Step</th><th>In</th><th class=\"end\">Instances</th><th>Usual</th><th>A robot can do it</th></tr></thead><tbody>"
    )?;
    for step in task.steps {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"end\">{}</td><td>{}</td><td>{}</td></tr>",
            safe(text(step, "activity")),
            safe(text(step, "application")),
            step["cases"],
            if step["happy_path_rank"].is_number() { "yes" } else { "" },
            safe(&verdict(step)),
        )?;
    }
    writeln!(page, "</tbody></table>")
}

/// Whether a robot can do a step, and why.
fn verdict(step: &Record) -> String {
    let place = match text(step, "target") {
        "progression" => format!("the element’s number changes by {} each time", step["target_by"]),
        "same" => "always the same element".to_owned(),
        _ => "the element changes by no rule".to_owned(),
    };
    match text(step, "verdict") {
        "known" => format!("yes: {place}"),
        "explained" => format!("yes: {place}, the value follows a rule"),
        "value_unknown" => "no: nothing explains the value".to_owned(),
        _ => format!("no: {place}"),
    }
}

fn write_data_flow(page: &mut String, task: &Task) -> std::fmt::Result {
    writeln!(page, "<h2>Data flow</h2>")?;
    if task.steps.iter().all(|step| text(step, "rule").is_empty()) {
        return writeln!(page, "<p>No value that is written is explained by values read before.</p>");
    }
    writeln!(page, "<p class=\"note\">Rules were learned from half of the instances and tried on the other half.</p>")?;
    writeln!(
        page,
        "<table><thead><tr><th>What is written</th><th>How it is made</th><th class=\"end\">Right in</th></tr></thead><tbody>"
    )?;
    for step in task.steps.iter().filter(|step| !text(step, "rule").is_empty()) {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"end\">{} of {}</td></tr>",
            safe(text(step, "activity")),
            safe(text(step, "rule")),
            percent(number(step, "hit_rate")),
            step["held_back"],
        )?;
    }
    writeln!(page, "</tbody></table>")
}

/// Where the script would have differed from what people did.
fn write_replay(page: &mut String, task: &Task) -> std::fmt::Result {
    let Replayed { instances, in_order, exact } = task.replayed();
    writeln!(
        page,
        "<h2>Replay</h2><p>The script that can be taken away was followed in {instances} recorded instances. In {in_order} it does the same steps in the same order, in {exact} it also writes the same values without being given one.</p>"
    )?;
    let differing: Vec<(&Record, String)> = task.steps.iter().map(|step| (step, differences(step))).collect();
    if differing.iter().all(|(_, told)| told.is_empty()) {
        return writeln!(page, "<p>No step would have differed.</p>");
    }
    writeln!(
        page,
        "<p class=\"note\">In how many instances a step would have differed. The script does the most usual order of steps; of a field that is written several times the last time counts. On which element a step is done is not compared: the steps above say whether that is known.</p>"
    )?;
    writeln!(
        page,
        "<table><thead><tr><th>Step</th><th class=\"end\">The same in</th><th>Different in</th></tr></thead><tbody>"
    )?;
    for (step, told) in differing.iter().filter(|(_, told)| !told.is_empty()) {
        writeln!(
            page,
            "<tr><td>{}</td><td class=\"end\">{}</td><td>{}</td></tr>",
            safe(text(step, "activity")),
            count(step, "replay_same"),
            safe(told),
        )?;
    }
    writeln!(page, "</tbody></table>")
}

/// Text as it may stand in a page.
pub fn safe(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A script for the browser steps of the usual way, as a beginning: it says where a person has to write the rest.
pub fn playwright(task: &Task) -> String {
    let mut script = String::new();
    // Writing to a string cannot fail.
    let _ = write_script(&mut script, task);
    script
}

fn write_script(script: &mut String, task: &Task) -> std::fmt::Result {
    let way = task.script_way();
    writeln!(
        script,
        "// {}: a beginning for a robot, made by Lode on {} from {} recorded instances.",
        line(task.name()),
        line(task.day),
        task.figures["instances"]
    )?;
    writeln!(
        script,
        "// It does the browser steps of the most usual order. It was never run in a browser: check every selector and value first,"
    )?;
    writeln!(
        script,
        "// on a copy of the system. Steps in other programs only say which values they bring; give these as records.json,"
    )?;
    writeln!(script, "// a list with one object per instance, such as {}.", example_record(&way))?;
    write_replay_comment(script, task)?;
    writeln!(
        script,
        "// Run: npm install @playwright/test && npx playwright install chromium && npx playwright test task.spec.mjs"
    )?;
    writeln!(script, "import {{ readFileSync }} from 'node:fs';\nimport {{ test }} from '@playwright/test';\n")?;
    writeln!(script, "const records = JSON.parse(readFileSync(process.env.RECORDS ?? 'records.json', 'utf8'));\n")?;
    writeln!(script, "for (const [number, record] of records.entries()) {{")?;
    writeln!(script, "  test({} + ` ${{number + 1}}`, async ({{ page }}) => {{", quoted(task.name()))?;
    writeln!(script, "    const values = {{}};")?;
    if let Some(address) = way.iter().map(|step| text(step, "address")).find(|address| address.starts_with("http")) {
        writeln!(script, "    await page.goto({});", quoted(address))?;
    }
    for (at, step) in way.iter().enumerate() {
        write_action(script, step, &way, times(&way[..at], step))?;
    }
    writeln!(script, "  }});\n}}")
}

/// How the script fared where it was followed on paper, and what it lacks.
fn write_replay_comment(script: &mut String, task: &Task) -> std::fmt::Result {
    let Replayed { instances, in_order, exact } = task.replayed();
    writeln!(
        script,
        "// Followed in {instances} recorded instances, without a browser, it does the same steps in the same order in {in_order}, and in {exact} it also"
    )?;
    writeln!(
        script,
        "// writes the same values without being given one. In how many it would have differed, by step:"
    )?;
    for step in task.steps {
        let told = differences(step);
        if !told.is_empty() {
            writeln!(script, "//   {}: {told}", line(text(step, "activity")))?;
        }
    }
    if task.steps.iter().any(|step| text(step, "script").starts_with("new Map(")) {
        writeln!(
            script,
            "// A Map has the values that enough people wrote: complete it. What is not in it stops the script."
        )?;
    }
    Ok(())
}

/// What the values of other programs look like.
fn example_record(way: &[&Record]) -> String {
    let read: Map<String, Value> = way
        .iter()
        .filter(|step| !in_browser(step) && brings(step, way))
        .map(|step| {
            let value = match times(way, step) {
                1 => Value::from("…"),
                several => Value::from(vec!["…"; several]),
            };
            (text(step, "activity").to_owned(), value)
        })
        .collect();
    Value::Object(read).to_string()
}

/// How often a step comes in a way, or in a part of it.
fn times(way: &[&Record], step: &Record) -> usize {
    way.iter().filter(|other| text(other, "activity") == text(step, "activity")).count()
}

fn in_browser(step: &Record) -> bool {
    text(step, "address").starts_with("http")
}

fn reads(step: &Record) -> bool {
    let word = text(step, "event_type").to_ascii_lowercase();
    word.starts_with("copy") || word.starts_with("cut")
}

/// Whether a step outside of a browser has a value that the script needs.
fn brings(step: &Record, way: &[&Record]) -> bool {
    reads(step) || way.iter().any(|other| texts(other, "reads").any(|read| read == text(step, "activity")))
}

/// A step that has come `before` times already.
fn write_action(script: &mut String, step: &Record, way: &[&Record], before: usize) -> std::fmt::Result {
    let activity = text(step, "activity");
    writeln!(script, "\n    // {} ({})", line(activity), line(text(step, "application")))?;
    let name = quoted(activity);
    if !in_browser(step) && brings(step, way) {
        // A step that comes several times has a list in the record.
        let which = if times(way, step) > 1 { format!("[{before}]") } else { String::new() };
        return writeln!(script, "    values[{name}] = record[{name}]{which};");
    }
    if !in_browser(step) {
        return writeln!(script, "    // Not in a browser: nothing is done here.");
    }
    let element = locator(step);
    let word = text(step, "event_type").to_ascii_lowercase();
    if reads(step) {
        return writeln!(script, "    values[{name}] = await {element}.inputValue();");
    }
    if ["edit", "text", "paste", "element_changed", "change", "select"].iter().any(|begin| word.starts_with(begin)) {
        let rule = text(step, "script");
        if rule.is_empty() {
            writeln!(script, "    // Nothing explains this value: write here where it comes from.")?;
            writeln!(script, "    values[{name}] = record[{name}] ?? '';")?;
            return writeln!(script, "    await {element}.fill(values[{name}]);");
        }
        writeln!(
            script,
            "    // The rule was right in {} of the instances held back.",
            percent(number(step, "hit_rate"))
        )?;
        writeln!(script, "    values[{name}] = {rule};")?;
        return writeln!(script, "    await {element}.fill(values[{name}]);");
    }
    writeln!(script, "    await {element}.click();")
}

fn locator(step: &Record) -> String {
    let (element, label) = (text(step, "element"), text(step, "label"));
    if !element.is_empty() {
        let id = element.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("page.locator({})", quoted(&format!("[id=\"{id}\"], [name=\"{id}\"]")));
    }
    format!("page.getByText({})", quoted(label))
}

/// A text as a string of JavaScript.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A text that stays in its comment.
fn line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() || "\u{2028}\u{2029}".contains(letter) { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(value: Value) -> Record {
        value.as_object().unwrap().clone()
    }

    /// A task of three steps, with names that would break out of a page or a script.
    fn with_task<T>(look: impl Fn(&Task) -> T) -> T {
        let figures = record(json!({
            "name": "Enter <orders> \"fast\"\nalert(1)", "users": 6, "instances": 12, "applications": ["Excel", "Chrome"],
            "rai": 2.0 / 3.0, "automatable_steps": 2, "steps": 3, "determinism": 1.0, "exceptions": 0.0,
            "handling_p50_s": 60.0, "instances_per_week": 12.0, "minutes_per_week": 12.0, "potential_minutes_per_week": 8.0,
        }));
        let steps = [
            json!({ "activity": "Copy column A", "application": "Excel", "event_type": "copy", "element": "A2", "cases": 12,
                "happy_path_rank": 1, "script_ranks": [1], "replayed": 12, "replayed_in_order": 11, "replayed_exactly": 9, "replay_same": 12, "target": "progression", "target_by": 1, "verdict": "known" }),
            json!({ "activity": "Enter name", "application": "Chrome", "event_type": "editField", "element": "na\"me",
                "address": "https://crm.example/order", "cases": 12, "happy_path_rank": 2, "script_ranks": [2, 3], "target": "same", "target_by": null,
                "replay_same": 9, "replay_other_value": 2, "replay_unknown_value": 1, "replay_missing": 0,
                "verdict": "explained", "rule": "the value of “Copy column A”", "script": "values[\"Copy column A\"]",
                "hit_rate": 1.0, "held_back": 6 }),
            json!({ "activity": "Click Save", "application": "Chrome", "event_type": "clickButton", "element": "save",
                "address": "https://crm.example/order", "cases": 11, "happy_path_rank": null, "script_ranks": [], "target": "varies", "target_by": null,
                "replay_same": 11, "replay_missing": 1,
                "verdict": "target_unknown" }),
        ]
        .map(record);
        let variants = [record(json!({ "steps": ["Copy column A", "Enter name", "Click Save"], "instances": 12 }))];
        look(&Task {
            project: "Orders",
            figures: &figures,
            steps: &steps,
            variants: &variants,
            formula: "RAI = a ÷ b",
            day: "2026-01-05",
        })
    }

    #[test]
    fn a_page_tells_steps_figures_rules_and_model_and_loads_nothing() {
        let page = with_task(html);
        for told in [
            "Enter &lt;orders&gt;",
            "67 % (2 of 3",
            "the value of “Copy column A”",
            "100 % of 6",
            "RAI = a ÷ b",
            "<svg",
            "changes by 1 each time",
            "followed in 12 recorded instances. In 11 it does",
            "<td class=\"end\">9</td><td>another value: 2, no rule gives the value: 1</td>",
        ] {
            assert!(page.contains(told), "{told} is missing:\n{page}");
        }
        assert!(!page.contains("<orders") && !page.contains("<script") && !page.contains("src="), "{page}");
    }

    #[test]
    fn a_model_has_the_steps_as_tasks() {
        let model = with_task(bpmn);
        assert_eq!(model.matches("<bpmn:task ").count(), 3, "{model}");
    }

    #[test]
    fn a_script_reads_records_fills_fields_and_no_name_breaks_out_of_it() {
        let script = with_task(playwright);
        for told in [
            "values[\"Copy column A\"] = record[\"Copy column A\"];",
            "await page.goto(\"https://crm.example/order\");",
            "[id=\\\"na\\\\\\\"me\\\"]",
            "values[\"Enter name\"] = values[\"Copy column A\"];",
            ".fill(values[\"Enter name\"]);",
            "//   Enter name: another value: 2, no rule gives the value: 1",
            "in 9 it also",
            "such as {\"Copy column A\":\"…\"}",
        ] {
            assert!(script.contains(told), "{told} is missing:\n{script}");
        }
        assert!(!script.lines().any(|line| line.starts_with("alert")), "{script}");
        assert_eq!(script.matches("values[\"Enter name\"] = ").count(), 2, "a step that comes twice:\n{script}");
        let done = script.lines().filter(|line| !line.starts_with("//"));
        assert!(!done.collect::<String>().contains("Click Save"), "a step that is not usual:\n{script}");
    }

    #[test]
    fn a_value_that_a_table_is_read_with_is_kept_and_the_table_said_to_be_incomplete() {
        let figures = record(json!({ "name": "Orders", "instances": 12 }));
        let typed = |activity: &str, rank: u32, more: Value| {
            let mut step = record(json!({
                "activity": activity, "application": "Sap", "event_type": "text_entered", "element": activity, "script_ranks": [rank],
            }));
            step.extend(record(more));
            step
        };
        let town = json!({ "address": "https://crm.example", "reads": ["code"], "rule": "looked up", "script": "new Map([]).get(values[\"code\"])" });
        let steps = [typed("code", 1, json!({})), typed("note", 2, json!({})), typed("town", 3, town)];
        let task =
            Task { project: "p", figures: &figures, steps: &steps, variants: &[], formula: "", day: "2026-01-05" };
        let script = playwright(&task);
        for told in [
            "    values[\"code\"] = record[\"code\"];",
            "    values[\"town\"] = new Map([]).get(values[\"code\"]);",
            "// A Map has",
            "such as {\"code\":\"…\"}",
        ] {
            assert!(script.contains(told), "{told} is missing:\n{script}");
        }
        assert!(!script.contains("values[\"note\"]"), "{script}");
        let mut twice = steps.clone();
        twice[0].insert("script_ranks".to_owned(), json!([1, 4]));
        let script = playwright(&Task { steps: &twice, ..task });
        for told in ["= record[\"code\"][0];", "= record[\"code\"][1];", "such as {\"code\":[\"…\",\"…\"]}"] {
            assert!(script.contains(told), "{told} is missing:\n{script}");
        }
    }
}
