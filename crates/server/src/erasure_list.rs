//! Who was erased, written down beside the master key: a backup of the data that was made before does not know it, and whoever
//! brings it back must not bring the person back (promise D8).
//!
//! One line of JSON for each erasure, appended and synced before anybody is told that it was asked for. It holds ids, which
//! say nothing without the data. Nothing is erased here: [`crate::erasing`] does that.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use store::control::erasures::Erasure;

/// The list of one master key.
#[derive(Debug, Clone)]
pub struct ErasureList(PathBuf);

/// A line of the list.
#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    project: String,
    subject: String,
    asked_at_us: i64,
}

impl ErasureList {
    /// The list that lies beside a master key.
    pub fn beside(master_key: &Path) -> Self {
        Self(master_key.with_extension("erasures"))
    }

    /// Adds an erasure for good.
    ///
    /// Errors: the file cannot be written; its name and what to do are in the message.
    pub fn add(&self, erasure: &Erasure) -> Result<()> {
        let Erasure { id, project, subject, asked_at_us, .. } = erasure.clone();
        // It ends whatever the power may have torn before it.
        let line = format!("\n{}\n", serde_json::to_string(&Line { id, project, subject, asked_at_us })?);
        let write = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().with_context(|| {
            let path = self.0.display();
            format!("cannot write '{path}', which keeps erasures from being undone by a backup; make room or let lode write there")
        })
    }

    /// Every erasure that was ever added; a line that was torn is left out.
    ///
    /// Errors: the file is there and cannot be read.
    pub fn read(&self) -> Result<Vec<Erasure>> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read '{}'", self.0.display())),
        };
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let erasure = |Line { id, project, subject, asked_at_us }| Erasure {
            id,
            project,
            subject,
            asked_at_us,
            done_at_us: None,
            certificate: None,
        };
        Ok(lines.map(erasure).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_what_was_added_is_read_and_a_torn_line_costs_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let list = ErasureList::beside(&folder.path().join("master.key"));
        assert_eq!(list.read().unwrap(), []);
        let erasure = |id: &str| Erasure {
            id: id.into(),
            project: "p".into(),
            subject: "agent".into(),
            asked_at_us: 5,
            done_at_us: None,
            certificate: None,
        };
        list.add(&erasure("1")).unwrap();
        std::fs::write(&list.0, std::fs::read_to_string(&list.0).unwrap() + "{\"id\":\"torn").unwrap();
        list.add(&erasure("2")).unwrap();
        assert_eq!(list.read().unwrap(), [erasure("1"), erasure("2")]);
    }
}
