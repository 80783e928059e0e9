//! The importers, on the logs in `fixtures/` and on bytes that are none.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use uilog::EventType;
use uilog::random::Random;

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn options() -> Options {
    Options { source: Uuid::from_u128(1), ..Options::default() }
}

/// Reads a whole log in batches of `rows_max`.
fn read_all(reader: Reader, rows_max: usize) -> Result<(Vec<Event>, Vec<Reject>), ImportError> {
    let Reader::Rows(mut rows) = reader else { panic!("rows are expected") };
    let (mut all, mut batch, mut rejects) = (Vec::new(), Vec::new(), Vec::new());
    while rows.next(&mut batch, &mut rejects, rows_max)? > 0 {
        all.extend(batch.iter().cloned());
    }
    Ok((all, rejects))
}

fn read_fixture(name: &str, options: &Options) -> (Vec<Event>, Vec<Reject>) {
    read_all(open_file(File::open(fixture(name)).unwrap(), options).unwrap(), 1_000).unwrap()
}

fn read_bytes(bytes: Vec<u8>) -> Result<(Vec<Event>, Vec<Reject>), ImportError> {
    read_all(open(Box::new(Cursor::new(bytes)), &options())?, 3)
}

/// One line per event: stream, seq, time, and every text, then the rejects.
fn check(name: &str, options: &Options, expected: Expect) {
    let (events, rejects) = read_fixture(name, options);
    let mut told = String::new();
    for event in &events {
        let json = serde_json::to_value(event).unwrap();
        let members: Vec<String> = json
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| {
                !matches!(key.as_str(), "agent_id" | "epoch" | "session_id" | "value_fingerprint" | "process_name")
            })
            .map(|(key, value)| format!("{key}={}", value.to_string().replace('"', "")))
            .collect();
        told.push_str(&members.join(" "));
        told.push('\n');
    }
    for reject in &rejects {
        told.push_str(&format!("! {} {} | {}\n", reject.line, reject.reason, reject.row));
    }
    expected.assert_eq(&told);
}

#[test]
fn the_raw_recordings_are_read_without_a_reject() {
    for (name, rows) in [("Reimbursement", 4_591), ("StudentRecord", 2_409)] {
        let (events, rejects) = read_fixture(&format!("sample-data/leno-real/{name}.csv.zst"), &options());
        assert_eq!((events.len(), rejects.len()), (rows, 0), "{name}");
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=rows as u64).collect::<Vec<_>>());
        assert!(events.iter().all(|event| event.user_name.as_deref() == Some("vleno")));
    }
}

#[test]
fn the_last_row_needs_no_line_break() {
    let (events, _) = read_fixture("sample-data/leno-real/Reimbursement.csv.zst", &options());
    let last = events.last().unwrap();
    assert_eq!(last.event_type, EventType::FormSubmitted);
    assert_eq!(last.time_us, time::parse("2020-02-25T02:55:21.198Z").unwrap().time_us);
}

#[test]
fn a_copied_value_is_found_where_it_is_pasted() {
    let (events, _) = read_fixture("sample-data/leno-real/StudentRecord.csv.zst", &options());
    let pastes = events.iter().enumerate().filter(|(_, event)| event.event_type == EventType::Paste);
    let (mut with_fingerprint, mut paired) = (0, 0);
    for (position, paste) in pastes.filter(|(_, paste)| paste.value_fingerprint.is_some()) {
        with_fingerprint += 1;
        let copy = events[..position].iter().rev().find(|event| event.event_type == EventType::Copy);
        paired += usize::from(copy.is_some_and(|copy| copy.value_fingerprint == paste.value_fingerprint));
    }
    // The others follow a copy that the recorder did not see.
    assert_eq!((with_fingerprint, paired), (494, 482));
}

#[test]
fn what_a_log_writes_of_an_element_is_told_with_its_blanks_and_repetitions() {
    let row = "0,ann,2026-01-05T09:00Z,Chrome,clickButton,,,save, Save ,https://a.example/x,Save,,";
    let text = format!("row,user,ts,app,event,doc,sheet,element,element_text,url,value,x,y\n{row}\n");
    let first = |reader: Reader| {
        let Reader::Rows(mut rows) = reader else { panic!("rows are expected") };
        assert_eq!(rows.next(&mut Vec::new(), &mut Vec::new(), 1).unwrap(), 1);
        rows
    };
    let rows = first(open(Box::new(Cursor::new(text.into_bytes())), &options()).unwrap());
    assert_eq!(rows.written(), Some(Written { element: "save", label: " Save ", value: "Save" }));
    // Several columns may hold the content of a row here: which one does is a conclusion.
    let raw = File::open(fixture("sample-data/leno-real/StudentRecord.csv.zst")).unwrap();
    assert_eq!(first(open_file(raw, &options()).unwrap()).written(), None);
}

