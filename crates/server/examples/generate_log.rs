//! Writes a large synthetic UI log as Parquet that Lode imports: the subject of `cargo xtask bench`.
//!
//! `generate_log OUT.parquet [--events 20000000] [--users 2000] [--days 30] [--seed 1]`
//!
//! About 12.5 events per case and one agent per user. Applications, screens, elements and clipboard values follow Zipf's
//! law. Work on a case follows one of its task's usual paths through screens, with detours, so that the directly-follows
//! graph has a few strong edges and a long tail, as recorded work has. The same flags give the same bytes. Every paste
//! carries the fingerprint of the copy just before it or none, so that engines without a clipboard history can answer too.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{
    ArrayRef, FixedSizeBinaryBuilder, Int64Builder, RecordBatch, StringDictionaryBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::Int32Type;
use clap::Parser;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// 2026-01-05, 00:00 UTC, a Monday.
const BEGIN_US: i64 = 1_767_571_200_000_000;
const DAY_US: i64 = 86_400_000_000;
const BATCH_ROWS: usize = 65_536;
const APPLICATIONS: usize = 60;
const SCREENS_PER_APPLICATION: usize = 12;
const ELEMENTS_PER_SCREEN: usize = 25;
const TASKS: usize = 40;
const STEPS_PER_TASK: usize = 11;
/// Steps of a hundred that leave the path, and as many that do something else on it.
const DETOURS_PERCENT: usize = 3;

/// What to generate.
#[derive(Parser)]
struct Arguments {
    /// Where to write.
    out: PathBuf,
    /// How many events.
    #[arg(long, default_value_t = 20_000_000)]
    events: usize,
    /// How many users.
    #[arg(long, default_value_t = 2_000)]
    users: usize,
    /// Over how many days.
    #[arg(long, default_value_t = 30)]
    days: usize,
    /// From which number everything follows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let cannot_write = || format!("cannot write '{}'", arguments.out.display());
    let file = File::create(&arguments.out).with_context(cannot_write)?;
    let zipf = [APPLICATIONS, SCREENS_PER_APPLICATION, ELEMENTS_PER_SCREEN, TASKS].map(Zipf::new);
    let mut columns = Columns::default();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(256 * 1024))
        .build();
    let schema = columns.finish()?.schema();
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).with_context(cannot_write)?;
    for user in 0..arguments.users {
        let share = |user: usize| arguments.events * user / arguments.users;
        let events = share(user + 1) - share(user);
        let mut desk = Desk::new(user, arguments.seed, arguments.days, events, &zipf);
        for seq in 1..=events {
            columns.append(&desk.next(seq));
            if columns.rows == BATCH_ROWS {
                writer.write(&columns.finish()?).with_context(cannot_write)?;
            }
        }
    }
    writer.write(&columns.finish()?).with_context(cannot_write)?;
    writer.close().with_context(cannot_write)?;
    Ok(())
}

/// One user at work.
struct Desk<'a> {
    random: Random,
    zipf: &'a [Zipf; 4],
    user: usize,
    days: usize,
    events_per_day: usize,
    time_us: i64,
    session: usize,
    case: usize,
    task: usize,
    step: usize,
    case_events_left: usize,
    copied: Option<[u8; 16]>,
}

struct Event {
    agent: String,
    session: String,
    user: String,
    case: String,
    seq: i64,
    time_us: i64,
    event_type: &'static str,
    application: usize,
    screen: usize,
    element: usize,
    fingerprint: Option<[u8; 16]>,
}

impl<'a> Desk<'a> {
    fn new(user: usize, seed: u64, days: usize, events: usize, zipf: &'a [Zipf; 4]) -> Desk<'a> {
        Desk {
            random: Random::new(seed.wrapping_mul(1_000_003).wrapping_add(user as u64)),
            zipf,
            user,
            days,
            events_per_day: events.div_ceil(days.max(1)).max(1),
            time_us: 0,
            session: 0,
            case: 0,
            task: 0,
            step: 0,
            case_events_left: 0,
            copied: None,
        }
    }

    fn next(&mut self, seq: usize) -> Event {
        self.advance_time(seq - 1);
        if self.case_events_left == 0 {
            self.case += 1;
            (self.task, self.step) = (self.zipf[3].pick(&mut self.random), 0);
            let is_usual = self.random.below(100) < 60;
            self.case_events_left = if is_usual { STEPS_PER_TASK } else { 4 + self.random.below(22) };
        }
        self.case_events_left -= 1;
        let ((application, screen, element), event_type) = self.act();
        let fingerprint = self.clipboard(event_type);
        let user = self.user;
        Event {
            agent: format!("00000000-0000-4000-8000-{user:012x}"),
            session: format!("00000000-0000-4000-9000-{user:06x}{:06x}", self.session),
            user: format!("user{user:05}"),
            case: format!("case-{user}-{}", self.case),
            seq: seq as i64,
            time_us: self.time_us,
            event_type,
            application,
            screen,
            element,
            fingerprint,
        }
    }

    /// Work begins at eight each day; pauses are mostly short, some minutes long, now and then a meeting.
    fn advance_time(&mut self, events_before: usize) {
        if events_before.is_multiple_of(self.events_per_day) {
            let day = (events_before / self.events_per_day).min(self.days) as i64;
            let begin_us = BEGIN_US + day * DAY_US + 8 * 3_600_000_000 + self.random.below(1_800_000_000) as i64;
            // With many events a day, work goes on past midnight; time never steps back.
            self.time_us = begin_us.max(self.time_us + 1_000_000);
            self.session += 1;
            return;
        }
        let pause_us = match self.random.below(1_000) {
            0..700 => 200_000 + self.random.below(4_000_000),
            700..950 => 4_000_000 + self.random.below(40_000_000),
            950..990 => 45_000_000 + self.random.below(200_000_000),
            _ => 300_000_000 + self.random.below(1_500_000_000),
        };
        self.time_us += pause_us as i64;
    }

    /// Mostly the next step on the task's usual path, sometimes another place or another action.
    fn act(&mut self) -> ((usize, usize, usize), &'static str) {
        if self.random.below(100) < DETOURS_PERCENT {
            let [applications, screens, elements, _] = self.zipf;
            let random = &mut self.random;
            let place = (applications.pick(random), screens.pick(random), elements.pick(random));
            return (place, event_type(random));
        }
        let mut path = Random::new((self.task * STEPS_PER_TASK + self.step % STEPS_PER_TASK) as u64 + 77);
        // Two applications per task; the path goes back and forth between them.
        let application = (self.task * 7 + path.below(2) * 13) % APPLICATIONS;
        let place = (application, self.zipf[1].pick(&mut path), self.zipf[2].pick(&mut path));
        let is_unusual = self.random.below(100) < DETOURS_PERCENT;
        let event_type = event_type(if is_unusual { &mut self.random } else { &mut path });
        self.step += 1;
        (place, event_type)
    }

    fn clipboard(&mut self, event_type: &str) -> Option<[u8; 16]> {
        match event_type {
            "copy" | "cut" => {
                let value = self.random.next();
                self.copied = (!value.is_multiple_of(10))
                    .then(|| ((u128::from(value) << 64) | u128::from(self.random.next())).to_be_bytes());
                self.copied
            }
            "paste" => self.copied,
            _ => None,
        }
    }
}

fn event_type(random: &mut Random) -> &'static str {
    match random.below(100) {
        0..45 => "left_click",
        45..70 => "text_entered",
        70..80 => "window_activated",
        80..88 => "key_command",
        88..92 => "scroll",
        92..95 => "copy",
        95..96 => "cut",
        _ => "paste",
    }
}

