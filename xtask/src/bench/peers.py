"""Answers one question of the benchmark with one engine other than Lode, and says how long it took.

    peers.py ENGINE QUESTION FOLDER [SAMPLE_AGENTS]

FOLDER holds the Parquet files of Lode's `int_labeled_events`: one row per event, files sorted by (agent_key, event_order).
Each engine is asked the way its own documentation would have it asked: window functions with PARTITION BY agent or case,
ordered aggregates, as-of joins. Nothing is loaded beforehand; the clock runs from the question to its last row.
Large answers are summed up inside the engine, so that no time goes into moving them: number of rows, total, sum of
squares. Prints one line of JSON: version, elapsed_ms, rows.
"""

import datetime
import decimal
import importlib.metadata
import json
import re
import sys
import time

SUMMED = "SELECT count(*), sum(n), sum(n * n) FROM answer"

# For engines with PostgreSQL-like SQL; {quantile} is the engine's exact, interpolating percentile.
SQL = {
    "usage": """
        SELECT application_label, day, sum(active_us), count(*), count(DISTINCT user_key)
        FROM events GROUP BY application_label, day""",
    "sessions": """
        WITH steps AS (
            SELECT agent_key, event_order, {time_us} AS time_us,
                {time_us} - lag({time_us}) OVER (PARTITION BY agent_key ORDER BY event_order) AS gap_us
            FROM events),
        numbered AS (
            SELECT agent_key, time_us,
                sum(CASE WHEN gap_us > 300000000 OR gap_us < 0 THEN 1 ELSE 0 END)
                    OVER (PARTITION BY agent_key ORDER BY event_order ROWS UNBOUNDED PRECEDING) AS session
            FROM steps),
        answer AS (
            SELECT agent_key, session, count(*) AS n, max(time_us) - min(time_us) AS duration_us
            FROM numbered GROUP BY agent_key, session)
        SELECT count(*), sum(n), sum(n * n), sum(duration_us) FROM answer""",
    "directly_follows": f"""
        WITH steps AS (
            SELECT activity, lead(activity) OVER (PARTITION BY case_key ORDER BY event_order) AS next
            FROM events WHERE case_key IS NOT NULL),
        answer AS (
            SELECT activity, next, count(*) AS n FROM steps WHERE next IS NOT NULL GROUP BY activity, next)
        {SUMMED}""",
    "variants": f"""
        WITH traces AS (
            SELECT case_key, {{list}}(activity ORDER BY event_order) AS trace
            FROM events WHERE case_key IS NOT NULL GROUP BY case_key),
        answer AS (SELECT trace, count(*) AS n FROM traces GROUP BY trace)
        {SUMMED}""",
    "switches": """
        WITH steps AS (
            SELECT application_label,
                lag(application_label) OVER (PARTITION BY session_key ORDER BY event_order) AS before
            FROM events)
        SELECT before, application_label, count(*)
        FROM steps WHERE before <> application_label GROUP BY before, application_label""",
    "copy_paste": f"""
        WITH clipboard AS (
            SELECT agent_key, event_order, event_type, application_label, screen_label, element_name
            FROM events WHERE event_type IN ('copy', 'cut', 'paste')),
        pastes AS (
            SELECT *, max(CASE WHEN event_type <> 'paste' THEN event_order END)
                OVER (PARTITION BY agent_key ORDER BY event_order ROWS UNBOUNDED PRECEDING) AS copied
            FROM clipboard),
        answer AS (
            SELECT count(*) AS n
            FROM pastes JOIN clipboard AS copies ON copies.event_order = pastes.copied
            WHERE pastes.event_type = 'paste'
            GROUP BY copies.application_label, copies.screen_label, copies.element_name,
                pastes.application_label, pastes.screen_label, pastes.element_name)
        {SUMMED}""",
    "people": """
        SELECT application_label, count(DISTINCT user_key), count(DISTINCT case_key), {p50}, {p95}
        FROM events GROUP BY application_label""",
}


