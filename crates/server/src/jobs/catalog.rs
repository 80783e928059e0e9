//! The jobs of a project: what Lode ships, what the project changed, in the order in which they can run.

use super::head::{self, Head};
use include_dir::{Dir, include_dir};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use store::Position;
use store::columns::EVENTS;
use store::control::jobs::JobOverride;
use store::engine::Author;
use store::snapshot::View;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../jobs");

/// Names a folder of the form of `jobs/` that is used instead of the jobs that ship.
pub const FOLDER_VARIABLE: &str = "LODE_JOBS";

/// Folders of shipped jobs, in the order of the data.
const LAYERS: [(&str, Layer); 3] =
    [("staging", Layer::Staging), ("intermediate", Layer::Intermediate), ("marts", Layer::Mart)];

/// Where a table stands between raw events and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Renamed and cleaned.
    Staging,
    /// Given meaning.
    Intermediate,
    /// Answers a question.
    Mart,
    /// A project's own.
    Custom,
    /// No job's: somebody brought it along.
    Uploaded,
}

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Shipped with Lode.
    BuiltIn,
    /// Shipped, with the project's own text.
    Replaced,
    /// The project's own.
    Custom,
}

impl Origin {
    /// Who wrote the text.
    pub fn author(self) -> Author {
        if self == Self::BuiltIn { Author::Lode } else { Author::Person }
    }
}

/// When a job runs by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// When new data arrives.
    OnData,
    /// Only by hand.
    Manual,
    /// At the times of a cron expression, in UTC.
    Cron(String),
}

impl Schedule {
    /// Reads `on-data`, `manual` or a cron expression.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "on-data" | "" => Ok(Self::OnData),
            "manual" => Ok(Self::Manual),
            cron => match cron.parse::<croner::Cron>() {
                Ok(_) => Ok(Self::Cron(cron.to_owned())),
                Err(error) => Err(format!("'{cron}' is neither on-data, manual nor a cron expression: {error}")),
            },
        }
    }

    /// The text it is written as.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OnData => "on-data",
            Self::Manual => "manual",
            Self::Cron(cron) => cron,
        }
    }
}

/// One job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Name of the job and of its table.
    pub name: String,
    /// Where its table stands.
    pub layer: Layer,
    /// Whose text it is.
    pub origin: Origin,
    /// Whether it runs.
    pub enabled: bool,
    /// When it runs.
    pub schedule: Schedule,
    /// Its text, head and all.
    pub text: String,
    /// What the head says.
    pub head: Head,
}

/// What is wrong with a job or with how jobs fit together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("job '{job}': {message}")]
pub struct CatalogError {
    /// The job.
    pub job: String,
    /// What, and what to do.
    pub message: String,
    /// Where in its text.
    pub position: Option<Position>,
}

/// The jobs of one project in the order in which they can run.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Each job after those it reads.
    pub jobs: Vec<Job>,
}

impl Catalog {
    /// Puts shipped jobs and a project's overrides together.
    ///
    /// Errors: a head that cannot be read, a table nobody makes, a circle of jobs that read each other.
    pub fn new(overrides: &[JobOverride]) -> Result<Self, CatalogError> {
        let mut jobs = shipped()?;
        for own in overrides {
            let found = jobs.iter_mut().find(|job| job.name == own.name);
            let schedule = Schedule::parse(own.schedule.as_deref().unwrap_or("on-data"))
                .map_err(|message| CatalogError { job: own.name.clone(), message, position: None })?;
            match (found, &own.text) {
                (Some(job), text) => {
                    job.enabled = own.enabled;
                    job.schedule = schedule;
                    if let Some(text) = text {
                        job.head = read_head(&own.name, text)?;
                        job.text = text.clone();
                        job.origin = Origin::Replaced;
                    }
                }
                (None, Some(text)) => jobs.push(Job {
                    name: own.name.clone(),
                    layer: Layer::Custom,
                    origin: Origin::Custom,
                    enabled: own.enabled,
                    schedule,
                    head: read_head(&own.name, text)?,
                    text: text.clone(),
                }),
                (None, None) => {}
            }
        }
        Ok(Self { jobs: in_order(jobs)? })
    }

