"""Real clients of PostgreSQL read a project's tables: psql, psycopg, psycopg2, SQLAlchemy, pandas, and what Grafana asks.

    LODE_BIN=target/debug/lode python clients.py

Each check tells what a person would see, and compares rows with those of Lode's own HTTP interface. Prints one line per
check; exits 1 if any fails.
"""

import datetime
import decimal
import re
import subprocess
import sys
import threading

import pandas
import psycopg
import psycopg2
import sqlalchemy
from service import LOGS, Service

PROJECT = "Accounts payable"
LOG = LOGS / "Reimbursement.csv.zst"
QUESTION = "SELECT from_activity, to_activity, frequency FROM activity_graph ORDER BY 3 DESC, 1, 2"


class Checks:
    """Counts what is as it should be and tells what is not."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def equal(self, what, found, wanted):
        if found == wanted:
            self.passed += 1
            print(f"ok      {what}")
            return
        self.failed += 1
        print(f"FAILED  {what}\n        found:  {str(found)[:2000]}\n        wanted: {str(wanted)[:2000]}")

    def true(self, what, holds, told=""):
        self.equal(what, (bool(holds), told if not holds else ""), (True, ""))


class Database:
    """Where and as whom to connect."""

    def __init__(self, service, project):
        self.service = service
        self.project = project
        self.token = service.token(project)
        self.other_token = service.token()

    def dsn(self, **changes):
        parts = {"host": "127.0.0.1", "port": self.service.port, "dbname": self.project, "user": "ann"}
        parts |= {"password": self.token, "connect_timeout": 20, **changes}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def url(self, driver):
        return f"postgresql+{driver}://ann:{self.token}@127.0.0.1:{self.service.port}/{self.project}"

    def rows(self, sql):
        """What the HTTP interface answers."""
        body = {"sql": sql, "limit": 1_000_000}
        return self.service.ask("POST", f"/projects/{self.project}/query", body)["rows"]


def main():
    checks = Checks()
    with Service() as service:
        project = service.project(PROJECT, [LOG])
        service.project("Foreign", [LOGS / "StudentRecord.csv.zst"])
        database = Database(service, project)
        for part in (psql, psycopg_3, psycopg_2, sqlalchemy_and_pandas, grafana, refusals, cancelling, record):
            print(f"# {part.__name__}")
            try:
                part(checks, database)
            except Exception as error:  # a client may fail in its own way; the others are asked all the same
                checks.equal(part.__name__, f"{type(error).__name__}: {error}", "no exception")
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed or not checks.passed else 0)


def run_psql(database, *commands, **changes):
    arguments = ["psql", database.dsn(**changes), "--no-psqlrc", "--no-align", "--tuples-only"]
    for command in commands:
        arguments += ["--command", command]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    return ended.stdout, ended.stderr


def psql(checks, database):
    out, err = run_psql(database, QUESTION)
    rows = [tuple(line.split("|")) for line in out.splitlines()]
    wanted = [tuple("" if cell is None else str(cell) for cell in row) for row in database.rows(QUESTION)]
    checks.equal("rows are those of the HTTP interface", (rows, err), (wanted, ""))
    out, err = run_psql(database, r"\dt")
    checks.true(r"\dt lists tables", "public|case_variants|table" in out, out + err)
    out, err = run_psql(database, r"\dv")
    checks.true(r"\dv lists views", "public|stg_events|view" in out, out + err)
    out, err = run_psql(database, r"\d case_variants")
    checks.true(r"\d shows columns with their types", re.search(r"cases\|bigint", out), out + err)
    out, err = run_psql(database, r"\l")
    checks.true(r"\l shows this project alone", database.project in out and "foreign" not in out, out + err)
    for command in (r"\dn", r"\df", r"\di", r"\d"):
        out, err = run_psql(database, command)
        checks.true(f"{command} is understood", "ERROR" not in err, err)
    _, err = run_psql(database, "SELECT activity,\n  nothing FROM activities")
    checks.true("an error points at its place", "LINE 2:   nothing" in err and "\n          ^" in err, err)
    out, err = run_psql(database, "SELECT 1; SELECT 2 AS two; SHOW server_version")
    checks.equal("several statements in one text", (out.split(), err), (["1", "2", "16.6"], ""))
    out, err = run_psql(database, "BEGIN; SELECT count(*) > 0 FROM events; COMMIT")
    checks.equal("a transaction", ("t" in out.split(), err), (True, ""))


def psycopg_3(checks, database):
    with psycopg.connect(database.dsn()) as connection:
        checks.equal("rows", [list(row) for row in connection.execute(QUESTION)], database.rows(QUESTION))
        one = "SELECT count(*) FROM activity_graph WHERE frequency > %s AND to_activity <> %s"
        [[wanted]] = database.rows("SELECT count(*) FROM activity_graph WHERE frequency > 2 AND to_activity <> 'it''s'")
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            form = "binary" if binary else "text"
            found = cursor.execute(one, (2, "it's")).fetchone()
            checks.equal(f"parameters and {form} results", found, (wanted,))
            cursor.execute(
                "SELECT true, 1::int2, -2::int4, 3::bigint, 1.5::float8, 'é', DATE '2026-11-24',"
                " TIMESTAMP '2026-11-24T10:00:00.25', NULL, ARRAY['a', 'b'], 1.25::decimal(10, 2)"
            )
            moment = datetime.datetime(2026, 11, 24, 10, 0, 0, 250_000)
            day = datetime.date(2026, 11, 24)
            wanted_row = (True, 1, -2, 3, 1.5, "é", day, moment, None, ["a", "b"], decimal.Decimal("1.25"))
            checks.equal(f"types in {form} form", cursor.fetchone(), wanted_row)
        values = (True, 5, 2.5, "x", datetime.date(2026, 1, 2), decimal.Decimal("-1.25"), None)
        question = "SELECT %s AS a, %s AS b, %s AS c, %s AS d, %s AS e, %s AS f, %s AS g"
        row = connection.execute(question, values, binary=True).fetchone()
        checks.equal("values come back", row, values)
        times = "SELECT count(*) FROM events WHERE time < %s"
        found = connection.execute(times, (datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC),)).fetchone()
        checks.equal("a time as a parameter", list(found), database.rows("SELECT count(*) FROM events")[0])
        hostile = "x\\' OR 1=1 --"
        found = connection.execute("SELECT count(*) FROM activities WHERE activity = %s", (hostile,)).fetchone()
        checks.equal("tq1 a parameter stays a value", found, (0,))
        [[events]] = database.rows("SELECT count(*) FROM events")
        with connection.cursor() as cursor:
            cursor.execute("SELECT event_order FROM events")
            checks.equal("every row of a large answer", sum(1 for _ in cursor), events)
        for _ in range(7):
            connection.execute("SELECT %s::bigint", (1,))
        checks.equal("statements that psycopg prepares", connection.execute("SELECT %s::bigint", (9,)).fetchone(), (9,))


def psycopg_2(checks, database):
    with psycopg2.connect(database.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute(QUESTION)
        checks.equal("rows", [list(row) for row in cursor.fetchall()], database.rows(QUESTION))
        cursor.execute("SELECT count(*) FROM activity_graph WHERE to_activity IN %s", (("a", "it's"),))
        checks.equal("parameters", cursor.fetchone(), (0,))
        cursor.execute("SELECT max(time) FROM events")
        checks.equal("times have a zone", cursor.fetchone()[0].utcoffset(), datetime.timedelta(0))


def sqlalchemy_and_pandas(checks, database):
    for driver in ("psycopg2", "psycopg"):
        engine = sqlalchemy.create_engine(database.url(driver))
        inspector = sqlalchemy.inspect(engine)
        checks.true(f"{driver}: tables", "case_variants" in inspector.get_table_names(), inspector.get_table_names())
        checks.true(f"{driver}: views", "stg_events" in inspector.get_view_names())
        columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("case_variants")}
        checks.equal(f"{driver}: columns", columns.get("cases"), "BIGINT")
        checks.equal(f"{driver}: keys", inspector.get_pk_constraint("case_variants")["constrained_columns"], [])
        checks.equal(f"{driver}: indexes", inspector.get_indexes("case_variants"), [])
        frame = pandas.read_sql(QUESTION, engine)
        rows = [[None if pandas.isna(cell) else cell for cell in row] for row in frame.values.tolist()]
        checks.equal(f"{driver}: pandas.read_sql", rows, database.rows(QUESTION))
        table = pandas.read_sql_table("activity_graph", engine, columns=["to_activity", "frequency"])
        checks.equal(f"{driver}: pandas.read_sql_table", len(table), len(database.rows(QUESTION)))
        with engine.connect() as connection:
            question = sqlalchemy.text("SELECT to_activity FROM activity_graph WHERE frequency > :least")
            found = connection.execute(question, {"least": 2}).all()
        wanted = database.rows("SELECT to_activity FROM activity_graph WHERE frequency > 2")
        checks.equal(f"{driver}: bound values", sorted(map(str, found)), sorted(str((row[0],)) for row in wanted))
        engine.dispose()


GRAFANA = [
    "SELECT 1",
    "SELECT current_setting('server_version_num')::int/100 as version",
    """SELECT CASE WHEN quote_ident(table_schema) IN (
         SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
         FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
           array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
         string_to_array(current_setting('search_path'),',') s
       ) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
       FROM information_schema.tables
       WHERE quote_ident(table_schema) NOT IN ('information_schema','pg_catalog','_timescaledb_cache')
       ORDER BY 1""",
    """SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
       WHERE quote_ident(table_name) = 'app_days' ORDER BY 1""",
    """SELECT quote_ident(column_name) AS "column" FROM information_schema.columns
       WHERE quote_ident(table_name) = 'events'
       AND data_type IN ('timestamp without time zone', 'timestamp with time zone', 'bigint') ORDER BY 1""",
]
"""What Grafana's PostgreSQL data source asks, before a person asks anything."""