def duckdb(question, folder):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{folder}/*.parquet')")
    query = SQL[question].format(
        time_us="epoch_us(time)",
        list="list",
        p50="quantile_cont(active_us, 0.5)",
        p95="quantile_cont(active_us, 0.95)",
    )
    return timed(lambda: connection.execute(query).fetchall())


def datafusion(question, folder):
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("events", folder)
    query = SQL[question].format(
        time_us="CAST(time AS BIGINT)",
        list="array_agg",
        p50="percentile_cont(active_us, 0.5)",
        p95="percentile_cont(active_us, 0.95)",
    )

    def ask():
        table = context.sql(query).to_arrow_table()
        return list(zip(*(column.to_pylist() for column in table.columns)))

    return timed(ask)


# ClickHouse has no lag and lead with the standard's frame; its own forms need the frame spelled out.
WINDOW = re.compile(r"(lag|lead)\(([^()]+)\) OVER \(([^()]+)\)")
FRAMED = r"\1InFrame(toNullable(\2)) OVER (\3 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"

CHDB = {name: WINDOW.sub(FRAMED, query) for name, query in SQL.items()} | {
    "variants": f"""
        WITH answer AS (
            SELECT count() AS n FROM (
                SELECT arrayMap(step -> step.2, arraySort(groupArray((event_order, activity)))) AS trace
                FROM events WHERE case_key IS NOT NULL GROUP BY case_key)
            GROUP BY trace)
        {SUMMED}""",
    "copy_paste": f"""
        WITH copies AS (
            SELECT agent_key, event_order, application_label, screen_label, element_name
            FROM events WHERE event_type IN ('copy', 'cut')),
        pastes AS (
            SELECT agent_key, event_order, application_label, screen_label, element_name
            FROM events WHERE event_type = 'paste'),
        answer AS (
            SELECT count() AS n
            FROM pastes ASOF JOIN copies
                ON pastes.agent_key = copies.agent_key AND pastes.event_order >= copies.event_order
            GROUP BY copies.application_label, copies.screen_label, copies.element_name,
                pastes.application_label, pastes.screen_label, pastes.element_name)
        {SUMMED}""",
}


def chdb(question, folder):
    from chdb import session

    connection = session.Session()
    connection.query(f"CREATE VIEW default.events AS SELECT * FROM file('{folder}/*.parquet', Parquet)")
    query = CHDB[question].format(
        time_us="toUnixTimestamp64Micro(time)",
        p50="quantileExactInclusive(0.5)(active_us)",
        p95="quantileExactInclusive(0.95)(active_us)",
    )
    query = query.replace("FROM events", "FROM default.events")

    def ask():
        text = str(connection.query(query, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines() if line]

    return timed(ask)


def polars(question, folder):
    import polars as pl

    events = pl.scan_parquet(f"{folder}/*.parquet")
    summed = [pl.len(), pl.col("n").sum().alias("total"), (pl.col("n").cast(pl.Int64) ** 2).sum().alias("squares")]
    place = ["application_label", "screen_label", "element_name"]
    time_us = pl.col("time").dt.timestamp("us")
    # The files are in the order of events and Polars keeps the order of rows inside a group and a window, so no
    # question needs a sort here.
    questions = {
        "usage": lambda: events.group_by("application_label", "day").agg(
            pl.col("active_us").sum(), pl.len(), pl.col("user_key").n_unique()
        ),
        "sessions": lambda: events.select("agent_key", time_us.alias("time_us"))
        .with_columns(gap_us=pl.col("time_us").diff().over("agent_key"))
        .with_columns(begins=((pl.col("gap_us") > 300_000_000) | (pl.col("gap_us") < 0)).fill_null(False))
        .with_columns(session=pl.col("begins").cum_sum().over("agent_key"))
        .group_by("agent_key", "session")
        .agg(n=pl.len(), duration_us=pl.col("time_us").max() - pl.col("time_us").min())
        .select(*summed, pl.col("duration_us").sum()),
        "directly_follows": lambda: events.filter(pl.col("case_key").is_not_null())
        .select("activity", next=pl.col("activity").shift(-1).over("case_key"))
        .filter(pl.col("next").is_not_null())
        .group_by("activity", "next")
        .agg(n=pl.len())
        .select(*summed),
        "variants": lambda: events.filter(pl.col("case_key").is_not_null())
        .select("case_key", pl.col("activity").cast(pl.String))
        .group_by("case_key")
        .agg(trace=pl.col("activity").str.join("\x1f"))
        .group_by("trace")
        .agg(n=pl.len())
        .select(*summed),
        "switches": lambda: events.select(
            "application_label", before=pl.col("application_label").shift(1).over("session_key")
        )
        .filter(pl.col("before") != pl.col("application_label"))
        .group_by("before", "application_label")
        .agg(n=pl.len()),
        "copy_paste": lambda: (
            clipboard := events.filter(pl.col("event_type").cast(pl.String).is_in(["copy", "cut", "paste"])).select(
                "agent_key", "event_order", pl.col("event_type").cast(pl.String), *place
            )
        )
        .filter(pl.col("event_type") == "paste")
        .sort("event_order")
        .join_asof(
            clipboard.filter(pl.col("event_type") != "paste").sort("event_order"),
            on="event_order",
            by="agent_key",
            suffix="_copied",
            coalesce=True,
        )
        .filter(pl.col("event_type_copied").is_not_null())
        .group_by(*place, *(f"{column}_copied" for column in place))
        .agg(n=pl.len())
        .select(*summed),
        "people": lambda: events.group_by("application_label").agg(
            pl.col("user_key").n_unique(),
            pl.col("case_key").drop_nulls().n_unique(),
            pl.col("active_us").quantile(0.5, "linear").alias("p50"),
            pl.col("active_us").quantile(0.95, "linear").alias("p95"),
        ),
    }
    return timed(lambda: questions[question]().collect(engine="streaming").rows())


def pm4py(question, folder, sample_agents):
    import pm4py
    import pyarrow.compute
    import pyarrow.dataset

    columns = {"case_key": "case:concept:name", "activity": "concept:name", "time": "time:timestamp"}

    def ask():
        dataset = pyarrow.dataset.dataset(folder, format="parquet")
        sample = pyarrow.compute.field("agent_key") < sample_agents
        frame = dataset.to_table(columns=list(columns), filter=sample).to_pandas().rename(columns=columns)
        frame["concept:name"] = frame["concept:name"].astype(str)
        frame["case:concept:name"] = frame["case:concept:name"].astype(str)
        frame = pm4py.format_dataframe(frame)
        if question == "directly_follows_sample":
            counts = pm4py.discover_dfg(frame)[0].values()
        else:
            counts = pm4py.get_variants(frame).values()
        counts = [count if isinstance(count, int) else int(count) for count in counts]
        return [(len(counts), sum(counts), sum(count * count for count in counts))]

    return timed(ask)


def timed(ask):
    start = time.perf_counter()
    rows = ask()
    return (time.perf_counter() - start) * 1e3, rows


def plain(value):
    """A cell as JSON holds it."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return str(value)


def main():
    engine, question, folder = sys.argv[1:4]
    engines = {"duckdb": duckdb, "datafusion": datafusion, "chdb": chdb, "polars": polars}
    if engine == "pm4py":
        elapsed_ms, rows = pm4py(question, folder, int(sys.argv[4]))
    else:
        elapsed_ms, rows = engines[engine](question, folder)
    version = importlib.metadata.version(engine)
    print(json.dumps({"version": version, "elapsed_ms": elapsed_ms, "rows": [list(row) for row in rows]}, default=plain))


main()
