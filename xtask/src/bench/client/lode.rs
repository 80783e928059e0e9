//! Lode's own client as a candidate: enrolled at a real service, recording in the editor, sending what it records.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::desktop::{Children, Desktop, quiet, said, until};
use super::http;
use super::load::Done;
use super::watched::{Arrived, Part, Watcher};
use crate::command;
use crate::test::Service;

/// One client, recording.
pub struct Lode<'a> {
    service: &'a Service,
    desktop: &'a Desktop,
    program: PathBuf,
    data: PathBuf,
    project: String,
    process: u32,
    _children: Children,
}

impl<'a> Lode<'a> {
    /// Makes a project, enrols, says yes, and waits until it records.
    ///
    /// Errors: one of these steps; what the client says is in `agent.log` beside its data.
    pub fn start(desktop: &'a Desktop, service: &'a Service, program: &Path, pictures: bool) -> Result<Self> {
        let name = if pictures { "lode-pictures" } else { "lode" };
        let project = ask(service, "POST", "/projects", &json!({ "name": name, "kind": "enrolled" }))?;
        let text = |value: &Value, member: &str| -> Result<String> {
            Ok(value[member].as_str().with_context(|| format!("the service's answer has no {member}"))?.to_owned())
        };
        let (slug, id) = (text(&project, "slug")?, text(&project, "id")?);
        let publish = json!({ "xml": configuration(&id, pictures)?, "note": "", "percent": 100 });
        ask(service, "POST", &format!("/projects/{slug}/configuration/publish"), &publish)?;
        let key = ask(service, "POST", &format!("/projects/{slug}/app-keys"), &json!({ "name": "bench" }))?;
        let data = desktop.folder.join(name);
        let program = program.to_owned();
        let mut lode =
            Self { service, desktop, program, data, project: slug, process: 0, _children: Children::default() };
        lode.tell(&["enroll", "--server", service.url.trim_end_matches('/'), "--key", &text(&key, "key")?])?;
        let mut run = quiet(lode.command(&["run", "--backend", "x11", "--no-dialog"])?);
        run.stderr(said(&desktop.folder.join(format!("{name}.log")))?);
        lode.process = lode._children.start(&mut run)?;
        lode.until_state("needs_consent")?;
        lode.tell(&["consent", "accept"])?;
        lode.until_state("recording")?;
        Ok(lode)
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = self.desktop.bound(&self.program)?;
        command.arg("--data").arg(&self.data).args(arguments);
        Ok(command)
    }

    fn tell(&self, arguments: &[&str]) -> Result<String> {
        command::ask(&mut self.command(arguments)?).with_context(|| format!("lode-agent {} failed", arguments[0]))
    }