def grafana(checks, database):
    with psycopg2.connect(database.dsn()) as connection, connection.cursor() as cursor:
        answers = []
        for question in GRAFANA:
            try:
                cursor.execute(question)
                answers.append(cursor.fetchall())
            except psycopg2.Error as error:
                connection.rollback()
                answers.append(str(error))
        checks.equal("is it there", answers[0], [(1,)])
        checks.equal("which version", answers[1], [(1600,)])
        checks.true("which tables", any("app_days" in str(row) for row in answers[2]), answers[2])
        checks.true("which columns", any(row[1] == "bigint" for row in answers[3]), answers[3])
        checks.true("which columns hold times", ("time",) in answers[4], answers[4])
        cursor.execute(
            "SELECT floor(extract(epoch from time)/3600)*3600 AS time, count(*) AS events FROM events"
            " WHERE time BETWEEN '2000-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z' GROUP BY 1 ORDER BY 1"
        )
        [[events]] = database.rows("SELECT count(*) FROM events")
        checks.equal("a time series", sum(row[1] for row in cursor.fetchall()), events)


def refusal(database, sql=None, **changes):
    """The code and the sentence with which something is refused; what it gave, if it was not."""
    try:
        with psycopg.connect(database.dsn(**changes)) as connection:
            return connection.execute(sql or "SELECT 1").fetchall()
    except psycopg.Error as error:
        return error.sqlstate or re.sub(r".*FATAL: +", "", str(error), flags=re.DOTALL)


