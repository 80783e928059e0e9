//! Any CSV, with the meaning of its columns given by `--map column=name`.
//!
//! `column` is one of ours; `name` stands in the header of the file. Time, user, event type and what takes part in the
//! mapping of [`row`](super::row) do so here too; other columns are filled as they are. What is not mapped is kept in
//! `attributes`.

use uilog::column::{self, ColumnId};
use uilog::{Actor, Event};

use super::input::Input;
use super::row::{self, Role, Table, Target, put};
use super::{Format, ImportError, Options};

/// Opens a CSV as `options.map` describes it.
///
/// Errors: a column of ours that does not exist or cannot be set, no mapping of `event_type`; further see
/// [`row::open`].
pub(super) fn open(input: Input, options: &Options) -> Result<Table, ImportError> {
    let mut targets = Vec::new();
    for (column, name) in &options.map {
        let target =
            target(column).map_err(|reason| ImportError::Map { column: column.clone(), name: name.clone(), reason })?;
        targets.push((name.as_str(), target));
    }
    row::open(input, options, Format::Mapped, |name| {
        targets.iter().find(|(mapped, _)| *mapped == name).map(|(_, target)| *target)
    })
}

fn target(name: &str) -> Result<Target, &'static str> {
    let column = column::find(name).ok_or("there is no such column")?;
    match column.id {
        ColumnId::Time => Ok(Target::Role(Role::Time)),
        ColumnId::UserName => Ok(Target::Role(Role::User)),
        ColumnId::EventType => Ok(Target::Role(Role::Word)),
        ColumnId::Application => Ok(Target::Role(Role::Application)),
        ColumnId::Url => Ok(Target::Role(Role::Url)),
        ColumnId::Text => Ok(Target::Role(Role::Content)),
        ColumnId::WindowTitle => Ok(Target::Role(Role::Title)),
        ColumnId::ElementId => Ok(Target::Role(Role::ElementId)),
        ColumnId::ElementName => Ok(Target::Role(Role::ElementName)),
        ColumnId::ElementClass => Ok(Target::Role(Role::ElementClass)),
        ColumnId::ElementPath => Ok(Target::Role(Role::ElementPath)),
        ColumnId::RowLabel => Ok(Target::Role(Role::Row)),
        ColumnId::ColumnLabel => Ok(Target::Role(Role::Column)),
        ColumnId::CaseId => Ok(Target::Role(Role::Case)),
        ColumnId::KeyCommand => Ok(Target::Role(Role::Hotkey)),
        ColumnId::MouseX => Ok(Target::Role(Role::X)),
        ColumnId::MouseY => Ok(Target::Role(Role::Y)),
        id if set(&mut Event::default(), id, "").is_ok() => Ok(Target::Column(id)),
        _ => Err("it is set by lode"),
    }
}

/// Sets a column that is copied as it is; an empty field leaves it unknown.
///
/// Errors: the reason for a reject, if the column is none of these or the field does not fit it.
pub(super) fn set(event: &mut Event, column: ColumnId, field: &str) -> Result<(), String> {
    let slot = match column {
        ColumnId::MachineName => &mut event.machine_name,
        ColumnId::Custom1 => &mut event.custom1,
        ColumnId::Custom2 => &mut event.custom2,
        ColumnId::Custom3 => &mut event.custom3,
        ColumnId::Custom4 => &mut event.custom4,
        ColumnId::Custom5 => &mut event.custom5,
        ColumnId::ProcessName => &mut event.process_name,
        ColumnId::PageTitle => &mut event.page_title,
        ColumnId::TabId => &mut event.tab_id,
        ColumnId::FrameId => &mut event.frame_id,
        ColumnId::DocumentId => &mut event.document_id,
        ColumnId::ElementRole => &mut event.element_role,
        ColumnId::Comment => &mut event.comment,
        ColumnId::Os => &mut event.os,
        ColumnId::ClientVersion => &mut event.client_version,
        ColumnId::UptimeUs => return number(&mut event.uptime_us, column, field),
        ColumnId::Snippet => return number(&mut event.snippet, column, field),
        ColumnId::TextLength => return number(&mut event.text_length, column, field),
        ColumnId::WheelUnits => return number(&mut event.wheel_units, column, field),
        ColumnId::Actor => {
            event.actor = Actor::ALL.into_iter().find(|actor| actor.name() == field);
            return match event.actor {
                None if !field.is_empty() => Err("actor is none of human, bot, ai_agent".to_owned()),
                _ => Ok(()),
            };
        }
        other => return Err(format!("{} cannot be set", other.column().name)),
    };
    put(slot, field);
    Ok(())
}

fn number<T: std::str::FromStr>(slot: &mut Option<T>, column: ColumnId, field: &str) -> Result<(), String> {
    *slot = field.parse().ok();
    if slot.is_none() && !field.is_empty() {
        return Err(format!("{} is not a whole number in range", column.column().name));
    }
    Ok(())
}