#[test]
fn a_broken_log_gives_its_good_rows_and_names_the_others() {
    check(
        "import/broken.csv",
        &options(),
        expect![[r#"
        application=OS-Clipboard attributes={source_event:copy} event_type=copy seq=1 text=4711 text_length=4 time=1767603600000000 user_name=ann
        application=Excel attributes={extra:kept,source_event:getCell} column_label=B element_id=B2 element_role=gridcell event_type=element_focused row_label=2 seq=2 time=1767603601000000 user_name=ann
        application=OS-Clipboard attributes={source_event:copy} event_type=copy seq=3 text=4711 text_length=4 time=1767603602000000 user_name=ann
        application=Excel attributes={source_event:editCell} column_label=B element_id=B8 element_role=gridcell event_type=text_entered row_label=8 seq=1 text=two\nlines text_length=9 time=1767603607000000 user_name=bob
        application=Chrome attributes={source_event:teleport} event_type=element_clicked seq=2 time=1767603608000000 url=https://crm.example/x url_host=crm.example url_template=https://crm.example/x user_name=bob
        ! 5 'yesterday' is not a time | yesterday,ann,Excel,getCell,,,B3,
        ! 6 has 3 fields, the header 8 | 2026-01-05T09:00:03.000Z,ann,Excel
        ! 7 has no event type | 2026-01-05T09:00:04.000Z,ann,Excel,,,,B4,
        ! 8 has no time | ,ann,Excel,getCell,,,B5,
        ! 9 field 7 is not utf-8 | 2026-01-05T09:00:05.000Z,ann,Excel,getCell,,,B6�,
        ! 10 has 6 fields, the header 8 | 2026-01-05T09:00:06.000Z,ann,Excel,editCell,,"never closed,B7,
    "#]],
    );
}

#[test]
fn plain_csv_without_times_gets_a_second_per_row() {
    check(
        "import/plain.csv",
        &options(),
        expect![[r#"
        application=Excel attributes={sheet:Sheet1,source_event:copyCell,time:synthetic,workbook:orders.xlsx} column_label=B element_id=B2 element_role=gridcell event_type=copy row_label=2 seq=1 text=4711-A text_length=6 time=0 user_name=ann window_title=orders.xlsx — Sheet1
        application=Chrome attributes={source_event:paste,time:synthetic} element_id=order element_name=Order number event_type=paste mouse_x=320 mouse_y=200 seq=2 text=4711-A text_length=6 time=1000000 url=https://crm.example/orders/new url_host=crm.example url_template=https://crm.example/orders/new user_name=ann
        application=Excel attributes={sheet:Sheet1,source_event:copyRange,time:synthetic,workbook:orders.xlsx} column_label=B:D element_id=B2:D2 element_role=gridcell event_type=copy row_label=2 seq=1 text=[\a\,\b\] text_length=9 time=2000000 user_name=bob window_title=orders.xlsx — Sheet1
    "#]],
    );
}

#[test]
fn mapped_csv_means_what_the_map_says() {
    let map = [
        ("time", "when"),
        ("user_name", "who"),
        ("event_type", "what"),
        ("application", "programme"),
        ("case_id", "ticket"),
        ("custom1", "team"),
    ]
    .map(|(column, name)| (column.to_owned(), name.to_owned()))
    .to_vec();
    check(
        "import/mapped.csv",
        &Options { map, ..options() },
        expect![[r#"
        application=crm attributes={note:first,source_event:click} case_id=T-1 custom1=blue event_type=left_click seq=1 time=1767603600000000 user_name=ann
        application=crm attributes={note:second; and last,source_event:text_entered} case_id=T-2 event_type=text_entered seq=1 time=1767603660000000 user_name=bob
        ! 2 '05.01.2026 09:00' is not a time | 05.01.2026 09:00;ann;click;crm;T-1;blue;unreadable time
    "#]],
    );
}

#[test]
fn a_map_that_cannot_be_is_an_error() {
    let told = |column: &str| {
        let map = vec![(column.to_owned(), "what".to_owned())];
        let file = File::open(fixture("import/mapped.csv")).unwrap();
        open_file(file, &Options { map, ..options() }).err().unwrap().to_string()
    };
    assert_eq!(told("colour"), "cannot map 'colour=what': there is no such column");
    assert_eq!(told("agent_id"), "cannot map 'agent_id=what': it is set by lode");
    assert_eq!(
        told("comment"),
        "line 1 has no column 'event type', without which mapped is not read; it has when, who, what, programme, ticket, team, note"
    );
}

#[test]
fn smartrpa_csv() {
    check(
        "import/smartrpa.csv",
        &options(),
        expect![[r#"
            application=Microsoft Excel attributes={category:MicrosoftOffice,event_src_path:C:\\Users\\ann\\invoices.xlsx,sheet:Open,source_event:openWorkbook,workbook:invoices.xlsx,worksheets:['Open', 'Paid']} event_type=window_activated seq=1 time=1767603600125000 user_name=ann window_title=invoices.xlsx — Open
            application=Microsoft Excel attributes={category:MicrosoftOffice,cell_range_number:7,2,sheet:Open,source_event:getCell,workbook:invoices.xlsx,worksheets:['Open', 'Paid']} column_label=B element_id=B7 element_role=gridcell event_type=element_focused row_label=7 seq=2 text=Miller & Sons time=1767603602500000 user_name=ann window_title=invoices.xlsx — Open
            application=Clipboard attributes={category:Clipboard,source_event:copy} event_type=copy seq=3 text=Miller & Sons text_length=13 time=1767603603000000 user_name=ann
            application=Explorer attributes={category:OperatingSystem,source_event:hotkey} event_type=key_command key_command=ctrl+shift+c seq=4 time=1767603603010000 user_name=ann
            application=Chrome attributes={category:Browser,source_event:clickTextField,xpath_full:/html/body/form/input[1]} element_id=supplier element_name=supplier element_path=//*[@id=\supplier\] element_role=textbox event_type=element_clicked seq=5 time=1767603609900000 url=https://erp.example/invoices/20260105/edit?tab=1 url_host=erp.example url_template=https://erp.example/invoices/{id}/edit user_name=ann
            application=Chrome attributes={category:Browser,source_event:paste} element_id=supplier element_name=supplier element_role=textbox event_type=paste seq=6 text=Miller & Sons text_length=13 time=1767603611000000 url=https://erp.example/invoices/20260105/edit?tab=1 url_host=erp.example url_template=https://erp.example/invoices/{id}/edit user_name=ann
            application=Chrome attributes={category:Browser,source_event:changeField} element_id=pin element_name=pin element_role=textbox event_type=element_changed seq=7 time=1767603620000000 url=https://erp.example/invoices/20260105/edit?tab=1 url_host=erp.example url_template=https://erp.example/invoices/{id}/edit user_name=ann
            application=Chrome attributes={category:Browser,source_event:clickButton} element_id=save element_name=Save element_role=button event_type=element_clicked mouse_x=640 mouse_y=480 seq=8 time=1767603630000000 url=https://erp.example/invoices/20260105/edit?tab=1 url_host=erp.example url_template=https://erp.example/invoices/{id}/edit user_name=ann
        "#]],
    );
}

#[test]
fn an_activitywatch_export_becomes_one_stream_in_the_order_of_time() {
    check(
        "import/activitywatch.json",
        &options(),
        expect![[r#"
            application=chrome.exe attributes={bucket:aw-watcher-window_desk7,client:aw-watcher-window,duration_us:90250000} event_type=window_activated machine_name=desk7 seq=1 time=1767603600000000 window_title=Order 4711
            attributes={audible:false,bucket:aw-watcher-web-chrome,client:aw-client-web,duration_us:20000000,incognito:false,tabCount:3} event_type=page_loaded machine_name=desk7 page_title=Order 4711 seq=2 time=1767603605000000 url=https://crm.example/orders/4711 url_host=crm.example url_template=https://crm.example/orders/{id}
            application=EXCEL.EXE attributes={bucket:aw-watcher-window_desk7,client:aw-watcher-window,duration_us:120000000} event_type=window_activated machine_name=desk7 seq=3 time=1767603690250000 window_title=invoices \open\.xlsx
            attributes={bucket:aw-watcher-afk_desk7,client:aw-watcher-afk,duration_us:989000000} event_type=idle_started machine_name=desk7 seq=4 time=1767603810000000
            attributes={bucket:aw-watcher-afk_desk7,client:aw-watcher-afk,duration_us:90000000} event_type=idle_ended machine_name=desk7 seq=5 time=1767604799000000
            application=outlook.exe attributes={bucket:aw-watcher-window_desk7,client:aw-watcher-window,duration_us:60500000} event_type=window_activated machine_name=desk7 seq=6 time=1767604800000000 window_title=Inbox
            ! 3 its timestamp is not a time | {"id": 2, "timestamp": "not a time", "duration": 1, "data": {"app": "EXCEL.EXE", "title": "broken"}}
        "#]],
    );
}

#[test]
fn xes_keeps_traces_and_nested_attributes() {
    check(
        "import/traces.xes",
        &options(),
        expect![[r#"
        attributes={amount:99.5,amount.currency:EUR,amount.currency.certain:true,case:supplier:Miller & Sons,concept:name:Receive \invoice\,lifecycle:transition:complete,source_event:Receive \invoice\} case_id=INV-1 element_name=Receive \invoice\ event_type=left_click seq=1 time=1767603600000000 tz_offset_min=60 user_name=ann
        attributes={case:supplier:Miller & Sons,concept:name:Approve,reasons.first:small,reasons.second:known,source_event:Approve} case_id=INV-1 element_name=Approve event_type=left_click seq=2 time=1767605400000000 user_name=bob
        attributes={concept:name:Receive \invoice\,source_event:Receive \invoice\} case_id=INV-2 element_name=Receive \invoice\ event_type=left_click seq=3 time=1767686400000000
        attributes={concept:name:copyCell,source_event:copyCell} case_id=INV-2 element_name=copyCell event_type=copy seq=4 time=1767690000000000
        ! 4 its time:timestamp is not a time | concept:name=Approve time:timestamp=last Tuesday
        ! 5 has no time:timestamp | concept:name=Pay
    "#]],
    );
}

#[test]
fn each_trace_is_a_session_and_large_logs_have_several_streams() {
    let mut text = String::from("<log>");
    for _ in 0..3 {
        text.push_str("<trace>");
        text.push_str(&"<event><date key=\"time:timestamp\" value=\"2026-01-05T09:00:00Z\"/></event>".repeat(30_000));
        text.push_str("</trace>");
    }
    text.push_str("</log>");
    let (events, _) = read_bytes(text.into_bytes()).unwrap();
    let streams: Vec<_> = events.chunk_by(|a, b| a.agent_id == b.agent_id).map(<[Event]>::len).collect();
    let sessions: Vec<_> = events.chunk_by(|a, b| a.session_id == b.session_id).map(<[Event]>::len).collect();
    assert_eq!((streams, sessions), (vec![60_000, 30_000], vec![30_000; 3]));
    assert_eq!(events[60_000].seq, 1);
}

#[test]
fn the_same_log_gives_the_same_events_however_it_is_packed_and_cut() {
    let packed = std::fs::read(fixture("sample-data/leno-real/StudentRecord.csv.zst")).unwrap();
    let text = zstd::decode_all(packed.as_slice()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text[..1_000]).unwrap();
    let mut members = gzip.finish().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text[1_000..]).unwrap();
    members.extend(gzip.finish().unwrap());
    let with_mark = [b"\xef\xbb\xbf".as_slice(), &text].concat();
    let (expected, _) = read_fixture("sample-data/leno-real/StudentRecord.csv.zst", &options());
    for bytes in [text, members, with_mark] {
        assert_eq!(read_bytes(bytes).unwrap().0, expected);
    }
}

#[test]
fn another_source_gives_other_identities() {
    let (first, _) = read_fixture("import/plain.csv", &options());
    let (second, _) = read_fixture("import/plain.csv", &Options { source: Uuid::from_u128(2), ..options() });
    assert_ne!(first[0].agent_id, second[0].agent_id);
    assert_ne!(first[0].epoch, second[0].epoch);
    assert_ne!(first[0].value_fingerprint, second[0].value_fingerprint);
    assert_eq!(first[0].text, second[0].text);
}

#[test]
fn events_of_another_log_do_not_show_through() {
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    for name in ["activitywatch.json", "plain.csv"] {
        let file = File::open(fixture(&format!("import/{name}"))).unwrap();
        let Reader::Rows(mut rows) = open_file(file, &options()).unwrap() else { panic!("rows are expected") };
        rows.next(&mut events, &mut rejects, 100).unwrap();
        assert_eq!(events, read_fixture(&format!("import/{name}"), &options()).0, "{name}");
    }
}

#[test]
fn all_bytes_are_counted_for_the_progress_bar() {
    let path = fixture("sample-data/leno-real/Reimbursement.csv.zst");
    let bytes = std::fs::metadata(&path).unwrap().len();
    let mut reader = open_file(File::open(path).unwrap(), &options()).unwrap();
    let Reader::Rows(rows) = &mut reader else { panic!("rows are expected") };
    while rows.next(&mut Vec::new(), &mut Vec::new(), 500).unwrap() > 0 {}
    assert_eq!((reader.bytes_read(), reader.format()), (bytes, Format::Leno));
}

#[test]
fn parquet_keeps_our_columns_and_needs_those_that_every_event_has() {
    let file = |names: &[&str]| {
        use arrow::array::{ArrayRef, Int64Array, RecordBatch};
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter(names.iter().map(|name| (*name, Arc::clone(&column)))).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = ::parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        file
    };
    let mut names = vec!["user_key", "agent_id", "epoch", "seq", "time", "event_type", "session_id", "text"];
    let Reader::Batches(mut batches) = open_file(file(&names), &options()).unwrap() else {
        panic!("batches are expected")
    };
    assert_eq!(batches.rows_total(), 3);
    let batch = batches.next().unwrap().unwrap();
    assert_eq!((batch.num_rows(), batch.num_columns()), (3, names.len() - 1));
    assert!(batches.next().is_none() && batches.bytes_read() > 0);
    names.pop();
    names.pop();
    let error = open_file(file(&names), &options()).err().unwrap();
    assert_eq!(error.to_string(), "cannot read parquet: it has no column 'session_id'");
}

#[test]
fn parquet_is_not_read_from_a_stream() {
    let error = open(Box::new(Cursor::new(b"PAR1....PAR1".to_vec())), &options()).err().unwrap();
    assert_eq!(error.to_string(), "parquet can only be read from a file, uncompressed as a whole");
}

#[test]
fn damage_is_an_error_or_a_reject_but_never_a_panic() {
    let names = ["smartrpa.csv", "activitywatch.json", "traces.xes", "plain.csv", "broken.csv"];
    let logs: Vec<Vec<u8>> = names
        .iter()
        .map(|name| std::fs::read(fixture(&format!("import/{name}"))).unwrap())
        .chain([std::fs::read(fixture("sample-data/leno-real/StudentRecord.csv.zst")).unwrap()])
        .collect();
    for seed in 0..3_000u64 {
        let mut random = Random::new(seed);
        let mut bytes = logs[seed as usize % logs.len()].clone();
        for _ in 0..random.below(6) {
            let place = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 => bytes[place] = random.number() as u8,
                1 => bytes.insert(place, [b'"', b'\n', b'<', b'{', 0, 0xff][random.below(6) as usize]),
                _ => drop(bytes.remove(place)),
            }
        }
        if random.below(2) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        let _ = read_bytes(bytes);
    }
}

#[test]
fn random_bytes_are_no_log() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let length = random.below(5_000);
        let bytes: Vec<u8> = (0..length).map(|_| random.number() as u8).collect();
        assert!(read_bytes(bytes).is_err(), "seed {seed}");
    }
}

#[test]
fn a_line_of_a_megabyte_is_read_or_rejected() {
    let long = "x".repeat(1 << 20);
    let header = "row,user,ts,app,event,doc,sheet,element,element_text,url,value,x,y";
    let row = |value: &str| format!("0,ann,2026-01-05T09:00Z,Excel,editCell,,,B2,,,{value},,");
    let (events, rejects) =
        read_bytes(format!("{header}\n{}\n{long}\n{}\n", row(&long), row("v")).into_bytes()).unwrap();
    assert_eq!((events.len(), rejects.len()), (2, 1));
    assert_eq!(rejects[0].row.len(), 500);
    assert!(read_bytes(long.clone().into_bytes()).is_err());
    assert!(read_bytes(format!("<log><trace {long}").into_bytes()).is_err());
    assert!(read_bytes(format!("{{\"buckets\":{{\"{long}").into_bytes()).is_err());
    let events = "{\"timestamp\":\"2026-01-05T09:00:00Z\",\"data\":{\"app\":\"x\"}}";
    let (good, bad) =
        read_bytes(format!("{{\"buckets\":{{\"b\":{{\"events\":[{{\"t\":\"{long}\"}},{events}]}}}}}}").into_bytes())
            .unwrap();
    assert_eq!((good.len(), bad.len()), (1, 1));
}

#[test]
fn a_log_that_ends_too_early_says_where() {
    let text = std::fs::read_to_string(fixture("import/traces.xes")).unwrap();
    let error = read_bytes(text[..900].to_owned().into_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("not well-formed xes at byte "), "{error}");
    let packed = std::fs::read(fixture("sample-data/leno-real/StudentRecord.csv.zst")).unwrap();
    let error = read_bytes(packed[..packed.len() / 2].to_vec()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read on after "), "{error}");
}
