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

const COLUMNS: &[(&str, Target)] = &[
    ("timestamp", Target::Role(Role::Time)),
    ("time:timestamp", Target::Role(Role::Time)),
    ("user", Target::Role(Role::User)),
    ("org:resource", Target::Role(Role::User)),
    ("application", Target::Role(Role::Application)),
    ("event_type", Target::Role(Role::Word)),
    ("concept:name", Target::Role(Role::Word)),
    ("case:concept:name", Target::Role(Role::Case)),
    ("clipboard_content", Target::Role(Role::Content)),
    ("mouse_coord", Target::Role(Role::Position)),
    ("workbook", Target::Role(Role::Workbook)),
    ("current_worksheet", Target::Role(Role::Sheet)),
    ("cell_content", Target::Role(Role::Value)),
    ("cell_range", Target::Role(Role::ElementId)),
    ("hotkey", Target::Role(Role::Hotkey)),
    ("id", Target::Role(Role::ElementId)),
    ("title", Target::Role(Role::Title)),
    ("browser_url", Target::Role(Role::Url)),
    ("tag_category", Target::Role(Role::Tag)),
    ("tag_type", Target::Role(Role::TagType)),
    ("tag_name", Target::Role(Role::ElementName)),
    ("tag_title", Target::Attribute("title")),
    ("tag_value", Target::Role(Role::Value)),
    ("tag_checked", Target::Attribute("checked")),
    ("tag_html", Target::Role(Role::Ignored)),
    ("tag_href", Target::Attribute("href")),
    ("tag_innerText", Target::Role(Role::InnerText)),
    ("tag_option", Target::Attribute("option")),
    ("tag_attributes", Target::Role(Role::Ignored)),
    ("xpath", Target::Role(Role::ElementPath)),
];

/// Opens a SmartRPA CSV.
///
/// Errors: see [`row::open`].
pub(super) fn open(input: Input, options: &Options) -> Result<Table, ImportError> {
    row::open(input, options, Format::SmartRpa, |name| {
        COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
    })
}
