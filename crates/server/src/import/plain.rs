//! The plain form: one CSV with the columns that most UI logs can be brought into.
//!
//! `row,user,ts,app,event,doc,sheet,element,element_text,url,value,x,y`. The order of the rows is the order of the
//! events; `row` itself is not kept. A log without any time gets one second per row, and says so.

use super::input::Input;
use super::row::{self, Role, Table, Target};
use super::{Format, ImportError, Options};

const COLUMNS: &[(&str, Role)] = &[
    ("row", Role::Ignored),
    ("user", Role::User),
    ("ts", Role::Time),
    ("app", Role::Application),
    ("event", Role::Word),
    ("doc", Role::Workbook),
    ("sheet", Role::Sheet),
    ("element", Role::ElementId),
    ("element_text", Role::ElementName),
    ("url", Role::Url),
    ("value", Role::Value),
    ("x", Role::X),
    ("y", Role::Y),
    ("case", Role::Case),
];

/// Opens a CSV in the plain form.
///
/// Errors: see [`row::open`].
pub(super) fn open(input: Input, options: &Options) -> Result<Table, ImportError> {
    row::open(input, options, Format::Plain, |name| {
        COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, role)| Target::Role(*role))
    })
}