    /// The job of this name.
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }

    /// Views that are switched on, each after those it reads.
    pub fn views(&self) -> Vec<View> {
        self.jobs
            .iter()
            .filter(|job| job.enabled && job.head.view)
            .map(|job| View { name: job.name.clone(), author: job.origin.author(), sql: job.text.clone() })
            .collect()
    }

    /// The stored tables that a job reads, looking through views, and the text of those views.
    pub fn stored_reads(&self, job: &Job) -> (Vec<String>, String) {
        let (mut tables, mut through) = (Vec::new(), String::new());
        for name in &job.head.reads {
            match self.job(name).filter(|read| read.head.view) {
                Some(view) => {
                    let (below, text) = self.stored_reads(view);
                    tables.extend(below);
                    through.push_str(&view.text);
                    through.push_str(&text);
                }
                None => tables.push(name.clone()),
            }
        }
        let mut seen = BTreeSet::new();
        tables.retain(|name| seen.insert(name.clone()));
        (tables, through)
    }

    /// Names of the tables and views that are read by who `reads` these, looking through views.
    pub fn readable(&self, reads: &[String]) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = reads.iter().cloned().collect();
        // Each view stands after those it reads.
        for view in self.jobs.iter().rev().filter(|view| view.head.view) {
            if names.contains(&view.name) {
                names.extend(view.head.reads.iter().cloned());
            }
        }
        names
    }

    /// Names of the jobs that read `name`, directly or through others.
    pub fn dependents(&self, name: &str) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for job in &self.jobs {
            if job.head.reads.iter().any(|read| read == name || found.contains(read)) {
                found.insert(job.name.clone());
            }
        }
        found
    }
}

fn shipped() -> Result<Vec<Job>, CatalogError> {
    let mut jobs = Vec::new();
    for (folder, layer) in LAYERS {
        for (name, text) in texts(folder) {
            let head = read_head(&name, &text)?;
            jobs.push(Job {
                name,
                layer,
                origin: Origin::BuiltIn,
                enabled: true,
                schedule: Schedule::OnData,
                head,
                text,
            });
        }
    }
    Ok(jobs)
}

/// The questions of the pages: name and text, from `jobs/pages`.
pub fn page_questions() -> BTreeMap<String, String> {
    texts("pages")
}

/// The same questions as far as ready tables answer them when no filter is set, by name, from `jobs/pages/unfiltered`.
pub fn unfiltered_questions() -> BTreeMap<String, String> {
    texts("pages/unfiltered")
}

/// A question of the exports, from `jobs/exports`.
pub fn export_question(name: &str) -> Option<String> {
    texts("exports").remove(name)
}

/// A question about a task that somebody speaks of, from `jobs/corrections`.
pub fn correction_question(name: &str) -> Option<String> {
    texts("corrections").remove(name)
}

/// Name and text of every SQL file in one folder of `jobs/`: as built into the program, or from the folder that
/// [`FOLDER_VARIABLE`] names, so that whoever writes jobs need not build the program.
fn texts(folder: &str) -> BTreeMap<String, String> {
    if let Some(own) = std::env::var_os(FOLDER_VARIABLE) {
        let files = std::fs::read_dir(PathBuf::from(own).join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let sql = files.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
        return sql.filter_map(|path| Some((stem(&path)?, std::fs::read_to_string(&path).ok()?))).collect();
    }
    let files = SHIPPED.get_dir(folder).into_iter().flat_map(Dir::files);
    let sql = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "sql"));
    sql.filter_map(|file| Some((stem(file.path())?, file.contents_utf8()?.to_owned()))).collect()
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

