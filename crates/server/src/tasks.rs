//! Corrections of found tasks on their way from the control database to the operators that apply them.
//!
//! They travel as JSON in a job's parameter `corrections`: being part of what a table is made from, they make it stale
//! when one is added or taken back, and they hold again whenever it is made anew.

use discovery::corrections::{self, Change};
use serde::{Deserialize, Serialize};
use store::control::task_corrections::{CorrectionKind, TaskCorrection};

/// The parameter of a job that wants the project's corrections.
pub const PARAMETER: &str = "corrections";

/// A correction as an operator reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Its id.
    pub id: String,
    profile: Vec<String>,
    change: Said,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Confirm,
    Rename(String),
    Merge(Vec<String>),
    Split { step: String, name: String },
    Reject,
}

impl Correction {
    /// Reads all corrections of a parameter; none where it is empty.
    ///
    /// Errors: a sentence that names what is wrong.
    pub fn read_all(text: &str) -> Result<Vec<Self>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(text).map_err(|error| format!("the corrections cannot be read: {error}"))
    }

    /// Writes the corrections that hold, in their order, as a parameter.
    pub fn write_all(corrections: &[TaskCorrection]) -> String {
        let held = corrections.iter().filter(|correction| correction.withdrawn_at_us.is_none());
        // Texts and lists of texts can always be written.
        serde_json::to_string(&held.map(Self::of).collect::<Vec<_>>()).unwrap_or_default()
    }

    fn of(correction: &TaskCorrection) -> Self {
        let name = correction.name.clone().unwrap_or_default();
        let change = match correction.kind {
            CorrectionKind::Confirm => Said::Confirm,
            CorrectionKind::Rename => Said::Rename(name),
            CorrectionKind::Merge => {
                Said::Merge(correction.other.as_ref().map(|other| other.profile.clone()).unwrap_or_default())
            }
            CorrectionKind::Split => Said::Split { step: correction.step.clone().unwrap_or_default(), name },
            CorrectionKind::Reject => Said::Reject,
        };
        Self { id: correction.id.clone(), profile: correction.task.profile.clone(), change }
    }

    /// The same as the algorithm takes it.
    pub fn of_discovery(&self) -> corrections::Correction {
        let change = match &self.change {
            Said::Confirm => Change::Confirm,
            Said::Rename(name) => Change::Rename(name.clone()),
            Said::Merge(profile) => Change::Merge(profile.clone()),
            Said::Split { step, name } => Change::Split(step.clone(), name.clone()),
            Said::Reject => Change::Reject,
        };
        corrections::Correction { profile: self.profile.clone(), change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::control::task_corrections::SpokenOf;

    #[test]
    fn what_is_written_is_read_and_what_was_taken_back_is_not_written() {
        let task =
            SpokenOf { task_type: "1".into(), name: "a".into(), profile: vec!["open".into(), "say \"OK\"".into()] };
        let said = TaskCorrection {
            id: "one".into(),
            project: "p".into(),
            kind: CorrectionKind::Split,
            task,
            name: Some("With mail".into()),
            other: None,
            step: Some("mail".into()),
            made_by: "somebody".into(),
            made_at_us: 1,
            withdrawn_by: None,
            withdrawn_at_us: None,
        };
        let gone = TaskCorrection { id: "two".into(), withdrawn_at_us: Some(2), ..said.clone() };
        let read = Correction::read_all(&Correction::write_all(&[said, gone])).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].of_discovery().change, Change::Split("mail".into(), "With mail".into()));
        assert_eq!(Correction::read_all("").unwrap(), []);
        assert!(Correction::read_all("[{}]").unwrap_err().contains("missing field"));
    }
}
