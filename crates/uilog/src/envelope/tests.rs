//! Laws and bounds of the envelope, and the samples of every past version.

use std::path::Path;

use super::*;
use crate::event::{Actor, EventType, Family, Fingerprint};
use crate::notation::log;
use crate::random::Random;

fn header_of(events: &[Event]) -> Header {
    Header::new(events[0].agent_id, events[0].epoch, "0.1.0", Some("7"))
}

fn pack(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}

/// An envelope around these lines, with the header of the notation's stream; `{}` in a line becomes its identity.
fn envelope_of(lines: &[&str]) -> Envelope {
    let event = &log("09:00 copy")[0];
    let identity = format!(
        r#""agent_id":"{}","epoch":"{}","session_id":"{}","time":0"#,
        event.agent_id, event.epoch, event.session_id
    );
    let mut text = serde_json::to_string(&header_of(std::slice::from_ref(event))).unwrap();
    for line in lines {
        text.push('\n');
        text.push_str(&line.replace("{}", &identity));
    }
    decode(&pack(&text)).unwrap()
}

fn check_line(line: &str, expected: &str) {
    let read = envelope_of(&[line]);
    let told = match &read.lines[0].event {
        Ok(event) => format!("event {}", event.seq),
        Err(rejection) => format!("{:?}: {rejection}", read.lines[0].seq),
    };
    assert_eq!(told, expected);
}

