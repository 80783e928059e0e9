//! Whether capture may run now, and if not, why: the first question of the gate.
//!
//! A pure function of facts. Every doubt is a "no": a floor that cannot be read, a schedule in a zone that this machine does
//! not know, an indicator that nobody can see (promise D7: there is no hidden mode, and no flag that makes one).

use chrono::{DateTime, Datelike, TimeZone, Timelike};
use serde::{Deserialize, Serialize};
use uilog::planted;
use uilog::policy::model::Schedule;

/// What the client does, as everybody sees it: in the tray, in `status`, on the page of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No app key was used yet.
    #[default]
    NeedsEnrolment,
    /// The person was not asked yet, or something changed.
    NeedsConsent,
    /// The person said no.
    Declined,
    /// Capture runs.
    Recording,
    /// The person paused it.
    Paused,
    /// It is not the time.
    OutsideSchedule,
    /// The screen is locked.
    Locked,
    /// The person stopped the client until it is started again.
    Stopped,
    /// Something that must be there is missing; `why` says what.
    Blocked,
    /// The service revoked the client.
    Revoked,
    /// The disk cannot be written.
    Error,
}

impl State {
    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            State::NeedsEnrolment => "needs_enrolment",
            State::NeedsConsent => "needs_consent",
            State::Declined => "declined",
            State::Recording => "recording",
            State::Paused => "paused",
            State::OutsideSchedule => "outside_schedule",
            State::Locked => "locked",
            State::Stopped => "stopped",
            State::Blocked => "blocked",
            State::Revoked => "revoked",
            State::Error => "error",
        }
    }
}

/// What the person said to the consent text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// Nothing yet to this version.
    #[default]
    Nothing,
    /// Yes, to this version.
    Yes,
    /// No, to this version.
    No,
}

/// What the standing depends on.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The client is enrolled.
    pub enrolled: bool,
    /// The service revoked it.
    pub revoked: bool,
    /// Why there is no configuration that holds now; `None` if there is one.
    pub no_configuration: Option<String>,
    /// What the person said to the consent version of the configuration.
    pub said: Said,
    /// The person stopped the client.
    pub stopped: bool,
    /// The person paused.
    pub paused: bool,
    /// Whether the schedules admit this minute; `Err` says why that is not known.
    pub in_schedule: Option<Result<bool, String>>,
    /// The screen is locked.
    pub locked: bool,
    /// Something on the screen shows that the client is there.
    pub indicator_visible: bool,
    /// Why capture cannot see anything; `None` if it can.
    pub capture_error: Option<String>,
    /// Why the spool cannot be written; `None` if it can.
    pub spool_error: Option<String>,
}

/// The state, and why, where the state alone does not say it.
pub fn standing(facts: &Facts) -> (State, Option<String>) {
    let plain = |state| (state, None);
    if !facts.enrolled {
        return plain(State::NeedsEnrolment);
    }
    if facts.revoked {
        return plain(State::Revoked);
    }
    if let Some(why) = &facts.no_configuration {
        return (State::Blocked, Some(why.clone()));
    }
    match facts.said {
        Said::Nothing => return plain(State::NeedsConsent),
        Said::No => return plain(State::Declined),
        Said::Yes => {}
    }
    if facts.stopped {
        return plain(State::Stopped);
    }
    if facts.paused && !planted::is("pause-ignored") {
        return plain(State::Paused);
    }
    match &facts.in_schedule {
        Some(Ok(true)) => {}
        Some(Ok(false)) | None => return plain(State::OutsideSchedule),
        Some(Err(why)) => return (State::OutsideSchedule, Some(why.clone())),
    }
    if facts.locked {
        return plain(State::Locked);
    }
    if !facts.indicator_visible {
        return (State::Blocked, Some("nothing on the screen shows that Lode is there".into()));
    }
    if let Some(why) = &facts.capture_error {
        return (State::Blocked, Some(why.clone()));
    }
    match &facts.spool_error {
        Some(why) => (State::Error, Some(why.clone())),
        None => plain(State::Recording),
    }
}

