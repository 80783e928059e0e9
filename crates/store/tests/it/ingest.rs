//! What agents send: durable before it is acknowledged, once for ever, in order, and visible soon.

use crate::support::{NOW_US, Place, ask, files_with, import, over_both, project, unheard};
use sqlx::{Connection, Executor};
use store::control::projects::Project;
use store::ingest::clients::{Client, Enrolment, Heartbeat, Received, SORTS, Standing, Wanted};
use store::ingest::landing::{Batch, Entry, LandError, Landed, hash_of};
use store::{Store, StoreError};
use uilog::random::Random;
use uilog::{Event, EventType, SeqRanges};
use uuid::Uuid;

const EPOCH: Uuid = Uuid::from_u128(0xe);

fn agent(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn event(agent_id: Uuid, seq: u64, title: &str) -> Event {
    Event {
        agent_id,
        epoch: EPOCH,
        seq,
        time_us: NOW_US + seq as i64 * 1_000_000,
        event_type: EventType::LeftClick,
        session_id: Uuid::from_u128(5),
        user_name: Some(format!("#{agent_id}")),
        process_name: Some("excel.exe".into()),
        window_title: Some(title.into()),
        ..Event::default()
    }
}

/// A batch of events with these numbers.
fn batch(project: &Project, agent_id: Uuid, seqs: impl IntoIterator<Item = u64>) -> Batch {
    batch_of(project, agent_id, seqs.into_iter().map(|seq| event(agent_id, seq, &format!("title {seq}"))))
}

fn batch_of(project: &Project, agent_id: Uuid, events: impl IntoIterator<Item = Event>) -> Batch {
    let (mut text, mut entries) = (Vec::new(), Vec::new());
    for event in events {
        let line = serde_json::to_vec(&event).unwrap();
        text.extend_from_slice(&line);
        text.push(b'\n');
        entries.push(Entry { seq: event.seq, hash: hash_of(&line), end: text.len() });
    }
    Batch {
        project: project.id.clone(),
        agent_id,
        epoch: EPOCH,
        received_at_us: NOW_US,
        text,
        events: entries,
        removed: SeqRanges::default(),
    }
}

/// What the service has of one agent.
async fn received_of(store: &Store, project: &Project, agent_id: Uuid) -> Received {
    let agent = agent_id.to_string();
    store.ingest().received_of(&project.id, &[&agent]).await.unwrap().remove(&agent).unwrap()
}

fn seqs(ranges: &[(u64, u64)]) -> SeqRanges {
    ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
}

/// Folds until nothing waits.
async fn fold_all(store: &Store, project: &Project) -> usize {
    let mut events = 0;
    loop {
        let folded = store.fold(&project.id, NOW_US).await.unwrap();
        events += folded.events;
        if !folded.more {
            return events;
        }
    }
}

const COUNT: &str = "SELECT count(*), count(DISTINCT event_order) FROM events";

#[tokio::test(flavor = "multi_thread")]
async fn p2_a_batch_that_is_sent_again_is_stored_once() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let first = store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
        assert_eq!(first, Landed { accepted: seqs(&[(1, 5)]), duplicates: SeqRanges::default() });
        let again = store.ingest().land(batch(&project, agent(1), 3..=8)).await.unwrap();
        assert_eq!(again, Landed { accepted: seqs(&[(6, 8)]), duplicates: seqs(&[(3, 5)]) });
        assert_eq!(fold_all(&store, &project).await, 8);
        let late = store.ingest().land(batch(&project, agent(1), 1..=8)).await.unwrap();
        assert_eq!(late.duplicates, seqs(&[(1, 8)]), "folded events are still known");
        assert_eq!(fold_all(&store, &project).await, 0);
        assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["8 8"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_what_was_received_is_known_after_its_rows_are_gone_and_after_a_start() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
        fold_all(&store, &project).await;
        store.retire(&project.id, i64::MAX / 2, NOW_US).await.unwrap();
        store.ingest().close().await;
        drop(store);
        let store = place.open().await;
        let late = store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
        assert_eq!(late.duplicates, seqs(&[(1, 5)]));
        assert_eq!(fold_all(&store, &project).await, 0);
        assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["0 0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_the_same_number_with_another_content_is_refused_and_overwrites_nothing() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
        let cloned = [event(agent(1), 6, "title 6"), event(agent(1), 4, "another machine's title")];
        let refused = store.ingest().land(batch_of(&project, agent(1), cloned)).await;
        assert!(matches!(refused, Err(LandError::Conflict { seq: 4 })), "{refused:?}");
        let twice = [event(agent(1), 7, "one"), event(agent(1), 7, "other")];
        let refused = store.ingest().land(batch_of(&project, agent(1), twice)).await;
        assert!(matches!(refused, Err(LandError::Conflict { seq: 7 })), "{refused:?}");
        fold_all(&store, &project).await;
        let titles = "SELECT string_agg(window_title, '|' ORDER BY seq) FROM events";
        assert_eq!(ask(&store, &project, titles).await.unwrap(), ["title 1|title 2|title 3|title 4|title 5"]);
    })
    .await;
}