#[derive(Default)]
struct Columns {
    rows: usize,
    texts: [StringDictionaryBuilder<Int32Type>; TEXT_COLUMNS.len()],
    seq: Int64Builder,
    time: TimestampMicrosecondBuilder,
    fingerprint: Option<FixedSizeBinaryBuilder>,
}

/// In the order of [`Columns::append`].
const TEXT_COLUMNS: [&str; 13] = [
    "agent_id",
    "epoch",
    "session_id",
    "user_name",
    "case_id",
    "event_type",
    "process_name",
    "application",
    "window_title",
    "element_name",
    "element_id",
    "url_host",
    "url_template",
];

impl Columns {
    fn append(&mut self, event: &Event) {
        let (application, screen, element) = (event.application, event.screen, event.element);
        // Every third application runs in the browser.
        let host = application.is_multiple_of(3).then(|| format!("app{application:02}.example"));
        let page = host.as_ref().map(|host| format!("https://{host}/screen{screen:02}/{{id}}"));
        let texts = [
            event.agent.as_str(),
            event.agent.as_str(),
            &event.session,
            &event.user,
            &event.case,
            event.event_type,
            &format!("application{application:02}.exe"),
            &format!("Application {application:02}"),
            &format!("Application {application:02} - screen {screen:02}"),
            &format!("Field {element:02} of {screen:02}"),
            &format!("a{application}s{screen}e{element}"),
        ];
        for (column, text) in
            self.texts.iter_mut().zip(texts.map(Some).into_iter().chain([host.as_deref(), page.as_deref()]))
        {
            column.append_option(text);
        }
        self.seq.append_value(event.seq);
        self.time.append_value(event.time_us);
        let fingerprints = self.fingerprint.get_or_insert_with(|| FixedSizeBinaryBuilder::new(16));
        match event.fingerprint {
            // A value of sixteen bytes in a column of sixteen bytes is always taken.
            Some(fingerprint) => fingerprints.append_value(fingerprint).unwrap_or_default(),
            None => fingerprints.append_null(),
        }
        self.rows += 1;
    }

    fn finish(&mut self) -> anyhow::Result<RecordBatch> {
        self.rows = 0;
        let fingerprints = self.fingerprint.get_or_insert_with(|| FixedSizeBinaryBuilder::new(16));
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("seq", Arc::new(self.seq.finish())),
            ("time", Arc::new(self.time.finish().with_timezone("UTC"))),
            ("value_fingerprint", Arc::new(fingerprints.finish())),
        ];
        for (name, column) in TEXT_COLUMNS.into_iter().zip(&mut self.texts) {
            columns.push((name, Arc::new(column.finish())));
        }
        let with_nullable = columns.into_iter().map(|(name, array)| (name, array, true));
        Ok(RecordBatch::try_from_iter_with_nullable(with_nullable)?)
    }
}

/// Ranks from 0, each half as likely as the one at half its rank plus one.
struct Zipf {
    /// Shares of all ranks up to this one.
    sums: Vec<f64>,
}

impl Zipf {
    fn new(ranks: usize) -> Zipf {
        let mut sum = 0.0;
        let sums = (1..=ranks)
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Zipf { sums }
    }

    fn pick(&self, random: &mut Random) -> usize {
        let total = self.sums.last().copied().unwrap_or(1.0);
        let point = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * total;
        self.sums.partition_point(|&sum| sum <= point).min(self.sums.len() - 1)
    }
}

/// SplitMix64 (Steele, Lea & Flood, 2014).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }
}
