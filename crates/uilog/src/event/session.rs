//! The recording itself: when it ran, when nobody was there, and what it could not see.

use super::{Declaration, EventType};

pub(super) const TYPES: &[Declaration] = &[
    Declaration {
        event_type: EventType::RecordingStarted,
        name: "recording_started",
        description: "Recording began, with consent.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::RecordingStopped,
        name: "recording_stopped",
        description: "Recording ended.",
        attributes: &[("reason", "why, such as `user`, `schedule`, `shutdown`")],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::RecordingPaused,
        name: "recording_paused",
        description: "Recording was paused.",
        attributes: &[("reason", "why, such as `user`, `schedule`")],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::RecordingResumed,
        name: "recording_resumed",
        description: "Recording went on after a pause.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::IdleStarted,
        name: "idle_started",
        description: "There was no input for longer than the idle limit; the time is that of the last input.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::IdleEnded,
        name: "idle_ended",
        description: "Input came again after an idle time.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::ScreenLocked,
        name: "screen_locked",
        description: "The screen was locked.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::ScreenUnlocked,
        name: "screen_unlocked",
        description: "The screen was unlocked.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::Alive,
        name: "alive",
        description: "The client lives and records, though nothing happened.",
        attributes: &[],
        since: 1,
        deprecated: None,
    },
    Declaration {
        event_type: EventType::CoverageGap,
        name: "coverage_gap",
        description: "Time or events that capture or delivery lost, so that a hole in the log is never silent.",
        attributes: &[
            (
                "reason",
                "why, such as `quota`, `deleted_by_user`, `refused`, `secure_desktop`",
            ),
            ("events_lost", "how many events were lost, where known"),
            ("duration_us", "how long capture was blind, in microseconds"),
        ],
        since: 1,
        deprecated: None,
    },
];
