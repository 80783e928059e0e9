//! Sets of columns, and the words by which a configuration names them: single columns, groups such as `@app`, `all`.
//!
//! `all` and the groups never mean `text`, `value_fingerprint` or `url` where a rule *logs*: these three must be named.
//! Where redaction or a floor takes something away, `all` is every text column, these included.

use crate::column::{COLUMNS, ColumnId, ColumnType};
use crate::planted;

use super::words::ColumnGroup;

/// A set of columns, as one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnSet(u128);

// One bit for each column.
const _: () = assert!(COLUMNS.len() <= 128);

impl ColumnSet {
    /// No column.
    pub const EMPTY: ColumnSet = ColumnSet(0);

    /// Whether the column is in the set.
    pub fn contains(self, column: ColumnId) -> bool {
        self.0 & (1 << column as u32) != 0
    }

    /// This set with one column more.
    #[must_use]
    pub fn with(self, column: ColumnId) -> Self {
        ColumnSet(self.0 | 1 << column as u32)
    }

    /// What is in either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        ColumnSet(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        ColumnSet(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        ColumnSet(self.0 & !other.0)
    }

    /// Whether no column is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many columns are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The columns, in the order of [`COLUMNS`].
    pub fn iter(self) -> impl Iterator<Item = ColumnId> {
        COLUMNS.iter().map(|column| column.id).filter(move |&column| self.contains(column))
    }

    /// Every column for which that holds.
    pub fn of(holds: impl Fn(ColumnId) -> bool) -> Self {
        COLUMNS.iter().map(|column| column.id).filter(|&column| holds(column)).collect()
    }
}

impl FromIterator<ColumnId> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = ColumnId>>(columns: I) -> Self {
        columns.into_iter().fold(ColumnSet::EMPTY, ColumnSet::with)
    }
}

/// One word of an attribute that names columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnWord {
    /// `all`.
    All,
    /// `none`.
    None,
    /// A group.
    Group(ColumnGroup),
    /// One column, by its name.
    Column(ColumnId),
}

impl ColumnWord {
    /// The word as it is written.
    pub fn word(self) -> &'static str {
        match self {
            ColumnWord::All => "all",
            ColumnWord::None => "none",
            ColumnWord::Group(group) => group.word(),
            ColumnWord::Column(column) => column.column().name,
        }
    }
}

/// The words of one attribute that names columns, in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(pub Vec<ColumnWord>);

impl Selection {
    /// These columns, each by its name.
    pub fn of(columns: ColumnSet) -> Self {
        Selection(columns.iter().map(ColumnWord::Column).collect())
    }

    /// Whether a column is there by its own name, not by a group or `all`.
    pub fn names(&self, column: ColumnId) -> bool {
        self.0.contains(&ColumnWord::Column(column))
    }

    /// The columns named singly.
    pub fn named(&self) -> ColumnSet {
        self.0
            .iter()
            .filter_map(|word| if let ColumnWord::Column(column) = word { Some(*column) } else { None })
            .collect()
    }

    /// The columns that are meant where a rule logs or leaves out: `all` is everything that need not be named.
    pub fn logged(&self) -> ColumnSet {
        self.resolve(ColumnSet::of(|column| may_be_logged(column) && !must_be_named(column)))
    }

    /// The columns that are meant where texts are hashed or replaced: `all` is every text that may be changed.
    pub fn texts(&self) -> ColumnSet {
        self.resolve(texts()).and(texts())
    }

    /// The columns that are meant where texts are redacted: `all` is everything that redaction can change.
    pub fn redacted(&self) -> ColumnSet {
        self.resolve(redactable()).and(redactable())
    }

    /// The columns that are meant where a floor forbids: `all` is everything about which a rule decides.
    pub fn forbidden(&self) -> ColumnSet {
        self.resolve(ColumnSet::of(may_be_logged))
    }

    fn resolve(&self, all: ColumnSet) -> ColumnSet {
        self.0.iter().fold(ColumnSet::EMPTY, |set, word| match word {
            ColumnWord::All => set.or(all),
            ColumnWord::None => set,
            ColumnWord::Group(group) => set.or(members(*group)),
            ColumnWord::Column(column) => set.with(*column),
        })
    }
}

