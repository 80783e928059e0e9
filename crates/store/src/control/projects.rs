//! Projects: the unit of isolation, each with its minimum group size and its case rule from the start.

use super::Control;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Where a project's events come from; it decides the minimum group size a new project begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectKind {
    /// Shipped with Lode; made up or licensed for it.
    Sample,
    /// Logs that somebody brought along.
    Imported,
    /// Desktops that are recorded now.
    Enrolled,
}

impl ProjectKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Sample, Self::Imported, Self::Enrolled];

    /// The smallest group of people a page may show: 1 for logs brought along (with a banner), 5 for recorded desktops.
    pub fn min_group_size(self) -> i64 {
        match self {
            Self::Sample | Self::Imported => 1,
            Self::Enrolled => 5,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Imported => "imported",
            Self::Enrolled => "enrolled",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "sample" => Self::Sample,
            "enrolled" => Self::Enrolled,
            _ => Self::Imported,
        }
    }
}

/// What a case is, until segments are discovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum CaseRule {
    /// The imported case id where there is one, else the session.
    #[default]
    Auto,
    /// One unbroken stretch of work.
    Session,
    /// The imported case id only; events without one belong to no case.
    CaseId,
    /// From a start activity to the next end activity or start.
    #[serde(untagged)]
    Activities {
        /// The activity that opens a case; absent: the event after an end does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_activity: Option<String>,
        /// The activity that closes it; absent: the next start does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_activity: Option<String>,
    },
}

/// One project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Project {
    /// UUID, never used again.
    pub id: String,
    /// Short name for paths and commands.
    pub slug: String,
    /// The name people see.
    pub name: String,
    /// Where its events come from.
    pub kind: ProjectKind,
    /// Pages show only groups of at least this many people.
    pub min_group_size: i64,
    /// What a case is.
    pub case_rule: CaseRule,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
}

/// The longest name of a project, in characters.
pub const NAME_CHARS_MAX: usize = 100;

impl Control {
    /// Makes a project; its short name is derived from `name` and made unique.
    ///
    /// Errors: [`StoreError::Invalid`] for an empty or over-long name, [`StoreError::Exists`] if the name is taken.
    pub async fn create_project(&self, name: &str, kind: ProjectKind, now_us: i64) -> Result<Project, StoreError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(StoreError::Invalid(format!("a project needs a name of 1 to {NAME_CHARS_MAX} characters")));
        }
        let slug = slug(name);
        if self.find_project(name).await?.is_some() || self.find_project(&slug).await?.is_some() {
            return Err(StoreError::Exists { kind: "project", name: name.into() });
        }
        let project = Project {
            id: uuid::Uuid::new_v4().to_string(),
            slug,
            name: name.to_owned(),
            kind,
            min_group_size: kind.min_group_size(),
            case_rule: CaseRule::Auto,
            created_at_us: now_us,
        };
        sqlx::query("INSERT INTO projects (id, slug, name, kind, min_group_size, case_rule, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(&project.id)
            .bind(&project.slug)
            .bind(&project.name)
            .bind(kind.as_str())
            .bind(project.min_group_size)
            .bind(rule_text(&project.case_rule)?)
            .bind(now_us)
            .execute(&self.pool)
            .await?;
        Ok(project)
    }

    /// Every project, by name.
    pub async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM projects p ORDER BY p.name")))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(project).collect()
    }

    /// The project with this id, short name or name.
    ///
    /// Errors: [`StoreError::Missing`] if there is none.
    pub async fn project(&self, handle: &str) -> Result<Project, StoreError> {
        self.find_project(handle).await?.ok_or_else(|| StoreError::Missing { kind: "project", name: handle.into() })
    }

    /// Like [`Control::project`], with `None` if there is none.
    pub async fn find_project(&self, handle: &str) -> Result<Option<Project>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM projects p WHERE p.id = $1 OR p.slug = $1 OR p.name = $1"
        )))
        .bind(handle)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(project).transpose()
    }

    /// Changes what a person may change of a project.
    pub async fn update_project(&self, id: &str, name: &str, case_rule: &CaseRule) -> Result<(), StoreError> {
        sqlx::query("UPDATE projects SET name = $2, case_rule = $3 WHERE id = $1")
            .bind(id)
            .bind(name)
            .bind(rule_text(case_rule)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// What goes with a project: its own row, and those of the modules that are as old as projects.
pub(super) const OF_A_PROJECT: &[&str] = &[
    "DELETE FROM imports WHERE project = $1",
    "DELETE FROM agents WHERE project = $1",
    "DELETE FROM users WHERE project = $1",
    "DELETE FROM tables WHERE project = $1",
    "DELETE FROM jobs WHERE project = $1",
    "DELETE FROM runs WHERE project = $1",
    "DELETE FROM queries WHERE project = $1",
    "DELETE FROM label_rules WHERE project = $1",
    "DELETE FROM projects WHERE id = $1",
    "UPDATE files SET state = 'dropped' WHERE project = $1",
];

/// The columns of a project, in the order in which [`project`] reads them.
pub(super) const COLUMNS: &str = "p.id, p.slug, p.name, p.kind, p.min_group_size, p.case_rule, p.created_at";

/// How many [`COLUMNS`] there are; what follows in a row begins here.
pub(super) const COLUMN_COUNT: usize = 7;

/// Reads the [`COLUMNS`] of a row, from the first on.
pub(super) fn project(row: &AnyRow) -> Result<Project, StoreError> {
    let rule: String = row.try_get(5)?;
    Ok(Project {
        id: row.try_get(0)?,
        slug: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: ProjectKind::parse(row.try_get(3)?),
        min_group_size: row.try_get(4)?,
        case_rule: serde_json::from_str(&rule)
            .map_err(|error| StoreError::Invalid(format!("case rule '{rule}': {error}")))?,
        created_at_us: row.try_get(6)?,
    })
}

fn rule_text(rule: &CaseRule) -> Result<String, StoreError> {
    serde_json::to_string(rule).map_err(|error| StoreError::Invalid(format!("case rule: {error}")))
}

/// `Accounts Payable 2026` becomes `accounts-payable-2026`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "project".into() } else { slug.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_fit_for_paths() {
        assert_eq!(slug("Accounts Payable (2026)"), "accounts-payable-2026");
        assert_eq!(slug("???"), "project");
    }

    #[test]
    fn recorded_desktops_begin_with_groups_of_five() {
        assert_eq!(ProjectKind::Enrolled.min_group_size(), 5);
        assert_eq!(ProjectKind::Sample.min_group_size(), 1);
    }

    #[test]
    fn a_case_rule_survives_its_text() {
        for rule in
            [CaseRule::Auto, CaseRule::Activities { start_activity: Some("open form".into()), end_activity: None }]
        {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<CaseRule>(&text).unwrap(), rule, "{text}");
        }
    }
}