fn read_head(job: &str, text: &str) -> Result<Head, CatalogError> {
    head::parse(text).map_err(|error| CatalogError {
        job: job.to_owned(),
        message: error.message,
        position: Some(error.position),
    })
}

/// Each job after those it reads; layers decide between jobs that do not read each other.
fn in_order(jobs: Vec<Job>) -> Result<Vec<Job>, CatalogError> {
    let names: BTreeSet<String> = jobs.iter().map(|job| job.name.clone()).collect();
    let mut waiting = jobs;
    let mut ordered: Vec<Job> = Vec::with_capacity(waiting.len());
    let mut made = BTreeSet::from([EVENTS.to_owned()]);
    for job in &waiting {
        if let Some(unknown) = job.head.reads.iter().find(|read| *read != EVENTS && !names.contains(*read)) {
            let message = format!(
                "it reads '{unknown}', which no job makes; the tables are {EVENTS}, {}",
                names.iter().cloned().collect::<Vec<_>>().join(", ")
            );
            return Err(CatalogError { job: job.name.clone(), message, position: None });
        }
    }
    while !waiting.is_empty() {
        let Some(next) = waiting.iter().position(|job| job.head.reads.iter().all(|read| made.contains(read))) else {
            let circle = waiting.iter().map(|job| job.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(CatalogError {
                job: waiting[0].name.clone(),
                message: format!("these jobs read each other in a circle: {circle}"),
                position: None,
            });
        };
        let job = waiting.remove(next);
        made.insert(job.name.clone());
        ordered.push(job);
    }
    Ok(ordered)
}

/// Whether `name` can name a job and its table.
pub fn is_table_name(name: &str) -> bool {
    name.len() <= 60
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str, reads: &str) -> JobOverride {
        JobOverride {
            name: name.into(),
            text: Some(format!("-- A test.\n-- reads: {reads}\nSELECT 1")),
            enabled: true,
            schedule: None,
        }
    }

    #[test]
    fn every_job_stands_after_what_it_reads() {
        let catalog = Catalog::new(&[]).unwrap();
        for (position, job) in catalog.jobs.iter().enumerate() {
            for read in job.head.reads.iter().filter(|read| *read != EVENTS) {
                assert!(
                    catalog.jobs[..position].iter().any(|before| before.name == *read),
                    "{} before {read}",
                    job.name
                );
            }
        }
        assert!(catalog.jobs.len() >= 12);
    }

    #[test]
    fn a_circle_is_named() {
        let error = Catalog::new(&[own("one", "two"), own("two", "one")]).unwrap_err();
        assert!(error.message.contains("one, two"), "{error}");
    }

    #[test]
    fn a_table_that_nobody_makes_is_named() {
        let error = Catalog::new(&[own("one", "int_nothing")]).unwrap_err();
        assert!(error.message.contains("'int_nothing', which no job makes"), "{error}");
    }

    #[test]
    fn a_shipped_job_can_be_replaced_and_switched_off() {
        let catalog =
            Catalog::new(&[JobOverride { enabled: false, ..own("app_usage", "int_labeled_events") }]).unwrap();
        let job = catalog.job("app_usage").unwrap();
        assert_eq!((job.origin, job.enabled, job.layer), (Origin::Replaced, false, Layer::Mart));
    }

    #[test]
    fn reads_look_through_views() {
        let catalog = Catalog::new(&[]).unwrap();
        let (tables, text) = catalog.stored_reads(catalog.job("stg_noise").unwrap());
        assert_eq!(tables, [EVENTS]);
        assert!(text.contains("lode-agent"));
    }

    #[test]
    fn what_depends_on_a_table_is_found_through_others() {
        let catalog = Catalog::new(&[]).unwrap();
        let dependents = catalog.dependents("stg_noise");
        assert!(
            dependents.contains("int_labeled_events")
                && dependents.contains("activity_graph")
                && !dependents.contains("coverage")
        );
    }
}
