//! Process trees: block-structured models that are sound by construction.

use std::fmt;

/// A model of how the steps of a task follow each other. Activities are numbers of the caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessTree {
    /// Nothing happens.
    Silent,
    /// One step.
    Activity(u32),
    /// One of the children.
    Exclusive(Vec<ProcessTree>),
    /// All children, one after the other.
    Sequence(Vec<ProcessTree>),
    /// All children, in any interleaving.
    Parallel(Vec<ProcessTree>),
    /// The first child, then any number of times one of the others and the first again.
    Loop(Vec<ProcessTree>),
}

impl ProcessTree {
    /// The parts of the tree.
    pub fn children(&self) -> &[ProcessTree] {
        match self {
            ProcessTree::Silent | ProcessTree::Activity(_) => &[],
            ProcessTree::Exclusive(children)
            | ProcessTree::Sequence(children)
            | ProcessTree::Parallel(children)
            | ProcessTree::Loop(children) => children,
        }
    }

    /// The same language with less writing: nested operators of one kind become one, and an operator with one child is
    /// that child.
    pub fn folded(self) -> ProcessTree {
        match self {
            ProcessTree::Exclusive(children) => {
                let mut children = flat(children, |child| match child {
                    ProcessTree::Exclusive(inner) => Ok(inner),
                    other => Err(other),
                });
                children.sort();
                children.dedup();
                only_or(children, ProcessTree::Exclusive)
            }
            ProcessTree::Sequence(children) => only_or(
                flat(children, |child| match child {
                    ProcessTree::Silent => Ok(Vec::new()),
                    ProcessTree::Sequence(inner) => Ok(inner),
                    other => Err(other),
                }),
                ProcessTree::Sequence,
            ),
            ProcessTree::Parallel(children) => {
                let mut children = flat(children, |child| match child {
                    ProcessTree::Silent => Ok(Vec::new()),
                    ProcessTree::Parallel(inner) => Ok(inner),
                    other => Err(other),
                });
                children.sort();
                only_or(children, ProcessTree::Parallel)
            }
            ProcessTree::Loop(children) => ProcessTree::Loop(children.into_iter().map(ProcessTree::folded).collect()),
            leaf => leaf,
        }
    }
}

/// Folded children, with the children of those that `open` opens in their place.
fn flat(
    children: Vec<ProcessTree>,
    open: impl Fn(ProcessTree) -> Result<Vec<ProcessTree>, ProcessTree>,
) -> Vec<ProcessTree> {
    children.into_iter().flat_map(|child| open(child.folded()).unwrap_or_else(|child| vec![child])).collect()
}

fn only_or(mut children: Vec<ProcessTree>, operator: impl Fn(Vec<ProcessTree>) -> ProcessTree) -> ProcessTree {
    match (children.len(), children.pop()) {
        (0, _) => ProcessTree::Silent,
        (1, Some(only)) => only,
        (_, last) => {
            children.extend(last);
            operator(children)
        }
    }
}

impl fmt::Display for ProcessTree {
    /// `->(0, X(1, tau), *(2, 3), +(4, 5))`
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let operator = match self {
            ProcessTree::Silent => return formatter.write_str("tau"),
            ProcessTree::Activity(activity) => return write!(formatter, "{activity}"),
            ProcessTree::Exclusive(_) => "X",
            ProcessTree::Sequence(_) => "->",
            ProcessTree::Parallel(_) => "+",
            ProcessTree::Loop(_) => "*",
        };
        let children: Vec<String> = self.children().iter().map(ProcessTree::to_string).collect();
        write!(formatter, "{operator}({})", children.join(", "))
    }
}