/// An agent belongs to one project.
fn whose(seed: u64, who: usize) -> Uuid {
    agent(u128::from(seed) * 10 + who as u128 + 1)
}

/// TS3: batches of several agents, repeated, overlapping, with gaps, in any order, folded at any time.
#[tokio::test(flavor = "multi_thread")]
async fn p2_whatever_the_order_each_event_is_stored_once_and_in_its_place() {
    let place = Place::new();
    let store = place.open().await;
    for seed in 0..32 {
        let project = project(&store, &format!("Orders {seed}")).await;
        let mut random = Random::new(seed);
        let mut sent = vec![SeqRanges::default(); 4];
        for _ in 0..24 {
            let who = random.below(4) as usize;
            let first = 1 + random.below(40);
            let last = first + random.below(12);
            let landed = store.ingest().land(batch(&project, whose(seed, who), first..=last)).await.unwrap();
            let (new, old): (Vec<u64>, Vec<u64>) = (first..=last).partition(|seq| !sent[who].contains(*seq));
            assert_eq!(landed.accepted, new.into_iter().collect(), "seed {seed}");
            assert_eq!(landed.duplicates, old.into_iter().collect(), "seed {seed}");
            sent[who].insert(first, last);
            match random.below(4) {
                0 => drop(store.fold(&project.id, NOW_US).await.unwrap()),
                1 => drop(store.merge_recent(&project.id, NOW_US).await.unwrap()),
                _ => {}
            }
        }
        fold_all(&store, &project).await;
        let mut expected: Vec<String> = Vec::new();
        for (who, ranges) in sent.iter().enumerate() {
            let numbers = ranges.ranges().iter().flat_map(|(first, last)| *first..=*last);
            expected.extend(numbers.map(|seq| format!("{} {seq} title {seq}", whose(seed, who))));
        }
        let stored =
            ask(&store, &project, "SELECT agent_id, seq, window_title FROM events ORDER BY agent_id, seq").await;
        assert_eq!(stored.unwrap(), expected, "seed {seed}");
    }
}

