//! `limit` and `offset`, and times as the interface writes them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

/// Rows of a page unless asked otherwise.
const LIMIT_DEFAULT: i64 = 100;

/// Rows of a page at most.
pub const LIMIT_MAX: i64 = 10_000;

/// Which page.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Rows of the page: 100 unless asked otherwise, at most 10,000.
    limit: Option<i64>,
    /// Rows before it.
    offset: Option<i64>,
}

impl Page {
    /// A page as it was asked for.
    pub fn of(limit: Option<i64>, offset: Option<i64>) -> Self {
        Self { limit, offset }
    }

    /// Rows of the page, within bounds.
    pub fn limit(self) -> i64 {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }

    /// Rows before the page.
    pub fn offset(self) -> i64 {
        self.offset.unwrap_or(0).max(0)
    }
}

/// RFC 3339 in UTC, to the millisecond.
pub fn time_text(time_us: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp_micros(time_us).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