def refusals(checks, database):
    wrong = database.token[:-1] + ("a" if database.token[-1] != "a" else "b")
    for what, changes, words in [
        ("a wrong password", {"password": wrong}, "this token does not hold"),
        ("a project that is not there", {"dbname": "nowhere"}, "there is no project 'nowhere'"),
        ("tq2 another project", {"dbname": "foreign"}, "there is no project 'foreign'"),
    ]:
        checks.true(what, words in str(refusal(database, **changes)), refusal(database, **changes))
    checks.equal("the same token of all projects opens it", refusal(database, dbname="foreign", password=database.other_token), [(1,)])
    for sql, code in [
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT nothing FROM activities", "42703"),
        ("SELECT nothing() FROM activities", "42883"),
        ("SELEC 1", "42601"),
        ("INSERT INTO activities VALUES (1)", "25006"),
        ("CREATE TABLE t (a int)", "25006"),
        ("COPY activities TO '/tmp/canary'", "25006"),
        ("SET client_encoding TO 'LATIN1'", "22023"),
        ("SHOW nothing", "42704"),
        ("DECLARE c CURSOR FOR SELECT 1", "0A000"),
        ("SELECT relname FROM pg_class, activities", "0A000"),
        ("SELECT * FROM '/etc/passwd'", "42P01"),
        ("SELECT * FROM foreign.public.activities", "42P01"),
    ]:
        checks.equal(f"tq1 tq2 {sql}", refusal(database, sql), code)
    [[names]] = refusal(database, "SELECT string_agg(datname, ' ') FROM pg_database")
    checks.true("tq2 the catalogue names no other project", "foreign" not in names, names)


def cancelling(checks, database):
    long = "SELECT count(*) FROM events a, events b, events c, events d"
    with psycopg.connect(database.dsn()) as connection:
        timer = threading.Timer(1, connection.cancel)
        timer.start()
        try:
            told = connection.execute(long).fetchall()
        except psycopg.Error as error:
            told = error.sqlstate
        timer.join()
        checks.equal("a statement is stopped", told, "57014")
        connection.rollback()
        checks.equal("and the connection lives on", connection.execute("SELECT 1").fetchone(), (1,))


def record(checks, database):
    queries = database.service.ask("GET", f"/projects/{database.project}/query/history?limit=100")["queries"]
    states = {query["state"] for query in queries}
    checks.equal("questions stand in the history, however they ended", states, {"done", "failed", "cancelled"})
    audit = database.service.ask("GET", f"/projects/{database.project}/audit?limit=100")["entries"]
    doors = [entry for entry in audit if entry["action"] == "query.ask" and entry["detail"].get("door") == "postgres"]
    checks.true("and in the audit log", doors, audit[:2])


if __name__ == "__main__":
    main()