/// TC6: whatever a client's clock does, the numbers decide.
#[tokio::test(flavor = "multi_thread")]
async fn p8_a_clock_that_runs_backwards_changes_no_order() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let backwards = (1..=9).map(|seq| Event { time_us: NOW_US - seq as i64, ..event(agent(1), seq, "t") });
        store.ingest().land(batch_of(&project, agent(1), backwards)).await.unwrap();
        fold_all(&store, &project).await;
        let stored = ask(&store, &project, "SELECT seq FROM events ORDER BY event_order").await.unwrap();
        assert_eq!(stored.join(" "), "1 2 3 4 5 6 7 8 9");
        let stored = ask(&store, &project, "SELECT seq FROM events").await.unwrap();
        assert_eq!(stored.join(" "), "1 2 3 4 5 6 7 8 9", "as they lie in the file");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recent_files_are_read_in_the_order_of_events_beside_a_large_one() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        import(&store, &project, "09:00 excel copy B2 @ann | 09:10 crm paste name @ann").await.unwrap();
        for round in 0..12_u64 {
            for who in 1..=3 {
                store.ingest().land(batch(&project, agent(who), [round * 2 + 2, round * 2 + 1])).await.unwrap();
            }
            store.fold(&project.id, NOW_US).await.unwrap();
        }
        let in_order = "SELECT agent_key, event_order FROM events";
        let mut expected = ask(&store, &project, in_order).await.unwrap();
        expected.sort_by_key(|row| row.split(' ').map(|cell| cell.parse::<i64>().unwrap()).collect::<Vec<_>>());
        assert_eq!(expected.len(), 2 + 72);
        let one = |sql: &str| format!("SELECT * FROM ({sql}) WHERE agent_key > 1");
        let asked = ask(&store, &project, &one(in_order)).await.unwrap();
        assert_eq!(asked, expected[2..], "merged while read");
        let only_titles = ask(&store, &project, "SELECT count(window_title) FROM events").await.unwrap();
        assert_eq!(only_titles, ["72"]);
        let files = store.control().files(&project.id, "events").await.unwrap().len();
        let merged = store.merge_recent(&project.id, NOW_US).await.unwrap();
        assert!(merged.files_before >= 8 && merged.rows_removed == 0, "{merged:?} of {files} files");
        assert_eq!(ask(&store, &project, &one(in_order)).await.unwrap(), expected[2..], "merged on disk");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_was_acknowledged_is_there_after_a_start_whether_it_was_folded_or_not() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
        fold_all(&store, &project).await;
        store.ingest().land(batch(&project, agent(1), 6..=9)).await.unwrap();
        store.ingest().close().await;
        drop(store);
        let store = place.open().await;
        assert_eq!(store.ingest().waiting().await.unwrap(), [(project.id.clone(), 4)]);
        assert_eq!(fold_all(&store, &project).await, 4);
        assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["9 9"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p2_a_fold_that_ended_before_its_batches_were_removed_is_not_done_twice() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    store.ingest().land(batch(&project, agent(1), 1..=5)).await.unwrap();
    store.ingest().close().await;
    drop(store);
    // The process ends between the commit of the fold and the removal of its batches: both databases as they are then.
    let ingest = place.folder().join("ingest.sqlite");
    std::fs::copy(&ingest, place.beside("ingest-before")).unwrap();
    let store = place.open().await;
    let mut connection = raw(&place.folder().join("ingest.sqlite")).await;
    let ids: Vec<(String,)> = sqlx::query_as("SELECT id FROM batches").fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    fold_all(&store, &project).await;
    store.ingest().close().await;
    store.control().close().await;
    drop(store);
    std::fs::copy(place.beside("ingest-before"), &ingest).unwrap();
    let mut control = raw(&place.folder().join("control.sqlite")).await;
    let note = format!("INSERT INTO folds (id, project, batches) VALUES ('f', '{}', '{}')", project.id, ids[0].0);
    control.execute(sqlx::AssertSqlSafe(note)).await.unwrap();
    control.close().await.unwrap();
    let store = place.open().await;
    assert_eq!(fold_all(&store, &project).await, 0);
    assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["5 5"]);
}

async fn raw(path: &std::path::Path) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    sqlx::AnyConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_backup_holds_what_was_not_folded_yet() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    store.ingest().land(batch(&project, agent(1), 1..=3)).await.unwrap();
    fold_all(&store, &project).await;
    store.ingest().land(batch(&project, agent(1), 4..=5)).await.unwrap();
    store.backup(&place.beside("archive"), NOW_US, unheard()).await.unwrap();
    store.ingest().close().await;
    drop(store);
    store::backup::restore(&place.beside("archive"), &place.beside("again")).await.unwrap();
    let store = Store::open(store::Settings::for_folder(place.beside("again"))).await.unwrap();
    assert_eq!(fold_all(&store, &project).await, 2);
    assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["5 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_project_leaves_nothing_of_what_agents_sent() {
    let place = Place::new();
    let store = place.open().await;
    let project = project(&store, "Orders").await;
    store.ingest().enrol(enrolment(&project, agent(1), Standing::Active)).await.unwrap();
    store.ingest().beat(heartbeat(&project, agent(1), "recording", Some("canary-4711"))).await.unwrap();
    store.ingest().land(batch(&project, agent(1), 1..=3)).await.unwrap();
    assert!(!files_with(&place.folder(), "canary-4711").is_empty(), "nothing is looked for where it is not");
    store.delete_project(&project.id).await.unwrap();
    store.leave_no_trace().await.unwrap();
    assert_eq!(files_with(&place.folder(), "canary-4711"), [] as [std::path::PathBuf; 0]);
    assert_eq!(store.ingest().waiting().await.unwrap(), []);
}

