//! The fleet as it changes: server-sent events for pages that watch it.
//!
//! A page hears the counts whenever something happened, at most once a second, and each client that is new or in another
//! state. What a slow page misses it reads from the list.

use super::clients::{ClientCounts, ClientShown, OFFLINE_AFTER_US, one};
use super::errors::ApiResult;
use super::paging::time_text;
use super::state::AppState;
use crate::access::ProjectAccess;
use crate::jobs::runner::now_us;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

/// The least time between two counts.
const COUNTS_EVERY: Duration = Duration::from_secs(1);

/// How often a silent stream shows that it is alive.
const PING_EVERY: Duration = Duration::from_secs(15);

/// Clients told one by one between two counts; when more change, the page reads the list.
const CLIENTS_MAX: usize = 50;

/// An event of the stream: its name stands in the line `event`, what it tells in the line `data`, as JSON.
#[derive(Serialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum LiveEvent {
    /// How many clients are in which state, and how much they send.
    Counts(LiveCounts),
    /// A client that is new or in another state, with the history of its state.
    Client(Box<ClientShown>),
}

/// How many clients are in which state, and how much they send.
#[derive(Serialize, ToSchema)]
pub struct LiveCounts {
    #[schema(value_type = ClientCounts)]
    counts: BTreeMap<String, i64>,
    /// Events a minute, over the last complete minutes.
    events_per_min: u64,
    last_event_at: Option<String>,
}

impl LiveEvent {
    /// As it is sent; `None` for what cannot be written as JSON.
    fn sent(&self) -> Option<Event> {
        let (name, data) = match self {
            Self::Counts(counts) => ("counts", Event::default().json_data(counts)),
            Self::Client(client) => ("client", Event::default().json_data(client)),
        };
        data.ok().map(|event| event.event(name))
    }
}

/// What changes in the fleet, as server-sent events; a comment `ping` shows that a silent stream is alive.
#[utoipa::path(get, path = "/projects/{project}/live",
    responses((status = 200, content_type = "text/event-stream", body = LiveEvent)),
    extensions(("x-lode-permission" = json!("oversight"))))]
pub async fn watch(
    State(state): State<AppState>,
    access: ProjectAccess,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let project = access.id().to_owned();
    let watching = Watching { changes: state.fleet.live.watch(), state, project, told: Vec::new(), first: true };
    let stream = futures::stream::unfold(watching, |mut watching| async move {
        let event = watching.next().await?;
        Some((Ok(event), watching))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(PING_EVERY).text("ping")))
}

struct Watching {
    changes: tokio::sync::broadcast::Receiver<crate::live::Change>,
    state: AppState,
    project: String,
    /// Events that were made and not sent yet; the last one first.
    told: Vec<Event>,
    first: bool,
}

impl Watching {
    /// The next event; `None` when the service ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.told.pop() {
                return Some(event);
            }
            let changed = if std::mem::take(&mut self.first) { BTreeSet::new() } else { self.changed().await? };
            self.told.extend(self.counts().await.sent());
            if changed.len() <= CLIENTS_MAX {
                for agent in changed {
                    // A client that is gone already is no news.
                    if let Ok(client) = one(&self.state, &self.project, &agent).await {
                        self.told.extend(LiveEvent::Client(Box::new(client)).sent());
                    }
                }
            }
        }
    }

    /// Waits for a change of this project, then gathers what follows within [`COUNTS_EVERY`].
    async fn changed(&mut self) -> Option<BTreeSet<String>> {
        let mut agents = BTreeSet::new();
        let mut end = None;
        loop {
            let next = async { self.changes.recv().await };
            let change = match end {
                None => next.await,
                Some(end) => match tokio::time::timeout_at(end, next).await {
                    Ok(change) => change,
                    Err(_) => return Some(agents),
                },
            };
            match change {
                Ok(change) if change.project == self.project => {
                    agents.extend(change.agent_id);
                    end.get_or_insert_with(|| tokio::time::Instant::now() + COUNTS_EVERY);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    end.get_or_insert_with(|| tokio::time::Instant::now() + COUNTS_EVERY);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn counts(&self) -> LiveEvent {
        let now_us = now_us();
        let ingest = self.state.store.ingest();
        let counts = ingest.client_counts(&self.project, now_us - OFFLINE_AFTER_US).await.unwrap_or_default();
        let live = &self.state.fleet.live;
        LiveEvent::Counts(LiveCounts {
            counts,
            events_per_min: live.events_per_min(&self.project, now_us),
            last_event_at: live.last_event_us(&self.project).and_then(time_text),
        })
    }
}
