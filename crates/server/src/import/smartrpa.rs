//! SmartRPA: actions of the operating system, Microsoft Office and browsers as CSV.
//!
//! Its times have a colon before the milliseconds. Contents of cells, clipboard and fields go into `text`; `tag_html`
//! and `tag_attributes` are not kept, because they repeat them.
//!
//! Source: Agostinelli et al., *SmartRPA: A Tool to Reactively Synthesize Software Robots from User Interface Logs*,
//! CAiSE Forum 2021; names of columns from the tool's logging server.

use super::input::Input;
use super::row::{self, Role, Table, Target};
use super::{Format, ImportError, Options};

const COLUMNS: &[(&str, Role)] = &[
    ("timestamp", Role::Time),
    ("time:timestamp", Role::Time),
    ("user", Role::User),
    ("org:resource", Role::User),
    ("application", Role::Application),
    ("event_type", Role::Word),
    ("concept:name", Role::Word),
    ("case:concept:name", Role::Case),
    ("clipboard_content", Role::Content),
    ("mouse_coord", Role::Position),
    ("workbook", Role::Workbook),
    ("current_worksheet", Role::Sheet),
    ("cell_content", Role::InnerText),
    ("cell_range", Role::ElementId),
    ("hotkey", Role::Hotkey),
    ("title", Role::Title),
    ("browser_url", Role::Url),
    ("tag_category", Role::Tag),
    ("tag_type", Role::TagType),
    ("tag_name", Role::ElementName),
    ("tag_value", Role::Value),
    ("tag_html", Role::Ignored),
    ("tag_attributes", Role::Ignored),
    ("xpath", Role::ElementPath),
];

/// Opens a SmartRPA CSV.
///
/// Errors: see [`row::open`].
pub(super) fn open(input: Input, options: &Options) -> Result<Table, ImportError> {
    row::open(input, options, Format::SmartRpa, |name| {
        COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, role)| Target::Role(*role))
    })
}