#[test]
fn what_was_packed_is_read() {
    let events = log("09:00 excel copy B2 =secret | 09:01 crm paste name | 09:02 crm key_command ctrl+s");
    let read = decode(&encode(&header_of(&events), &events).unwrap()).unwrap();
    assert_eq!(read.header, header_of(&events));
    assert_eq!(read.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(read.lines.into_iter().map(|line| line.event.unwrap()).collect::<Vec<_>>(), events);
}

#[test]
fn a_broken_line_is_rejected_alone_with_its_number_and_seq() {
    let read = envelope_of(&[
        r#"{{},"seq":1,"event_type":"copy"}"#,
        "",
        r#"{{},"seq":2,"event_type":"teleport"}"#,
        "not json",
        r#"{{},"seq":4,"event_type":"paste"}"#,
    ]);
    let told: Vec<_> = read.lines.iter().map(|line| (line.number, line.seq, line.event.is_ok())).collect();
    assert_eq!(told, [(2, Some(1), true), (4, Some(2), false), (5, None, false), (6, Some(4), true)]);
}

#[test]
fn reasons_say_what_is_wrong() {
    check_line(r#"{{},"seq":1,"event_type":"copy"}"#, "event 1");
    check_line(r#"{{},"seq":0,"event_type":"copy"}"#, "Some(0): seq begins at 1");
    check_line(r#"{{},"seq":1,"event_type":"copy","received_at":5}"#, "Some(1): received_at is set by the service");
    check_line(
        r#"{"agent_id":"00000000-0000-0000-0000-000000000000","epoch":"00000000-0000-0000-0000-000000000000","session_id":"00000000-0000-0000-0000-000000000000","time":0,"seq":9,"event_type":"copy"}"#,
        "Some(9): the event belongs to another agent or epoch than its envelope",
    );
    check_line(&"[".repeat(JSON_DEPTH_MAX + 1), "None: json is nested deeper than 32");
}

#[test]
fn d5_a_hashed_value_is_never_a_text_and_never_beside_one() {
    let hash = "00000000000000000000000000000007";
    let line = |members: &str| format!(r#"{{{{}},"seq":1,"event_type":"copy",{members}}}"#);
    check_line(&line(&format!(r#""hashed":{{"user_name":"{hash}"}}"#)), "event 1");
    let refused = "Some(1): hashed holds a column that cannot be hashed or that is also there in clear";
    check_line(&line(&format!(r#""user_name":"ann","hashed":{{"user_name":"{hash}"}}"#)), refused);
    check_line(&line(&format!(r#""hashed":{{"mouse_x":"{hash}"}}"#)), refused);
    check_line(&line(&format!(r#""hashed":{{"rule":"{hash}"}}"#)), refused);
    check_line(&line(&format!(r#""hashed":{{"canary":"{hash}"}}"#)), refused);
    assert!(!refused.contains("canary"));
    let text = envelope_of(&[&line(r#""hashed":{"user_name":"ann"}"#)]);
    assert!(matches!(text.lines[0].event, Err(Rejection::NotAnEvent(_))));
}

#[test]
fn a_body_cannot_name_its_project() {
    let read =
        envelope_of(&[r#"{{},"seq":1,"event_type":"copy","project_id":"00000000-0000-0000-0000-000000000000"}"#]);
    let Err(Rejection::NotAnEvent(reason)) = &read.lines[0].event else { panic!("project_id was taken from the body") };
    assert!(reason.starts_with("unknown field `project_id`"), "{reason}");
}

#[test]
fn d2_a_reason_never_quotes_a_value() {
    let read = envelope_of(&[r#"{{},"seq":1,"event_type":"copy","text_length":"canary \" 4711"}"#]);
    let reason = read.lines[0].event.as_ref().unwrap_err().to_string();
    assert!(!reason.contains("canary") && !reason.contains("4711"), "{reason}");
    assert!(reason.contains("invalid type: text, expected u32"), "{reason}");
}

#[test]
fn brackets_inside_strings_are_not_depth() {
    let text = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(50), "{".repeat(50));
    assert!(!is_too_deep(&text));
    assert!(!is_too_deep(&"[".repeat(JSON_DEPTH_MAX)));
    assert!(!is_too_deep(&"[]".repeat(500)));
}

#[test]
fn bounds_hold() {
    let header = serde_json::to_string(&header_of(&log("09:00 copy"))).unwrap();
    let bomb = pack(&format!("{header}\n{}", "\n".repeat(UNPACKED_BYTES_MAX - 1)));
    assert!(matches!(decode(&bomb), Err(DecodeError::RatioTooLarge { .. })));
    assert!(matches!(decode(&vec![0; PACKED_BYTES_MAX + 1]), Err(DecodeError::PackedTooLarge { .. })));
    let within_the_free_size = pack(&format!("{header}\n{}", "\n".repeat(RATIO_FREE_BYTES / 2)));
    assert!(decode(&within_the_free_size).is_ok());
    let mut noise = Random::new(7);
    let hard_to_pack: String = (0..UNPACKED_BYTES_MAX + 1).map(|_| char::from(b'a' + noise.below(2) as u8)).collect();
    assert!(matches!(decode(&pack(&hard_to_pack)), Err(DecodeError::UnpackedTooLarge)));
}

#[test]
fn a_frame_with_a_larger_window_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(WINDOW_LOG_MAX + 1).unwrap();
    std::io::Write::write_all(&mut encoder, &[b'\n'; 100]).unwrap();
    assert!(matches!(decode(&encoder.finish().unwrap()), Err(DecodeError::Decompress(_))));
}

#[test]
fn what_is_no_envelope_is_an_error_that_says_why() {
    let told = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    let header = serde_json::to_string(&header_of(&log("09:00 copy"))).unwrap();
    assert_eq!(told(b"hello"), "not a zstd frame with a window of at most 2^23 bytes");
    assert_eq!(
        told(&pack(&header.replace("\"version\":1", "\"version\":2"))),
        "line 1 announces version 2 of the envelope; this program reads up to 1"
    );
    assert_eq!(
        told(&pack(r#"{"format":"other","version":1}"#)),
        "line 1 is not the header of a lode envelope: its format is not lode-envelope"
    );
    assert_eq!(told(&[pack(&header), b"more".to_vec()].concat()), "4 bytes follow the zstd frame");
    let latin1 = zstd::encode_all([header.as_bytes(), b"\n\n\xe4"].concat().as_slice(), 3).unwrap();
    assert_eq!(told(&latin1), "line 3 is not utf-8");
}

#[test]
fn a_batch_that_is_too_large_is_not_packed() {
    let mut events = log("09:00 excel copy B2");
    events[0].text = Some("x".repeat(UNPACKED_BYTES_MAX));
    let error = encode(&header_of(&events), &events).unwrap_err();
    assert!(matches!(error, EncodeError::TooLarge { form: "unpacked", .. }), "{error}");
}

#[test]
fn receipts_are_flat_json() {
    let receipt = |outcome| serde_json::to_string(&Receipt { line: 2, seq: Some(17), outcome }).unwrap();
    assert_eq!(receipt(Outcome::Accepted), r#"{"line":2,"seq":17,"outcome":"accepted"}"#);
    let rejected = receipt(Outcome::Rejected(Rejection::SeqZero));
    assert_eq!(rejected, r#"{"line":2,"seq":17,"outcome":"rejected","reason":"seq_zero"}"#);
    let not_an_event = Receipt { line: 3, seq: None, outcome: Outcome::Rejected(Rejection::NotAnEvent("eof".into())) };
    let text = serde_json::to_string(&not_an_event).unwrap();
    assert_eq!(text, r#"{"line":3,"outcome":"rejected","reason":"not_an_event","detail":"eof"}"#);
    assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), not_an_event);
}

#[test]
fn decode_undoes_encode_for_any_event() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let events: Vec<Event> = (1..=random.below(20)).map(|seq| any_event(&mut random, seq)).collect();
        let header = Header::new(Uuid::from_u128(1), Uuid::from_u128(2), "0.1.0", None);
        let read = decode(&encode(&header, &events).unwrap()).unwrap();
        let read: Vec<Event> = read.lines.into_iter().map(|line| line.event.unwrap()).collect();
        assert_eq!(read, events, "seed {seed}");
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let events = log("09:00 excel copy B2 | 09:01 crm paste name");
    let packed = encode(&header_of(&events), &events).unwrap();
    let text = zstd::decode_all(packed.as_slice()).unwrap();
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let mut broken = if seed % 2 == 0 { packed.clone() } else { text.clone() };
        for _ in 0..=random.below(4) {
            let place = random.below(broken.len() as u64) as usize;
            broken[place] = random.number() as u8;
        }
        broken.truncate(1 + random.below(2 * broken.len() as u64) as usize);
        let _ = decode(&broken);
        let _ = decode(&zstd::encode_all(broken.as_slice(), 1).unwrap());
    }
}

/// Samples are packed with `zstd -19`; the `.jsonl` beside each is what it must be read as. They are never changed: a
/// new event type gets a new file.
#[test]
fn every_sample_of_version_1_is_still_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/envelopes/v1");
    let mut seen = Vec::new();
    for family in Family::ALL {
        let packed = std::fs::read(folder.join(format!("{}.jsonl.zst", family.name()))).unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{}.jsonl", family.name()))).unwrap();
        let read = decode(&packed).unwrap();
        let mut again = serde_json::to_string(&read.header).unwrap() + "\n";
        for line in &read.lines {
            let event = line.event.as_ref().unwrap_or_else(|why| panic!("{}: {why}", family.name()));
            assert_eq!(event.event_type.family(), family);
            seen.push(event.event_type);
            again.push_str(&(serde_json::to_string(event).unwrap() + "\n"));
        }
        assert_eq!(again, text, "{}", family.name());
    }
    for event_type in EventType::all() {
        assert!(seen.contains(&event_type), "no sample of {}", event_type.name());
    }
}

fn maybe<T>(random: &mut Random, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    (random.below(2) == 1).then(|| value(random))
}

fn any_text(random: &mut Random) -> String {
    const CHARACTERS: [char; 8] = ['a', '"', '\\', '\n', 'ß', '😀', '\0', '{'];
    (0..random.below(12)).map(|_| CHARACTERS[random.below(8) as usize]).collect()
}

fn any_event(random: &mut Random, seq: u64) -> Event {
    let types: Vec<EventType> = EventType::all().collect();
    Event {
        agent_id: Uuid::from_u128(1),
        epoch: Uuid::from_u128(2),
        seq,
        time_us: random.number() as i64,
        uptime_us: maybe(random, Random::number),
        tz_offset_min: maybe(random, |random| random.number() as i16),
        event_type: types[random.below(types.len() as u64) as usize],
        session_id: Uuid::from_u128(random.number().into()),
        actor: maybe(random, |random| Actor::ALL[random.below(3) as usize]),
        window_title: maybe(random, any_text),
        url: maybe(random, any_text),
        element_box: maybe(random, |random| [(); 4].map(|()| random.number() as i32)),
        text: maybe(random, any_text),
        text_length: maybe(random, |random| random.number() as u32),
        value_fingerprint: maybe(random, |random| Fingerprint(u128::from(random.number()).to_be_bytes())),
        monitor: maybe(random, |random| random.number() as u8),
        screenshot_id: maybe(random, |random| Uuid::from_u128(random.number().into())),
        attributes: (0..random.below(4)).map(|_| (any_text(random), any_text(random))).collect(),
        hashed: maybe(random, |random| Fingerprint(u128::from(random.number()).to_be_bytes()))
            .map(|hash| ("user_name".to_owned(), hash))
            .into_iter()
            .collect(),
        ..Event::default()
    }
}