/// The columns of a group.
pub fn members(group: ColumnGroup) -> ColumnSet {
    use ColumnId::*;
    let columns: &[ColumnId] = match group {
        ColumnGroup::App => &[ProcessName, Application, Os],
        ColumnGroup::Window => &[WindowTitle],
        ColumnGroup::Web => &[UrlHost, UrlTemplate, PageTitle, TabId, FrameId, DocumentId],
        ColumnGroup::Element => {
            &[ElementRole, ElementName, ElementId, ElementClass, ElementPath, ElementBox, RowLabel, ColumnLabel]
        }
        ColumnGroup::Pointer => &[MouseX, MouseY, WheelUnits, Monitor, Dpi],
        ColumnGroup::Keys => &[KeyCommand, TextLength],
        ColumnGroup::Person => &[UserName, MachineName, Custom1, Custom2, Custom3, Custom4, Custom5],
    };
    columns.iter().copied().collect()
}

/// Whether a rule that logs must name the column singly: neither `all` nor a group means it (promise D2).
pub fn must_be_named(column: ColumnId) -> bool {
    if planted::is("wildcard-includes-text") {
        return false;
    }
    matches!(column, ColumnId::Text | ColumnId::ValueFingerprint | ColumnId::Url)
}

/// Whether a rule decides if the column is logged. Not of the mandatory ones, which always stay, and not of those that
/// Lode itself writes: the rule, the revision, and the picture, which the rule's `screenshot` decides about.
pub fn may_be_logged(column: ColumnId) -> bool {
    !column.column().mandatory && !matches!(column, ColumnId::Rule | ColumnId::ConfigRevision | ColumnId::ScreenshotId)
}

/// Whether a condition can compare the column: it has a text to compare, is known when rules are asked, and is no content.
pub fn is_comparable(column: ColumnId) -> bool {
    use ColumnType::{Box4, Fingerprint, TextMap};
    let is_text_like = !matches!(column.column().column_type, Box4 | Fingerprint | TextMap);
    let is_known = !matches!(column, ColumnId::ReceivedAt | ColumnId::ProjectId) && !is_written_later(column);
    is_text_like && is_known && column != ColumnId::Text
}

/// Whether the column gets its value only after the rules were asked.
fn is_written_later(column: ColumnId) -> bool {
    matches!(column, ColumnId::Rule | ColumnId::ConfigRevision | ColumnId::ScreenshotId)
}

/// The columns that hashing, replacing and redaction can change.
pub fn texts() -> ColumnSet {
    ColumnSet::of(|column| column.is_hashable() && may_be_logged(column))
}

/// The columns that redaction can change: texts, and the texts inside `attributes`.
pub fn redactable() -> ColumnSet {
    texts().with(ColumnId::Attributes)
}

/// The columns that redaction looks at unless it is told which: every personal one, and three that may carry names.
pub fn redacted_by_default() -> ColumnSet {
    use ColumnId::{ElementId, ElementPath, UrlTemplate};
    let personal = ColumnSet::of(|column| column.column().personal).and(redactable());
    personal.with(UrlTemplate).with(ElementId).with(ElementPath)
}

/// The columns whose absence from a rule's `columns` hashes them: they name the person.
pub const HASHED_UNLESS_NAMED: [ColumnId; 2] = [ColumnId::UserName, ColumnId::MachineName];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[ColumnWord]) -> Selection {
        Selection(words.to_vec())
    }

    #[test]
    fn d2_all_and_groups_never_mean_text_fingerprint_or_url() {
        let mut everything = vec![ColumnWord::All];
        everything
            .extend(ColumnGroup::WORDS.iter().filter_map(|word| ColumnGroup::from_word(word)).map(ColumnWord::Group));
        let logged = Selection(everything).logged();
        for column in [ColumnId::Text, ColumnId::ValueFingerprint, ColumnId::Url] {
            assert!(!logged.contains(column), "{}", column.column().name);
            assert!(words(&[ColumnWord::Column(column)]).logged().contains(column));
        }
        let others = ColumnSet::of(|column| may_be_logged(column) && !must_be_named(column));
        assert_eq!(logged, others);
    }

    #[test]
    fn redaction_reaches_text_and_url() {
        for column in [ColumnId::Text, ColumnId::Url, ColumnId::Comment] {
            assert!(words(&[ColumnWord::All]).redacted().contains(column));
            assert!(redacted_by_default().contains(column));
        }
        assert!(!words(&[ColumnWord::All]).texts().contains(ColumnId::Rule));
        assert!(!words(&[ColumnWord::Group(ColumnGroup::Element)]).texts().contains(ColumnId::ElementBox));
    }

    #[test]
    fn sets_are_sets() {
        let (one, two) =
            (ColumnSet::EMPTY.with(ColumnId::Url), ColumnSet::EMPTY.with(ColumnId::Url).with(ColumnId::Os));
        assert_eq!(two.without(one).iter().collect::<Vec<_>>(), [ColumnId::Os]);
        assert_eq!(one.or(two).len(), 2);
        assert_eq!(one.and(two), one);
        assert!(one.without(two).is_empty());
    }
}