/// Whether all schedules admit a moment. `local` is the user's own day of the week (0 for Monday) and minute; other zones are
/// computed from `time_us`.
///
/// Errors: a zone that nobody knows; nothing is captured then.
pub fn in_schedule(schedules: &[Schedule], time_us: i64, local: (usize, u16)) -> Result<bool, String> {
    let mut admits = true;
    for schedule in schedules {
        let (day, minute) = if schedule.zone == "user" || planted::is("zone-ignored") {
            local
        } else {
            in_zone(&schedule.zone, time_us)?
        };
        admits &= schedule.contains(day, minute);
    }
    Ok(admits)
}

fn in_zone(zone: &str, time_us: i64) -> Result<(usize, u16), String> {
    let tz: chrono_tz::Tz = zone.parse().map_err(|_| format!("the schedule's zone '{zone}' is not known"))?;
    let utc = chrono::DateTime::from_timestamp_micros(time_us).ok_or("the clock shows no time that can be")?;
    Ok(day_and_minute(&utc.with_timezone(&tz)))
}

/// Day of the week, 0 for Monday, and minute of the day.
pub fn day_and_minute<Tz: TimeZone>(time: &DateTime<Tz>) -> (usize, u16) {
    let minute = u16::try_from(time.hour() * 60 + time.minute()).unwrap_or_default();
    (time.weekday().num_days_from_monday() as usize, minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Facts {
        Facts {
            enrolled: true,
            said: Said::Yes,
            in_schedule: Some(Ok(true)),
            indicator_visible: true,
            ..Facts::default()
        }
    }

    #[test]
    fn d7_every_missing_condition_alone_ends_recording() {
        assert_eq!(standing(&recording()).0, State::Recording);
        type Spoil = fn(&mut Facts);
        let spoilt: [(Spoil, State); 12] = [
            (|facts| facts.enrolled = false, State::NeedsEnrolment),
            (|facts| facts.revoked = true, State::Revoked),
            (|facts| facts.no_configuration = Some("expired".into()), State::Blocked),
            (|facts| facts.said = Said::Nothing, State::NeedsConsent),
            (|facts| facts.said = Said::No, State::Declined),
            (|facts| facts.stopped = true, State::Stopped),
            (|facts| facts.paused = true, State::Paused),
            (|facts| facts.in_schedule = Some(Ok(false)), State::OutsideSchedule),
            (|facts| facts.in_schedule = None, State::OutsideSchedule),
            (|facts| facts.locked = true, State::Locked),
            (|facts| facts.indicator_visible = false, State::Blocked),
            (|facts| facts.spool_error = Some("full".into()), State::Error),
        ];
        for (spoil, state) in spoilt {
            let mut facts = recording();
            spoil(&mut facts);
            assert_eq!(standing(&facts).0, state);
        }
    }

    #[test]
    fn a_schedule_in_another_zone_is_computed_there_and_an_unknown_zone_admits_nothing() {
        let schedule = |zone: &str| Schedule {
            zone: zone.to_owned(),
            windows: uilog::policy::parse(
                &crate::configuration::tests::xml(1, "a.exe", "")
                    .replace(r#"days="mon-sun" from="00:00" to="23:59""#, r#"days="mon-fri" from="08:00" to="18:00""#),
            )
            .unwrap()
            .schedules[0]
                .windows
                .clone(),
            at: Default::default(),
        };
        // 2026-12-01, a Tuesday, 07:30 UTC: 08:30 in Berlin, 02:30 in New York.
        let time_us = crate::configuration::tests::NOW_US - crate::configuration::tests::NOW_US % 86_400_000_000
            + 450 * 60_000_000;
        let admits = |zone: &str, local| in_schedule(&[schedule(zone)], time_us, local);
        assert_eq!(admits("Europe/Berlin", (6, 0)), Ok(true));
        assert_eq!(admits("America/New_York", (1, 600)), Ok(false));
        assert_eq!(admits("user", (1, 600)), Ok(true));
        assert_eq!(admits("user", (6, 600)), Ok(false));
        assert!(admits("Mars/Olympus", (1, 600)).is_err());
        assert_eq!(in_schedule(&[schedule("user"), schedule("America/New_York")], time_us, (1, 600)), Ok(false));
    }
}
