//! How many events a second the service takes in, and how long an acknowledgement takes: `cargo xtask bench ingest`.
//!
//! Service and clients share the machine, as on a developer's two cores. Envelopes are captured, scrubbed and packed before
//! the clock starts, so that what is measured is the service: HTTP over loopback, unpacking, second scrub, second hash,
//! landing with a synced commit, receipts. First as fast as it goes, closed loop; then at half that rate, open loop: an
//! envelope is due at its time whether the one before was answered or not, and its time counts from when it was due.
//!
//! With a number after it, so many desktops are enrolled then: [`register`].

mod register;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use serde_json::json;
use server::configuring::{Publication, publish};
use server::identity::secret_text::KeyKind;
use server::identity::{Identity, master_key::Sealer};
use server::jobs::runner::now_us;
use server::keyring::Keyring;
use server::operators;
use server::serve::{ServeOptions, Service};
use server::simulation::client::{Sent, SimulatedClient};
use server::simulation::fleet::Ledger;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::control::app_keys::AppKey;
use store::control::projects::ProjectKind;
use store::{Settings, Store};
use uilog::policy::{self, Preset, TemplateInput};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Clients that send at once; each stays within what one agent may call at once.
const CLIENTS: usize = 96;
/// Events of one envelope.
const BATCH: usize = 100;
/// Envelopes of one client, for each of the two measurements.
const ENVELOPES: usize = 150;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("master.key");
    let store = Store::open(Settings::for_folder(folder.path().join("data"))).await?;
    store.engine().register(operators::all());
    let enrolled = std::env::args().nth(1).map_or(Ok(0), |number| number.parse())?;
    let project = study(&store, &key, &folder.path().join("data")).await?;
    let app_key = app_key(&store, &project).await?;
    let options = ServeOptions { open: true, master_key: Some(key), ..ServeOptions::on("127.0.0.1:0".parse()?) };
    let service = Service::bind(store.clone(), options).await?;
    let server = format!("http://{}", service.address());
    tokio::spawn(service.run(std::future::pending()));

    eprintln!("preparing {} events for {CLIENTS} clients", CLIENTS * BATCH * ENVELOPES);
    let full = prepared(&server, &app_key, ENVELOPES).await?;
    eprintln!("sending them as fast as it goes");
    let (rate, times_us) = as_fast_as_it_goes(full).await?;
    eprintln!("preparing as many again");
    let half = prepared(&server, &app_key, ENVELOPES).await?;
    eprintln!("sending them at half the rate, {:.0} events a second", rate / 2.0);
    let open_us = at_rate(half, rate / 2.0).await?;
    let register = match enrolled {
        0 => serde_json::Value::Null,
        _ => register::measure(&store, &server, &project, enrolled).await?,
    };
    println!(
        "{}",
        json!({
            "clients": CLIENTS, "batch": BATCH, "events": 2 * CLIENTS * BATCH * ENVELOPES,
            "events_per_s": rate.round(),
            "closed_loop_ms": percentiles(&times_us),
            "half_rate_open_loop_ms": percentiles(&open_us),
            "register": register,
        })
    );
    Ok(())
}

/// The middle and the slow end of times, in milliseconds.
fn percentiles(times_us: &[u64]) -> serde_json::Value {
    json!({ "p50": Ledger::percentile_ms(times_us, 0.5), "p99": Ledger::percentile_ms(times_us, 0.99) })
}

/// A project with a published configuration; gives its id.
async fn study(store: &Store, key: &Path, data: &Path) -> Result<String> {
    let project = store.control().create_project("Bench", ProjectKind::Enrolled, now_us()).await?;
    let input = TemplateInput {
        project: project.id.parse()?,
        applications: ["excel.exe", "outlook.exe", "saplogon.exe"].map(str::to_owned).into(),
        sites: vec!["orders.example.org".into()],
        valid_until_s: now_us() / 1_000_000 + 86_400 * 30,
        texts: vec![("en".into(), "We record clicks in Excel.".into())],
    };
    let configuration =
        policy::template(Preset::Standard, &input).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let xml = policy::write(&configuration);
    let identity = Identity::new(Sealer::open(Some(key), data, store.control()).await?, true);
    let keyring = Keyring::new(store.clone(), Arc::new(identity));
    let publication = Publication { project: &project.id, xml: &xml, note: "", author: "bench", percent: 100 };
    publish(store, &keyring, publication, now_us()).await?;
    Ok(project.id)
}