    /// Also of a client that does not record yet.
    fn status(&self) -> Option<Value> {
        let output = self.command(&["status", "--json"]).ok()?.output().ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    fn until_state(&self, state: &str) -> Result<Value> {
        let came = until(&format!("state {state}"), || self.status().filter(|status| status["state"] == state));
        came.with_context(|| self.status().map_or("the client does not answer".into(), |status| status.to_string()))
    }

    /// Sums of the service's table, by type of event: events, text, notches.
    fn sums(&self) -> Result<Vec<(String, [u64; 3])>> {
        const SQL: &str = "SELECT event_type, COUNT(*), COALESCE(SUM(text_length), 0), COALESCE(SUM(wheel_units), 0) \
                           FROM events GROUP BY event_type";
        let answer = ask(self.service, "POST", &format!("/projects/{}/query", self.project), &json!({ "sql": SQL }))?;
        let rows = answer["rows"].as_array().context("the answer has no rows")?;
        let number = |cell: &Value| cell.as_u64().or_else(|| cell.as_str()?.parse().ok()).unwrap_or(0);
        Ok(rows
            .iter()
            .map(|row| (row[0].as_str().unwrap_or_default().to_owned(), [1, 2, 3].map(|column| number(&row[column]))))
            .collect())
    }
}

impl Watcher for Lode<'_> {
    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "lode-agent", process: self.process }]
    }

    fn version(&self) -> String {
        self.status().and_then(|status| Some(status["version"].as_str()?.to_owned())).unwrap_or_default()
    }

    fn folder(&self) -> PathBuf {
        self.data.clone()
    }

    /// Counted in the service, after everything was sent.
    fn arrived(&self, done: Done) -> Result<Arrived> {
        self.tell(&["send-now"])?;
        until("everything is sent", || self.status().filter(|status| status["counters"]["waiting"] == 0))?;
        let stored = self.status().map_or(0, |status| status["counters"]["stored"].as_u64().unwrap_or(0));
        let all = |sums: &[(String, [u64; 3])]| sums.iter().map(|(_, [events, ..])| events).sum::<u64>();
        let sums =
            until("what was sent is in the service's table", || self.sums().ok().filter(|sums| all(sums) >= stored))?;
        let of = |name: &str| sums.iter().find(|(each, _)| each == name).map_or([0; 3], |(_, sums)| *sums);
        let status = self.status().context("the client does not answer")?;
        let counters = &status["counters"];
        let balance = ask(self.service, "GET", &format!("/projects/{}/balance", self.project), &Value::Null)?;
        let [clicks, doubled] = ["left_click", "double_click"].map(|name| of(name)[0]);
        Ok(Arrived {
            kinds: vec![
                ("letters", done.letters, of("text_entered")[1]),
                ("commands", done.commands, of("key_command")[0] + of("cut")[0]),
                ("clicks", done.clicks, clicks + 2 * doubled),
                ("notches", done.notches, of("scroll")[2]),
                // The first change finds the editor in front already; so did the client, when recording began, and told it.
                ("switches", done.switches, of("window_activated")[0]),
            ],
            records: stored,
            notes: vec![
                format!("raw events whose fate is told: {}, missing: {}", counters["captured"], difference(counters)),
                format!("lost by the service's balance: {}; dropped: {}", balance["lost"], counters["dropped"]),
                format!("left out by the gate: {}", counters["filtered"]),
                format!("pictures: {}", counters["pictures"]),
            ],
        })
    }
}

/// What is missing of the client's sum without a reason: 0, or there is a bug.
pub fn difference(counters: &Value) -> i64 {
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let sum = |map: &Value| map.as_object().into_iter().flatten().map(|(_, count)| number(count)).sum::<i64>();
    let fates = ["stored", "waiting", "refused", "erased", "merged"].map(|name| number(&counters[name]));
    number(&counters["captured"])
        - fates.into_iter().sum::<i64>()
        - sum(&counters["filtered"])
        - sum(&counters["dropped"])
}

/// Allows the editor, with everything but typed text; sends as often as the defaults say, without holding back.
///
/// Errors: the system does not tell the date in a month.
pub fn configuration(project: &str, pictures: bool) -> Result<String> {
    let mut date = command::program("date");
    let in_a_month = command::ask(date.args(["--utc", "--date", "30 days", "+%Y-%m-%dT%H:%M:%SZ"]));
    let valid_until = in_a_month.context("date failed")?;
    let (screenshots, pictured, screenshot) = if pictures {
        (
            r#"<screenshots enabled="true" maskText="page"/>"#,
            r#"<pictures lang="en">And pictures.</pictures>"#,
            r#" screenshot="window""#,
        )
    } else {
        ("", "", "")
    };
    Ok(format!(
        r#"<lodeConfig schema="1" project="{project}" revision="1" validUntil="{valid_until}">
          <consent version="1"><text lang="en">A measurement.</text>{pictured}</consent>
          <schedule><window days="mon-sun" from="00:00" to="24:00"/></schedule>
          <allow><app process="mousepad"/></allow>{screenshots}
          <rules><rule name="work"><on events="all"/><log columns="all"{screenshot}/></rule></rules>
          <upload hold="PT0S"/>
        </lodeConfig>"#
    ))
}

/// A request to the service below `/api/v1`.
fn ask(service: &Service, method: &str, path: &str, body: &Value) -> Result<Value> {
    let address = service.url.trim_start_matches("http://").trim_end_matches(['/', '.', ',']);
    http::ask(address, method, &format!("/api/v1{path}"), body)
}
