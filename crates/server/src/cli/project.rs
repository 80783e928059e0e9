//! `lode project`: list, make, set, name things, members, look after the files, take away.

use super::member::MemberCommand;
use super::remote::Remote;
use super::sql::read_text;
use super::{ExitKind, print};
use crate::importing;
use crate::jobs::runner::now_us;
use crate::labels;
use anyhow::{Result, bail};
use chrono::{Days, Utc};
use clap::{Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};
use store::Store;
use store::control::projects::{CaseRule, ProjectKind};

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Every project
    List,
    /// Make a project
    Create {
        /// Its name
        name: String,
        /// Where its events will come from
        #[arg(long, value_enum, default_value_t = Kind::Imported)]
        kind: Kind,
    },
    /// Set what a case is
    Set {
        /// The project
        project: String,
        /// auto, session, case_id or activities
        #[arg(long, value_enum)]
        case_rule: Rule,
        /// With activities: the one that opens a case
        #[arg(long)]
        start: Option<String>,
        /// With activities: the one that closes it; one of the two is needed
        #[arg(long)]
        end: Option<String>,
    },
    /// Replace the project's labelling rules by a TOML file, or - for standard input
    Labels {
        /// The project
        project: String,
        /// The rules
        file: String,
    },
    /// Merge small files of the event table
    Compact {
        /// The project
        project: String,
    },
    /// Remove events older than so many days
    Retire {
        /// The project
        project: String,
        /// Days to keep
        #[arg(long)]
        days: u64,
    },
    /// Remove every event of a person, and every table made from them
    Erase {
        /// The project
        project: String,
        /// The person's name as the logs have it
        #[arg(long)]
        user: String,
    },
    /// Who belongs to a project: list, put, remove
    #[command(subcommand)]
    Member(MemberCommand),
    /// Remove a project and all its data
    Delete {
        /// The project
        project: String,
        /// Say that you mean it
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Logs brought along; groups of one person may be shown, with a banner
    Imported,
    /// Desktops that are recorded; groups of five at least
    Enrolled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Rule {
    /// The imported case id where there is one, else the session
    Auto,
    /// One unbroken stretch of work
    Session,
    /// The imported case id only
    CaseId,
    /// From a start activity to an end activity
    Activities,
}

impl ProjectCommand {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let control = store.control();
        match self {
            Self::List => {
                let mut projects = Vec::new();
                for project in control.projects().await? {
                    let events = control
                        .tables(&project.id)
                        .await?
                        .iter()
                        .find(|table| table.name == "events")
                        .map_or(0, |table| table.rows);
                    projects.push(json!({ "name": project.name, "slug": project.slug, "kind": project.kind, "min_group_size": project.min_group_size, "events": events }));
                }
                print(as_json, &json!({ "projects": projects }), || lines(&projects));
            }
            Self::Create { name, kind } => {
                let project = control.create_project(&name, kind.into(), now_us()).await?;
                print(as_json, &json!({ "id": project.id, "slug": project.slug }), || project.slug.clone());
            }
            Self::Set { project, case_rule, start, end } => {
                let project = control.project(&project).await?;
                let rule = match case_rule {
                    Rule::Auto => CaseRule::Auto,
                    Rule::Session => CaseRule::Session,
                    Rule::CaseId => CaseRule::CaseId,
                    Rule::Activities if start.is_none() && end.is_none() => {
                        bail!("a rule of activities needs --start, --end or both")
                    }
                    Rule::Activities => CaseRule::Activities { start_activity: start, end_activity: end },
                };
                control.update_project(&project.id, &project.name, &rule).await?;
                told(as_json, &project.slug);
            }
            Self::Labels { project, file } => {
                let project = control.project(&project).await?;
                let rules = read_text(&file)?;
                labels::parse(&rules)?;
                control.put_label_rules(&project.id, &rules).await?;
                told(as_json, &project.slug);
            }
            Self::Member(command) => return command.run(store, as_json).await,
            Self::Compact { project } => rewritten(as_json, store.compact(&project, now_us()).await?),
            Self::Retire { project, days } => {
                let cutoff = Utc::now().checked_sub_days(Days::new(days));
                let cutoff_us = cutoff.map_or(i64::MIN, |cutoff| cutoff.timestamp_micros());
                rewritten(as_json, store.retire(&project, cutoff_us, now_us()).await?);
            }
            Self::Erase { project, user } => {
                let done = store.erase_user(&project, &user, now_us()).await?;
                importing::forget_rejects(store, &control.project(&project).await?.id).await?;
                rewritten(as_json, done);
            }
            Self::Delete { project, yes } => {
                let project = control.project(&project).await?;
                if !yes {
                    bail!("this removes '{}' and all its data for good; say --yes if you mean it", project.name);
                }
                importing::forget_rejects(store, &project.id).await?;
                store.delete_project(&project.id).await?;
            }
        }
        store.leave_no_trace().await?;
        Ok(ExitKind::Done)
    }

    /// Listing and making projects at a service; the rest looks after files, or is done on the service's pages.
    pub async fn run_at(self, remote: &Remote, as_json: bool) -> Result<ExitKind> {
        match self {
            Self::List => {
                let listed = remote.json(Method::GET, "/projects", None).await?;
                print(as_json, &listed, || lines(listed["projects"].as_array().map_or(&[], Vec::as_slice)));
            }
            Self::Create { name, kind } => {
                let new = json!({ "name": name, "kind": ProjectKind::from(kind) });
                let made = remote.json(Method::POST, "/projects", Some(&new)).await?;
                print(as_json, &made, || made["slug"].as_str().unwrap_or_default().to_owned());
            }
            _ => bail!(
                "at a service, projects are listed and made here; its pages do the rest, or leave --server and LODE_SERVER out"
            ),
        }
        Ok(ExitKind::Done)
    }
}

impl From<Kind> for ProjectKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Imported => Self::Imported,
            Kind::Enrolled => Self::Enrolled,
        }
    }
}

/// Projects, one in a line.
fn lines(projects: &[Value]) -> String {
    let row = |project: &Value| {
        format!(
            "{:30} {:>12} events  {}",
            project["slug"].as_str().unwrap_or(""),
            project["events"],
            project["name"].as_str().unwrap_or("")
        )
    };
    if projects.is_empty() {
        return "There is no project yet; make one with: lode import FILE --project NAME".into();
    }
    projects.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// After a change that makes tables stale.
fn told(as_json: bool, slug: &str) {
    print(as_json, &json!({ "project": slug }), || {
        format!("Kept; bring the tables up to date with: lode job run --project {slug}")
    });
}

fn rewritten(as_json: bool, done: store::upkeep::Rewritten) {
    let value = json!({ "files_before": done.files_before, "files_after": done.files_after, "rows_removed": done.rows_removed });
    print(as_json, &value, || {
        format!("{} files became {}; {} rows removed", done.files_before, done.files_after, done.rows_removed)
    });
}
