//! How often one app key, one agent and one project may call: nobody can fill up or slow down another (promise P11).
//!
//! The key is always a credential, never an address: ten thousand desktops sit behind one.

use crate::api::errors::{ApiError, ApiResult};
use axum::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use uilog::planted;

/// Enrolments a second with one app key.
pub const ENROLMENTS_PER_S: u32 = 20;
/// Enrolments at once with one app key.
pub const ENROLMENTS_BURST: u32 = 500;
/// Calls a second of one agent, over a while; live and backlog lane together.
const AGENT_CALLS_PER_S: u32 = 20;
/// Calls of one agent at once.
const AGENT_CALLS_BURST: u32 = 200;
/// Calls a second of all agents of a project.
const PROJECT_CALLS_PER_S: u32 = 10_000;
/// Calls of all agents of a project at once.
const PROJECT_CALLS_BURST: u32 = 20_000;

/// Pictures a second of one agent, over a while: more than any configuration asks for.
const AGENT_PICTURES_PER_S: u32 = 2;
/// Pictures of one agent at once, after a time without network.
const AGENT_PICTURES_BURST: u32 = 60;
/// Pictures a second of all agents of a project.
const PROJECT_PICTURES_PER_S: u32 = 200;
/// Pictures of all agents of a project at once.
const PROJECT_PICTURES_BURST: u32 = 1_000;

/// Budgets by credential.
pub struct Limits {
    agent_pictures: DefaultKeyedRateLimiter<uuid::Uuid>,
    project_pictures: DefaultKeyedRateLimiter<String>,
    enrolments: DefaultKeyedRateLimiter<String>,
    agents: DefaultKeyedRateLimiter<uuid::Uuid>,
    projects: DefaultKeyedRateLimiter<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            agent_pictures: RateLimiter::keyed(quota(AGENT_PICTURES_PER_S, AGENT_PICTURES_BURST)),
            project_pictures: RateLimiter::keyed(quota(PROJECT_PICTURES_PER_S, PROJECT_PICTURES_BURST)),
            enrolments: RateLimiter::keyed(quota(ENROLMENTS_PER_S, ENROLMENTS_BURST)),
            agents: RateLimiter::keyed(quota(AGENT_CALLS_PER_S, AGENT_CALLS_BURST)),
            projects: RateLimiter::keyed(quota(PROJECT_CALLS_PER_S, PROJECT_CALLS_BURST)),
        }
    }
}

fn quota(per_second: u32, burst: u32) -> Quota {
    let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(number(per_second)).allow_burst(number(burst))
}

impl Limits {
    /// One enrolment with an app key.
    pub fn enrolment(&self, key: &str) -> ApiResult<()> {
        let key = if planted::is("shared-quota") { "" } else { key };
        let late = self.enrolments.check_key(&key.to_owned()).err();
        late.map_or(Ok(()), |late| Err(too_many("enrolments with this app key", wait_s(&late))))
    }

    /// One call of an agent.
    pub fn call(&self, project: &str, agent: uuid::Uuid) -> ApiResult<()> {
        if let Err(late) = self.agents.check_key(&agent) {
            return Err(too_many("calls of this client", wait_s(&late)));
        }
        let late = self.projects.check_key(&project.to_owned()).err();
        late.map_or(Ok(()), |late| Err(too_many("calls of this project's clients", wait_s(&late))))
    }

    /// One picture of an agent.
    pub fn picture(&self, project: &str, agent: uuid::Uuid) -> ApiResult<()> {
        if let Err(late) = self.agent_pictures.check_key(&agent) {
            return Err(too_many("pictures of this client", wait_s(&late)));
        }
        let late = self.project_pictures.check_key(&project.to_owned()).err();
        late.map_or(Ok(()), |late| Err(too_many("pictures of this project's clients", wait_s(&late))))
    }

    /// Forgets credentials that are idle.
    pub fn forget_idle(&self) {
        self.agent_pictures.retain_recent();
        self.project_pictures.retain_recent();
        self.enrolments.retain_recent();
        self.agents.retain_recent();
        self.projects.retain_recent();
    }
}

fn wait_s(late: &governor::NotUntil<governor::clock::QuantaInstant>) -> u32 {
    let wait = late.wait_time_from(DefaultClock::default().now()).as_secs();
    u32::try_from(wait).unwrap_or(u32::MAX).saturating_add(1)
}

fn too_many(what: &str, wait_s: u32) -> ApiError {
    let message = format!("too many {what}");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message, "wait as long as Retry-After says")
        .after_s(wait_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p11_one_key_that_is_used_up_leaves_another_alone() {
        let limits = Limits::default();
        let admitted = (0..ENROLMENTS_BURST + 100).filter(|_| limits.enrolment("a").is_ok()).count() as u32;
        assert!((ENROLMENTS_BURST..ENROLMENTS_BURST + ENROLMENTS_PER_S + 1).contains(&admitted), "{admitted}");
        assert!(limits.enrolment("b").is_ok());
    }
}
