//! Leno's Action Logger: actions in spreadsheets, browsers and on the clipboard as CSV.
//!
//! Three generations of header are read: that of the logger, with `target.class` or `target.className`; the same with a
//! `caseID` before it, as segmentation tools write it; and that of the logs simulated with CPN Tools. Rows of the
//! clipboard have no user and continue the row before. `target.innerHTML` is not kept: it repeats contents, at length.
//!
//! Source: Leno et al., *Action Logger: Enabling Process Mining for Robotic Process Automation*, BPM 2019
//! (demonstrations).

use super::input::Input;
use super::row::{self, Role, Table, Target};
use super::{Format, ImportError, Options};

/// Names of columns in lower case.
const COLUMNS: &[(&str, Target)] = &[
    ("timestamp", Target::Role(Role::Time)),
    ("userid", Target::Role(Role::User)),
    ("targetapp", Target::Role(Role::Application)),
    ("eventtype", Target::Role(Role::Word)),
    ("url", Target::Role(Role::Url)),
    ("content", Target::Role(Role::Content)),
    ("target.workbookname", Target::Role(Role::Workbook)),
    ("target.sheetname", Target::Role(Role::Sheet)),
    ("target.id", Target::Role(Role::ElementId)),
    ("target.class", Target::Role(Role::ElementClass)),
    ("target.classname", Target::Role(Role::ElementClass)),
    ("target.tagname", Target::Role(Role::Tag)),
    ("target.type", Target::Role(Role::TagType)),
    ("target.name", Target::Role(Role::ElementName)),
    ("target.value", Target::Role(Role::Value)),
    ("target.innertext", Target::Role(Role::InnerText)),
    ("target.checked", Target::Attribute("checked")),
    ("target.href", Target::Attribute("href")),
    ("target.option", Target::Attribute("option")),
    ("target.title", Target::Attribute("title")),
    ("target.innerhtml", Target::Role(Role::Ignored)),
    ("caseid", Target::Role(Role::Case)),
    // CPN Tools
    ("source", Target::Role(Role::Application)),
    ("filename", Target::Role(Role::Workbook)),
    ("sheet", Target::Role(Role::Sheet)),
    ("label", Target::Role(Role::ElementName)),
    ("value", Target::Role(Role::Value)),
    ("row", Target::Role(Role::Row)),
    ("column", Target::Role(Role::Column)),
];

/// Opens an Action Logger CSV.
///
/// Errors: see [`row::open`].
pub(super) fn open(input: Input, options: &Options) -> Result<Table, ImportError> {
    row::open(input, options, Format::Leno, |name| {
        let name = name.to_lowercase();
        COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
    })
}
