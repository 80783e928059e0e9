"""Checks what Lode says and writes about a log against PM4Py, DuckDB and pandas.

    LODE_BIN=target/debug/lode python oracle.py LOG...

Each log is imported into an empty data folder. Directly-follows counts, variants, cases and events must equal those of
PM4Py, both on the rows of `int_labeled_events` and on the XES file that Lode exports; OCEL files must be read back with
equal counts; Parquet and CSV must have every row. PM4Py is given event log objects, not data frames, because it sorts
frames by time and the order of events is not that of the clock. Prints one line per check; exits 1 if any fails.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import pandas
import pm4py
from pm4py.objects.log.obj import Event, EventLog, Trace

PROJECT = "oracle"
REJECTS = 6
"""Exit code of an import that is complete but for rejected rows."""


class Lode:
    """The program, on one data folder."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments, may_exit=(0,)):
        command = [os.environ["LODE_BIN"], "--data", str(self.folder), *map(str, arguments)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode not in may_exit:
            raise SystemExit(f"{' '.join(command)} exited {ended.returncode}:\n{ended.stderr}")
        return ended.stdout

    def rows(self, sql):
        return json.loads(self.run("sql", "--project", PROJECT, "--json", sql))["rows"]

    def export(self, form, name):
        path = self.folder / name
        self.run("export", "--project", PROJECT, "--format", form, "--out", path)
        return str(path)


class Checks:
    """Counts what is equal and tells what is not."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def equal(self, what, lode, oracle):
        if lode == oracle:
            self.passed += 1
            print(f"ok      {what}")
            return
        self.failed += 1
        print(f"FAILED  {what}\n        lode:   {shortened(lode, oracle)}\n        oracle: {shortened(oracle, lode)}")


def shortened(one, other):
    """What is in the one and not in the other, the first few of it."""
    if isinstance(one, dict) and isinstance(other, dict):
        return dict([(key, value) for key, value in one.items() if other.get(key) != value][:5])
    return one


def main():
    checks = Checks()
    for log in sys.argv[1:]:
        print(f"# {log}")
        with tempfile.TemporaryDirectory() as folder:
            check(checks, Lode(pathlib.Path(folder)), log)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed or not checks.passed else 0)


def check(checks, lode, path):
    lode.run("import", path, "--project", PROJECT, "--no-jobs", may_exit=(0, REJECTS))
    lode.run("job", "run", "--project", PROJECT, "activity_graph", "case_variants")
    check_sequences(checks, lode, "rows", log_of_rows(lode))
    xes = pm4py.read_xes(lode.export("xes", "log.xes"), return_legacy_log_object=True)
    check_sequences(checks, lode, "XES", xes)
    check_ocel(checks, lode, "OCEL JSON", pm4py.read_ocel2_json(lode.export("ocel-json", "log.json")))
    check_ocel(checks, lode, "OCEL SQLite", pm4py.read_ocel2_sqlite(lode.export("ocel-sqlite", "log.sqlite")))
    check_tables(checks, lode)


def log_of_rows(lode):
    """PM4Py's log of the rows in `int_labeled_events`, in the order of events."""
    cases = collections.defaultdict(Trace)
    rows = lode.rows(
        "SELECT case_key, activity FROM int_labeled_events"
        " WHERE case_key IS NOT NULL AND activity IS NOT NULL ORDER BY event_order"
    )
    for case, activity in rows:
        cases[case].append(Event({"concept:name": activity}))
    return EventLog(cases.values())


def check_sequences(checks, lode, form, log):
    """Edges, first and last activities, variants, cases and events against PM4Py's."""
    edges, starts, ends = pm4py.discover_dfg(log)
    graph = lode.rows("SELECT from_activity, to_activity, frequency FROM activity_graph")
    between = {(before, after): count for before, after, count in graph if before is not None and after is not None}
    checks.equal(f"{form}: directly-follows counts", between, dict(edges))
    first = {after: count for before, after, count in graph if before is None}
    checks.equal(f"{form}: first activities", first, dict(starts))
    last = {before: count for before, after, count in graph if after is None}
    checks.equal(f"{form}: last activities", last, dict(ends))

    variants = pm4py.get_variants(log)
    counts = {names: count if isinstance(count, int) else len(count) for names, count in variants.items()}
    found = lode.rows("SELECT activities, cases FROM case_variants")
    checks.equal(f"{form}: variants", {tuple(names): count for names, count in found}, counts)

    [[cases, events]] = lode.rows(
        "SELECT count(DISTINCT case_key), count(*) FROM int_labeled_events"
        " WHERE case_key IS NOT NULL AND activity IS NOT NULL"
    )
    checks.equal(f"{form}: cases and events", (cases, events), (len(log), sum(map(len, log))))


def check_ocel(checks, lode, form, ocel):
    """Events, cases and applications in an OCEL file that PM4Py has read."""
    [[events, cases, applications]] = lode.rows(
        "SELECT count(activity), count(DISTINCT case_key), count(DISTINCT application_label) FROM int_labeled_events"
        " WHERE activity IS NOT NULL"
    )
    checks.equal(f"{form}: events", events, len(ocel.events))
    of_type = ocel.objects["ocel:type"].value_counts()
    checks.equal(f"{form}: cases", cases, int(of_type.get("case", 0)))
    checks.equal(f"{form}: applications", applications, int(of_type.get("application", 0)))
    related = set(ocel.relations["ocel:eid"])
    checks.equal(f"{form}: every event has an object", len(ocel.events), len(related))


def check_tables(checks, lode):
    """Every row in Parquet for DuckDB and pandas, and in CSV for pandas."""
    [[events, types]] = lode.rows("SELECT count(*), count(DISTINCT event_type) FROM events")
    parquet = lode.export("parquet", "log.parquet")
    [found] = duckdb.sql(f"SELECT count(*), count(DISTINCT event_type) FROM read_parquet('{parquet}')").fetchall()
    checks.equal("Parquet in DuckDB", (events, types), found)
    frame = pandas.read_parquet(parquet)
    checks.equal("Parquet in pandas", (events, types), (len(frame), frame["event_type"].nunique()))
    frame = pandas.read_csv(lode.export("csv", "log.csv"), low_memory=False)
    checks.equal("CSV in pandas", (events, types), (len(frame), frame["event_type"].nunique()))


if __name__ == "__main__":
    main()
