//! Sessions: the naive version, and the marker beside it.

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use discovery::{Kernel, SessionMarker, SessionRule, Sessions};

use crate::log::{Random, Row, answer, columns, on_random_logs};

const COLUMNS: [&str; 5] = ["agent_key", "event_order", "time", "breaks", "away"];
const RULE: SessionRule = SessionRule { gap_us: 60_000_000, active_cap_us: 30_000_000 };

/// The rows of each session.
fn split(rows: &[Row]) -> Vec<Vec<Row>> {
    let mut sessions: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let goes_on = |open: &Vec<Row>| {
            let last = open.last().unwrap();
            last.agent == row.agent && !row.is_break && (0..=RULE.gap_us).contains(&(row.time_us - last.time_us))
        };
        match sessions.last_mut().filter(|open| goes_on(open)) {
            Some(open) => open.push(row.clone()),
            None => sessions.push(vec![row.clone()]),
        }
    }
    sessions
}

/// The active time of each row of a session.
fn active_us(session: &[Row]) -> Vec<i64> {
    let mut active: Vec<i64> = session
        .windows(2)
        .map(|two| if two[0].is_away { 0 } else { (two[1].time_us - two[0].time_us).min(RULE.active_cap_us) })
        .collect();
    active.push(0);
    active
}

#[test]
fn sessions_equal_the_naive_ones() {
    on_random_logs(|rows, random| {
        let found = answer(rows, &COLUMNS, || Sessions::new(RULE), |kernel| kernel.finish().unwrap(), random);
        let expected: Vec<(String, String, i64, i64, i64)> = split(rows)
            .iter()
            .map(|session| {
                let (first, last) = (&session[0], session.last().unwrap());
                let active: i64 = active_us(session).iter().sum();
                let idle = last.time_us - first.time_us - active;
                (first.agent.to_string(), first.order.to_string(), session.len() as i64, active, idle)
            })
            .collect();
        let parts = |row: &String| {
            let words: Vec<&str> = row.split(' ').collect();
            let number = |at: usize| words[at].parse().unwrap();
            (words[0].to_string(), words[1].to_string(), number(4), number(5), number(6))
        };
        assert_eq!(found.iter().map(parts).collect::<Vec<_>>(), expected);
    });
}

/// Session and active time of all rows, marked in batches of this size.
fn mark(rows: &[Row], batch_rows: usize) -> Vec<(i64, i64)> {
    let mut marker = SessionMarker::new(RULE);
    let mut marks: Vec<_> =
        rows.chunks(batch_rows).map(|batch| marker.mark(&columns(batch, &COLUMNS)).unwrap()).collect();
    marks.push(marker.finish());
    let pairs = |keys: &Int64Array, active: &Int64Array| {
        keys.values().iter().copied().zip(active.values().iter().copied()).collect::<Vec<_>>()
    };
    marks.iter().flat_map(|marks| pairs(&marks.session_key, &marks.active_us)).collect()
}

#[test]
fn every_row_is_marked_with_its_session_and_active_time() {
    on_random_logs(|rows, random| {
        let expected: Vec<(i64, i64)> = split(rows)
            .iter()
            .flat_map(|session| {
                active_us(session).into_iter().map(|active| (session[0].order, active)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(mark(rows, rows.len().max(1)), expected);
        assert_eq!(mark(rows, 1 + random.below(5)), expected);
    });
}

#[test]
fn a_given_session_id_ends_a_session_where_it_changes() {
    let rows: Vec<Row> = crate::log::random_log(&mut Random::new(5)).into_iter().take(5).collect();
    let same = |at: i64| Row { agent: 1, order: at, time_us: at, ..rows[0].clone() };
    let mut batch = columns(&[0, 1, 2, 3, 4].map(same), &COLUMNS[..3]);
    let absent = || std::sync::Arc::new(arrow::array::NullArray::new(5));
    batch.extend([absent() as _, absent() as _]);
    batch.push(std::sync::Arc::new(Int64Array::from(vec![Some(7), None, Some(7), Some(8), Some(8)])));
    let mut sessions = Sessions::new(RULE);
    sessions.update(&batch).unwrap();
    let answer = sessions.finish().unwrap();
    assert_eq!(answer.column(1).as_primitive::<Int64Type>().values(), &[0, 3]);
    assert_eq!(answer.len(), 2);
}
