//! The register of a large company: many enrolled desktops of which some beat each second while events come in, and the list
//! that a lead looks at.
//!
//! Everything is an open loop: a heartbeat is due at its time, and its time counts from then.

use super::{BATCH, CLIENTS, app_key, at_rate, percentiles, prepared};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use server::simulation::client::SimulatedClient;
use std::time::{Duration, Instant};
use store::Store;
use tokio::task::JoinSet;

/// Clients that one app key enrols; a key has a limit a second, and this many are within its burst.
const PER_KEY: usize = 400;
/// Enrolments at once.
const ENROLLING: usize = 16;
/// Heartbeats a second: what 100,000 clients make that beat every five minutes.
const BEATS_PER_S: usize = 333;
/// Events a second meanwhile.
const EVENTS_PER_S: f64 = 10_000.0;
/// Seconds of beating.
const SECONDS: usize = 30;
/// Pages of the list that are asked for.
const PAGES: usize = 60;

/// Enrols `enrolled` clients, lets them beat while events come in, and reads their list.
pub async fn measure(store: &Store, server: &str, project: &str, enrolled: usize) -> Result<Value> {
    let began = Instant::now();
    let clients = enrol(store, server, project, enrolled).await?;
    let enrolments_per_s = enrolled as f64 / began.elapsed().as_secs_f64();

    let beating: Vec<_> = clients.into_iter().take(BEATS_PER_S * SECONDS).collect();
    let mut beating = in_parallel(beating, async |client: &mut SimulatedClient| {
        // The first heartbeat fetches the configuration, which is not what is measured.
        client.beat("recording").await.map(|_| ())
    })
    .await?;
    beating.reverse();
    let envelopes = (EVENTS_PER_S as usize * SECONDS).div_ceil(CLIENTS * BATCH);
    let sending = prepared(server, &app_key(store, project).await?, envelopes).await?;
    let (beats_us, acknowledged_us) = tokio::try_join!(beat(beating), at_rate(sending, EVENTS_PER_S))?;

    let pages_us = read_pages(server, project, enrolled).await?;
    Ok(json!({
        "enrolled": enrolled, "enrolments_per_s": enrolments_per_s.round(),
        "heartbeats_per_s": BEATS_PER_S, "heartbeat_ms": percentiles(&beats_us),
        "events_per_s_meanwhile": EVENTS_PER_S, "acknowledgement_ms": percentiles(&acknowledged_us),
        "page_of_the_list_ms": percentiles(&pages_us),
    }))
}

async fn enrol(store: &Store, server: &str, project: &str, enrolled: usize) -> Result<Vec<SimulatedClient>> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(ENROLLING).build()?;
    let mut clients = Vec::with_capacity(enrolled);
    while clients.len() < enrolled {
        let mut work = JoinSet::new();
        for _ in 0..ENROLLING {
            let (http, server, key) = (http.clone(), server.to_owned(), app_key(store, project).await?);
            work.spawn(async move {
                let mut clients = Vec::with_capacity(PER_KEY);
                for _ in 0..PER_KEY {
                    clients.push(SimulatedClient::enrol(&http, &server, &key).await?);
                }
                anyhow::Ok(clients)
            });
        }
        for made in work.join_all().await {
            clients.extend(made?);
        }
    }
    clients.truncate(enrolled);
    Ok(clients)
}

/// Does something with each client, a few at a time.
async fn in_parallel(
    clients: Vec<SimulatedClient>,
    work: impl AsyncFn(&mut SimulatedClient) -> Result<()>,
) -> Result<Vec<SimulatedClient>> {
    use futures::{StreamExt, TryStreamExt};
    let work = &work;
    let each = futures::stream::iter(clients).map(|mut client| async move { work(&mut client).await.map(|()| client) });
    each.buffer_unordered(ENROLLING).try_collect().await
}

async fn beat(clients: Vec<SimulatedClient>) -> Result<Vec<u64>> {
    let mut beating = JoinSet::new();
    let first = Instant::now();
    for (number, mut client) in clients.into_iter().enumerate() {
        let due = first + Duration::from_secs_f64(number as f64 / BEATS_PER_S as f64);
        beating.spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            client.beat("recording").await.context("a heartbeat got no answer")?;
            anyhow::Ok(due.elapsed().as_micros() as u64)
        });
    }
    beating.join_all().await.into_iter().collect()
}

/// Pages from all over the list, in every order that it has, some of them searched.
async fn read_pages(server: &str, project: &str, enrolled: usize) -> Result<Vec<u64>> {
    let (http, mut times_us) = (reqwest::Client::new(), Vec::with_capacity(PAGES));
    let sorts = ["-last_seen", "enrolled", "-waiting", "state"];
    for page in 0..PAGES {
        let offset = enrolled * page / PAGES;
        let (sort, search) = (sorts[page % sorts.len()], if page % 3 == 0 { "&search=simul" } else { "" });
        let url = format!("{server}/api/v1/projects/{project}/clients?limit=50&offset={offset}&sort={sort}{search}");
        let began = Instant::now();
        let answer: Value = http.get(url).send().await?.error_for_status()?.json().await?;
        times_us.push(began.elapsed().as_micros() as u64);
        anyhow::ensure!(answer["clients"].is_array(), "no list: {answer}");
    }
    Ok(times_us)
}
