//! Files that hold the same agents, taken together.
//!
//! A table in the order of events is read agent by agent. An imported log leaves files with agents of their own; live events
//! leave small recent files beside a large one, about the same agents. A cluster is the least set of files such that no agent
//! is in two clusters: what is inside is merged while it is read, what is outside is read one after the other.
//!
//! ```text
//! files:     [1────4] [5────9] [12───15]      clusters:  {1…4}   {5…9}        {12…15}
//! recent:         [6─7] [8]    [13]                         + two recent    + one recent
//! ```

use crate::control::manifest::FileEntry;
use std::borrow::Borrow;

/// Files that share agents, and the agents they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster<F> {
    /// Lowest and highest `agent_key`.
    pub agents: (i64, i64),
    /// The files, by their lowest agent.
    pub files: Vec<F>,
}

impl<F: Borrow<FileEntry>> Cluster<F> {
    /// Rows of all its files.
    pub fn rows(&self) -> i64 {
        self.files.iter().map(|file| file.borrow().rows).sum()
    }
}

/// Groups files by shared agents, in the order of the agents.
///
/// `None` if a file does not say which agents it holds: then the table is not in the order of events.
pub fn clusters<F: Borrow<FileEntry>>(files: impl IntoIterator<Item = F>) -> Option<Vec<Cluster<F>>> {
    let mut files: Vec<((i64, i64), F)> = files
        .into_iter()
        .filter(|file| file.borrow().rows > 0 || file.borrow().agent_min.is_some())
        .map(|file| Some(((file.borrow().agent_min?, file.borrow().agent_max?), file)))
        .collect::<Option<_>>()?;
    files.sort_by_key(|(agents, _)| *agents);
    let mut clusters: Vec<Cluster<F>> = Vec::new();
    for ((low, high), file) in files {
        match clusters.last_mut() {
            Some(cluster) if low <= cluster.agents.1 => {
                cluster.agents.1 = cluster.agents.1.max(high);
                cluster.files.push(file);
            }
            _ => clusters.push(Cluster { agents: (low, high), files: vec![file] }),
        }
    }
    Some(clusters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(agents: (i64, i64)) -> FileEntry {
        FileEntry {
            path: format!("{}-{}", agents.0, agents.1),
            agent_min: Some(agents.0),
            agent_max: Some(agents.1),
            rows: 1,
            bytes: 1,
            time_min_us: None,
            time_max_us: None,
            sha256: String::new(),
            fingerprint: String::new(),
        }
    }

    fn check(files: &[(i64, i64)], expected: &[&[&str]]) {
        let found = clusters(files.iter().map(|agents| file(*agents))).unwrap();
        let found: Vec<Vec<&str>> =
            found.iter().map(|cluster| cluster.files.iter().map(|file| file.path.as_str()).collect()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_agent_is_in_two_clusters() {
        check(&[(1, 4), (5, 9), (12, 15)], &[&["1-4"], &["5-9"], &["12-15"]]);
        check(&[(5, 9), (6, 7), (1, 4), (8, 8)], &[&["1-4"], &["5-9", "6-7", "8-8"]]);
        check(&[(1, 5), (5, 9), (9, 12)], &[&["1-5", "5-9", "9-12"]]);
    }

    #[test]
    fn a_file_without_agents_says_that_there_is_no_order() {
        let unknown = FileEntry { agent_min: None, agent_max: None, ..file((1, 1)) };
        assert_eq!(clusters([unknown.clone()]), None);
        assert_eq!(clusters([FileEntry { rows: 0, ..unknown }]), Some(Vec::new()));
    }
}
