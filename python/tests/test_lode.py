"""The package against a real service, which these tests start: `LODE_BIN` names the program.

    LODE_BIN=target/debug/lode PYTHONPATH=python/src:crates/server/tests/clients python -m unittest discover python/tests
"""

import contextlib
import datetime
import http.server
import io
import json
import os
import threading
import unittest
import unittest.mock

import duckdb
import lode
import pandas
import polars
import pyarrow
from service import LOGS, ROOT, Service

QUESTION = "SELECT from_activity, to_activity, frequency FROM activity_graph ORDER BY frequency DESC, 1, 2"


class Stories(unittest.TestCase):
    """One service with two projects for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service())
        cls.name = cls.service.project("Accounts payable", [LOGS / "Reimbursement.csv.zst"])
        cls.service.project("Foreign")
        cls.token = cls.service.token(cls.name)
        cls.project = lode.connect(cls.service.url, cls.token)

    def rows(self, sql):
        """What the HTTP interface answers."""
        return self.service.ask("POST", f"/projects/{self.name}/query", {"sql": sql, "limit": 1_000_000})["rows"]

    def test_the_same_rows_in_every_form(self):
        answer, wanted = self.project.sql(QUESTION), [tuple(row) for row in self.rows(QUESTION)]
        self.assertGreater(len(wanted), 10)
        self.assertEqual((len(answer), answer.columns), (len(wanted), ["from_activity", "to_activity", "frequency"]))
        arrow = [tuple(row.values()) for row in answer.arrow().to_pylist()]
        self.assertEqual(arrow, wanted)
        frame = answer.pandas()
        self.assertIsInstance(frame, pandas.DataFrame)
        cells = [tuple(None if pandas.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False)]
        self.assertEqual(cells, wanted)
        self.assertIsInstance(answer.polars(), polars.DataFrame)
        self.assertEqual(answer.polars().rows(), wanted)
        self.assertEqual(answer.duckdb().fetchall(), wanted)
        connection = duckdb.connect()
        self.assertEqual(answer.duckdb(connection).count("*").fetchall(), [(len(wanted),)])

    def test_types_survive(self):
        row = self.project.sql("SELECT time, event_order, process_name FROM events LIMIT 1").arrow()
        kinds = [str(row.schema.field(name).type) for name in ("time", "event_order")]
        self.assertEqual(kinds, ["timestamp[us, tz=UTC]", "int64"])

    def test_events_come_in_pages_that_join_without_a_gap(self):
        [[events]] = self.rows("SELECT count(*) FROM events")
        pages = list(self.project.events(columns=["time", "event_order"], page_rows=1_000))
        self.assertEqual([len(page) for page in pages], [1_000] * (events // 1_000) + [events % 1_000])
        order = pyarrow.concat_tables(pages).column("event_order").to_pylist()
        self.assertEqual(order, [row[0] for row in self.rows("SELECT event_order FROM events ORDER BY 1")])
        self.assertEqual(self.project.events(columns=["time"]).arrow().column_names, ["time"])
        self.assertEqual(len(self.project.events().pandas()), events)

    def test_events_since_a_moment(self):
        [[middle]] = self.rows("SELECT CAST(median(CAST(time AS BIGINT)) AS BIGINT) FROM events")
        since = datetime.datetime.fromtimestamp(middle / 1e6, datetime.UTC)
        moment = since.isoformat()
        [[wanted]] = self.rows(f"SELECT count(*) FROM events WHERE time >= '{moment}'")
        self.assertEqual(len(self.project.events(since=since, columns=["time"]).arrow()), wanted)
        naive = since.replace(tzinfo=None)
        self.assertEqual(len(self.project.events(since=naive, columns=["time"]).arrow()), wanted)
        late = datetime.datetime(2100, 1, 1)
        self.assertEqual(self.project.events(since=late, columns=["time"]).arrow().num_rows, 0)

    def test_tables_say_what_is_in_them(self):
        tables = {table.name: table for table in self.project.tables()}
        self.assertEqual(tables["activity_graph"].layer, "mart")
        [[events]] = self.rows("SELECT count(*) FROM events")
        self.assertEqual(tables["events"].rows, events)
        personal = {column.name for column in tables["events"].columns if column.personal}
        self.assertIn("user_name", personal | {column.name for column in tables["events"].columns})

    def test_a_table_is_written_from_every_form_and_replaced(self):
        frame = pandas.DataFrame({"name": ["a", "b"], "score": [1.5, None], "at": pandas.to_datetime(["2026-11-24", None])})
        forms = [
            frame,
            polars.from_pandas(frame),
            pyarrow.Table.from_pandas(frame),
            duckdb.sql("SELECT * FROM frame"),
            [{"name": "a", "score": 1.5}, {"name": "b", "score": None}],
        ]
        for form in forms:
            with self.subTest(type(form).__module__):
                self.assertEqual(self.project.write_table("my_scores", form), 2)
                self.assertEqual(self.rows("SELECT name, score FROM my_scores ORDER BY 1"), [["a", 1.5], ["b", None]])
                known = {"name", "score", "at"}
                self.assertLessEqual(set(self.project.sql("SELECT * FROM my_scores").columns), known, "an index came along")
        self.assertEqual(self.project.write_table("my_scores", self.project.sql("SELECT 1 AS one")), 1)
        self.assertEqual(self.rows("SELECT * FROM my_scores"), [[1]])
        self.project.drop_table("my_scores")
        with self.assertRaises(lode.LodeError):
            self.project.sql("SELECT * FROM my_scores")

    def refusal(self, work):
        with self.assertRaises(lode.LodeError) as caught:
            work()
        return caught.exception

    def test_errors_are_the_services_sentences(self):
        error = self.refusal(lambda: self.project.sql("SELECT activity,\n  nothing FROM activities"))
        self.assertEqual((error.code, error.line, error.column, error.status), ("sql", 2, 3, 422))
        self.assertIn("nothing", str(error))
        self.assertIn("(line 2, column 3)", str(error))
        error = self.refusal(lambda: self.project.write_table("events", [{"a": 1}]))
        self.assertEqual((error.code, "table of a job" in str(error)), ("conflict", True))
        error = self.refusal(lambda: self.project.write_table("x", object()))
        self.assertIn("a object is no table", str(error))
        reader = lode.connect(self.service.url, self.service.token(self.name, read_only=True))
        self.assertEqual(len(reader.sql("SELECT 1 AS one")), 1)
        error = self.refusal(lambda: reader.write_table("x", [{"a": 1}]))
        self.assertIn("this token only reads", str(error))

    def test_projects_are_named_or_the_only_one(self):
        self.assertEqual(self.project.name, self.name)
        both = self.service.token()
        error = self.refusal(lambda: lode.connect(self.service.url, both))
        self.assertIn(self.name, str(error))
        self.assertEqual(lode.connect(self.service.url, both, "foreign").name, "foreign")
        error = self.refusal(lambda: lode.connect(self.service.url, self.token, "foreign"))
        self.assertEqual((error.status, error.message), (404, "there is no project 'foreign'"))

    def test_a_token_goes_nowhere_else(self):
        error = self.refusal(lambda: lode.connect("http://lode.example.org", self.token))
        self.assertIn("does not travel unencrypted", str(error))
        self.assertIn("is no address", str(self.refusal(lambda: lode.connect("lode.example.org", self.token))))
        error = self.refusal(lambda: lode.connect("http://127.0.0.1:9", self.token))
        self.assertIn("cannot be reached", str(error))


    def test_no_redirect_takes_the_token_along(self):
        seen = []

        class Redirecting(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.path)
                self.send_response(302)
                self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Redirecting)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        error = self.refusal(lambda: lode.connect(f"http://127.0.0.1:{server.server_port}", self.token, "x"))
        server.shutdown()
        server.server_close()
        self.assertEqual((error.status, seen), (302, ["/api/v1/projects/x"]))

    def test_the_notebook_runs(self):
        notebook = json.loads((ROOT / "python/notebooks/first-look.ipynb").read_text())
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        self.assertGreater(len(cells), 4)
        with unittest.mock.patch.dict(os.environ, LODE_URL=self.service.url, LODE_TOKEN=self.token):
            names = {}
            self.enterContext(contextlib.redirect_stdout(io.StringIO()))
            for cell in cells:
                exec(compile(cell, "first-look.ipynb", "exec"), names)
        self.assertFalse(names["variants"].empty)


if __name__ == "__main__":
    unittest.main()