/// A new app key of a project.
async fn app_key(store: &Store, project: &str) -> Result<String> {
    let issued = KeyKind::AppKey.issue();
    let app_key = AppKey {
        id: issued.id,
        project: project.to_owned(),
        name: "bench".into(),
        hash: issued.hash,
        created_at_us: now_us(),
        expires_at_us: now_us() + 86_400_000_000,
        uses: 0,
        uses_max: None,
        hold: false,
        address_range: None,
        invitation: None,
        revoked_at_us: None,
    };
    store.control().put_app_key(&app_key).await?;
    Ok(issued.text.expose_secret().to_owned())
}

/// Clients with their envelopes.
type Prepared = Vec<(SimulatedClient, Vec<Vec<u8>>)>;

async fn prepared(server: &str, app_key: &str, envelopes_each: usize) -> Result<Prepared> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(CLIENTS).build()?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = SimulatedClient::enrol(&http, server, app_key).await?;
        client.beat("recording").await?;
        let mut envelopes = Vec::with_capacity(envelopes_each);
        for _ in 0..envelopes_each {
            let events = client.capture(BATCH, now_us());
            envelopes.push(client.pack(&events)?);
        }
        clients.push((client, envelopes));
    }
    Ok(clients)
}

async fn as_fast_as_it_goes(clients: Prepared) -> Result<(f64, Vec<u64>)> {
    let began = Instant::now();
    let mut sending = tokio::task::JoinSet::new();
    for (mut client, envelopes) in clients {
        sending.spawn(async move {
            let mut times_us = Vec::with_capacity(envelopes.len());
            for envelope in envelopes {
                let began = Instant::now();
                acknowledged(&mut client, envelope).await?;
                times_us.push(began.elapsed().as_micros() as u64);
            }
            anyhow::Ok(times_us)
        });
    }
    let times_us: Vec<u64> = sending.join_all().await.into_iter().collect::<Result<Vec<_>>>()?.concat();
    Ok(((CLIENTS * ENVELOPES * BATCH) as f64 / began.elapsed().as_secs_f64(), times_us))
}

async fn at_rate(clients: Prepared, events_per_s: f64) -> Result<Vec<u64>> {
    let gap = Duration::from_secs_f64((CLIENTS * BATCH) as f64 / events_per_s);
    let mut sending = tokio::task::JoinSet::new();
    for (number, (mut client, envelopes)) in clients.into_iter().enumerate() {
        sending.spawn(async move {
            let first = Instant::now() + gap.mul_f64(number as f64 / CLIENTS as f64);
            let mut times_us = Vec::with_capacity(envelopes.len());
            for (round, envelope) in envelopes.into_iter().enumerate() {
                let due = first + gap * round as u32;
                tokio::time::sleep_until(due.into()).await;
                acknowledged(&mut client, envelope).await?;
                times_us.push(due.elapsed().as_micros() as u64);
            }
            anyhow::Ok(times_us)
        });
    }
    Ok(sending.join_all().await.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// Sends until the service takes it; it may ask to wait.
async fn acknowledged(client: &mut SimulatedClient, envelope: Vec<u8>) -> Result<()> {
    loop {
        match client.send(envelope.clone()).await.context("an envelope got no answer")? {
            Sent::Acknowledged(answer) if answer.accepted.count() == BATCH as u64 => return Ok(()),
            Sent::Acknowledged(answer) => anyhow::bail!("not every event was stored: {answer:?}"),
            Sent::Refused(status, wait_s) if [429, 503].contains(&status.as_u16()) => {
                tokio::time::sleep(Duration::from_secs(wait_s.unwrap_or(1))).await;
            }
            Sent::Refused(status, _) => anyhow::bail!("refused: {status}"),
        }
    }
}