fn enrolment(project: &Project, agent_id: Uuid, standing: Standing) -> Enrolment {
    Enrolment {
        agent_id,
        project: project.id.clone(),
        app_key: "key".into(),
        invitation: None,
        public_key: "public".into(),
        standing,
        team: None,
        version: "0.1.0".into(),
        os: "linux-x11".into(),
        at_us: NOW_US,
    }
}

fn heartbeat(project: &Project, agent_id: Uuid, state: &str, error: Option<&str>) -> Heartbeat {
    Heartbeat {
        agent_id,
        project: project.id.clone(),
        at_us: NOW_US,
        state: state.into(),
        why: None,
        version: "0.1.1".into(),
        os: "linux-x11".into(),
        config_revision: Some(17),
        waiting: 412,
        clock_offset_us: 0,
        status: "{}".into(),
        error: error.map(|message| ("disk_full".into(), message.into())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_knows_who_speaks_and_how_they_are() {
    over_both(async |place| {
        let store = place.open().await;
        let (project, other) = (project(&store, "Orders").await, project(&store, "Other").await);
        let ingest = store.ingest();
        for number in 1..=5 {
            let standing = if number == 5 { Standing::Held } else { Standing::Active };
            ingest.enrol(enrolment(&project, agent(number), standing)).await.unwrap();
        }
        ingest.enrol(enrolment(&other, agent(9), Standing::Active)).await.unwrap();
        ingest.put_token(agent(1), &project.id, "hash", NOW_US + 10, NOW_US).await.unwrap();
        let speaker = ingest.speaker("hash").await.unwrap().unwrap();
        assert_eq!(
            (speaker.agent_id, speaker.project, speaker.standing),
            (agent(1), project.id.clone(), Standing::Active)
        );
        for number in 1..=2 {
            for state in ["recording", "recording", "paused"] {
                ingest.beat(heartbeat(&project, agent(number), state, Some("no space"))).await.unwrap();
            }
        }
        let counts = ingest.client_counts(&project.id, NOW_US - 1).await.unwrap();
        let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{state} {count}")).collect();
        assert_eq!(counts, ["held 1", "offline 2", "paused 2"]);
        let wanted =
            Wanted { state: Some("paused".into()), limit: 1, offline_before_us: NOW_US - 1, ..Wanted::default() };
        let (listed, total) = ingest.clients(&project.id, &wanted).await.unwrap();
        assert_eq!((listed.len(), total, listed[0].waiting, listed[0].config_revision), (1, 2, 412, Some(17)));
        let wanted = Wanted { search: Some("0.1.1".into()), limit: 10, ..Wanted::default() };
        assert_eq!(ingest.clients(&project.id, &wanted).await.unwrap().1, 2);
        let history = ingest.client_history(&project.id, &agent(1).to_string()).await.unwrap();
        assert_eq!(history.len(), 2, "a state that stays is no change");
        let errors = ingest.client_errors(&project.id).await.unwrap();
        assert_eq!((errors.len(), errors[0].count, errors[0].clients), (1, 6, 2));
        assert!(ingest.set_standing(&project.id, &agent(1).to_string(), Standing::Revoked).await.unwrap());
        assert!(!ingest.set_standing(&other.id, &agent(2).to_string(), Standing::Revoked).await.unwrap(), "S1");
        assert_eq!(ingest.speaker("hash").await.unwrap(), None);
        assert!(matches!(ingest.client(&other.id, &agent(2).to_string()).await, Err(StoreError::Missing { .. })));
        assert_eq!(ingest.approve_held(&project.id, None).await.unwrap(), 1);
    })
    .await;
}

/// Each order is answered by an index of its own, and a filtered list by another way: both must tell the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_clients_comes_in_every_order_in_pages_that_join_whatever_is_asked() {
    over_both(async |place| {
        let store = place.open().await;
        let (project, other) = (project(&store, "Orders").await, project(&store, "Other").await);
        let ingest = store.ingest();
        for number in 1..=9 {
            let (team, at_us) = ((number % 3 > 0).then(|| format!("Team {}", number % 3)), NOW_US - number as i64);
            let enrolment = enrolment(&project, agent(number), Standing::Active);
            ingest.enrol(Enrolment { team, at_us, ..enrolment }).await.unwrap();
            if number % 4 > 0 {
                let heartbeat = heartbeat(&project, agent(number), ["recording", "paused"][number as usize % 2], None);
                let (waiting, at_us) = (number as i64 * 7 % 5, NOW_US + number as i64 * 7 % 4);
                ingest
                    .beat(Heartbeat { waiting, at_us, version: format!("0.{}", number % 2), ..heartbeat })
                    .await
                    .unwrap();
            }
        }
        ingest.enrol(enrolment(&other, agent(10), Standing::Active)).await.unwrap();

        let whole = Wanted { limit: 100, offline_before_us: NOW_US - 1, ..Wanted::default() };
        let everything = ingest.clients(&project.id, &whole).await.unwrap().0;
        let filters = [
            ("all", Wanted::default()),
            ("team", Wanted { team: Some("Team 1".into()), ..Wanted::default() }),
            ("state", Wanted { state: Some("paused".into()), ..Wanted::default() }),
            ("search", Wanted { search: Some(" TEAM 2 ".into()), ..Wanted::default() }),
        ];
        for ((name, filter), sort, descending) in
            filters.iter().flat_map(|filter| SORTS.map(|sort| [(filter, sort, false), (filter, sort, true)])).flatten()
        {
            let fits = |client: &&Client| match *name {
                "team" => client.team.as_deref() == Some("Team 1"),
                "state" => client.reported_state.as_deref() == Some("paused"),
                "search" => client.team.as_deref() == Some("Team 2"),
                _ => true,
            };
            let mut expected: Vec<&Client> = everything.iter().filter(fits).collect();
            expected.sort_by_key(|client| (key(client, sort), client.agent_id.clone()));
            if descending {
                expected.reverse();
            }
            let mut listed = Vec::new();
            for offset in (0..10).step_by(2) {
                let wanted = Wanted { sort: sort.into(), descending, limit: 2, offset, ..filter.clone() };
                let wanted = Wanted { offline_before_us: NOW_US - 1, ..wanted };
                let (page, total) = ingest.clients(&project.id, &wanted).await.unwrap();
                assert_eq!(total as usize, expected.len(), "{name} by {sort}");
                listed.extend(page.into_iter().map(|client| client.agent_id));
            }
            let expected: Vec<&String> = expected.iter().map(|client| &client.agent_id).collect();
            assert!(listed.iter().eq(expected.iter().copied()), "{name} by {sort}: {listed:?}, not {expected:?}");
        }
    })
    .await;
}

/// What a list is sorted by, as text and number.
fn key(client: &Client, sort: &str) -> (String, i64) {
    match sort {
        "version" => (client.version.clone(), 0),
        "waiting" => (String::new(), client.waiting),
        "state" => (client.reported_state.clone().unwrap_or_default(), 0),
        "enrolled" => (String::new(), client.enrolled_at_us),
        _ => (String::new(), client.last_seen_at_us.unwrap_or(0)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_what_is_missing_without_a_reason_is_counted() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        store.ingest().land(batch(&project, agent(1), 1..=3)).await.unwrap();
        let explained = Batch { removed: seqs(&[(4, 5)]), ..batch(&project, agent(1), 8..=9) };
        store.ingest().land(explained).await.unwrap();
        let received = received_of(&store, &project, agent(1)).await;
        assert_eq!((received.stored, received.removed, received.missing), (5, 2, 2));
        assert_eq!(store.ingest().received(&project.id).await.unwrap(), received);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d8_an_erased_agent_leaves_no_byte_anywhere_and_a_repetition_brings_nothing_back() {
    over_both(async |place| {
        // What is looked for is bytes of the data folder; PostgreSQL keeps its own, and this story was not told there yet.
        if place.settings().control_url.is_some() {
            return;
        }
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let titled = |agent_id, seqs: std::ops::RangeInclusive<u64>| {
            batch_of(&project, agent_id, seqs.map(move |seq| event(agent_id, seq, "canary-title")))
        };
        store.ingest().land(titled(agent(1), 1..=5)).await.unwrap();
        store.ingest().land(batch(&project, agent(2), 1..=4)).await.unwrap();
        fold_all(&store, &project).await;
        let snapshot = store.snapshot(&project.id).await.unwrap();
        let mart = crate::support::table("titles", "SELECT window_title FROM events");
        store.build_table(&snapshot, &mart, NOW_US).await.unwrap();
        drop(snapshot);
        // Some are still on their way, and one was refused.
        store.ingest().land(titled(agent(1), 6..=8)).await.unwrap();
        let letter = store::ingest::dead_letters::DeadLetter {
            id: "letter".into(),
            agent_id: agent(1).to_string(),
            epoch: EPOCH.to_string(),
            seq: Some(9),
            reason: "unknown revision".into(),
            received_at_us: NOW_US,
            body: b"canary-title".to_vec(),
        };
        store.ingest().put_dead_letters(&project.id, vec![letter]).await.unwrap();
        assert!(files_with(&place.folder(), "canary-title").len() > 2, "the search sees nothing");

        let erased = store.erase_agent(&project.id, &agent(1).to_string(), NOW_US).await.unwrap();
        store.leave_no_trace().await.unwrap();
        assert_eq!((erased.rewritten.rows_removed, erased.tables), (5, 1));
        assert_eq!((erased.removed.batches, erased.removed.dead_letters), (1, 1));
        assert_eq!(files_with(&place.folder(), "canary-title"), Vec::<std::path::PathBuf>::new());
        assert_eq!(files_with(&place.folder(), &format!("#{}", agent(1))), Vec::<std::path::PathBuf>::new());
        assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["4 4"], "somebody else's rows went");

        let again = store.ingest().land(titled(agent(1), 1..=8)).await.unwrap();
        assert_eq!((again.accepted, again.duplicates), (SeqRanges::default(), seqs(&[(1, 8)])));
        let received = received_of(&store, &project, agent(1)).await;
        assert_eq!((received.stored, received.erased, received.expired), (8, 8, 0));
        let twice = store.erase_agent(&project.id, &agent(1).to_string(), NOW_US).await.unwrap();
        assert_eq!(twice.rewritten.rows_removed, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d9_the_services_clock_ends_events_whatever_an_agents_clock_says() {
    over_both(async |place| {
        let store = place.open().await;
        let project = project(&store, "Orders").await;
        let future = |seq| Event { time_us: i64::MAX / 4, ..event(agent(1), seq, "from the future") };
        store.ingest().land(batch_of(&project, agent(1), (1..=3).map(future))).await.unwrap();
        let late = Batch { received_at_us: NOW_US + 10, ..batch(&project, agent(2), 1..=2) };
        store.ingest().land(late).await.unwrap();
        fold_all(&store, &project).await;
        let waiting = batch(&project, agent(1), 4..=5);
        store.ingest().land(waiting).await.unwrap();

        store.ingest().expire(&project.id, NOW_US + 10, NOW_US).await.unwrap();
        assert_eq!(store.retire(&project.id, NOW_US + 10, NOW_US).await.unwrap().rows_removed, 3);
        assert_eq!(fold_all(&store, &project).await, 0, "a batch whose time was over became a file");
        assert_eq!(ask(&store, &project, COUNT).await.unwrap(), ["2 2"]);
        let received = store.ingest().received(&project.id).await.unwrap();
        assert_eq!((received.stored, received.erased, received.expired), (7, 0, 5));
    })
    .await;
}
