"""Scripts as jobs of a real service, in a real Python behind real walls: what they make, what they may not, how they end.

    LODE_BIN=target/debug/lode PYTHONPATH=python/src:crates/server/tests/clients python -m unittest discover python/tests
"""

import contextlib
import os
import pathlib
import sys
import time
import unittest
import unittest.mock

from service import LOGS, Refused, Service

RUN_SECONDS_MAX = 120

PER_APPLICATION = '''# Events per application, and each one's share.
# reads: int_labeled_events      grain: application      audience: analyst
#
# share = events / all events
import lode

project = lode.connect()
frame = project.sql("SELECT application_label, count(*) AS events FROM int_labeled_events GROUP BY 1").pandas()
frame["share"] = frame["events"] / frame["events"].sum()
print("applications:", len(frame))
project.write_table("per_application", frame.sort_values("application_label"))
'''

HEAD = "# A test.\n# reads: events      grain: one\nimport lode\nproject = lode.connect()\n"
"""Four lines before what a test is about."""

WALLS = HEAD + '''
import ctypes, os, pathlib, resource, socket, subprocess, threading, pyarrow

told = []

def attempt(what, work):
    try:
        work()
        told.append({"what": what, "possible": True, "why": ""})
    except BaseException as error:
        told.append({"what": what, "possible": False, "why": repr(error)})

def thread():
    threads = [threading.Thread(target=lambda: None) for _ in range(4)]
    [one.start() for one in threads]
    [one.join() for one in threads]

def system_call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

attempt("write into its folder", lambda: pathlib.Path("notes").write_text("x"))
attempt("start threads", thread)
attempt("read its own modules", lambda: pathlib.Path(pyarrow.__file__).read_bytes())
attempt("import what lies around", lambda: __import__("pandas"))
attempt("read /etc/passwd", lambda: pathlib.Path("/etc/passwd").read_bytes())
attempt("read the control database", lambda: pathlib.Path("@DATA@/control.sqlite").read_bytes())
attempt("list the data folder", lambda: os.listdir("@DATA@"))
attempt("list the folders of other runs", lambda: os.listdir("@DATA@/scratch"))
attempt("read the master key", lambda: pathlib.Path("@KEY@").read_bytes())
attempt("read its first environment", lambda: pathlib.Path("/proc/self/environ").read_bytes())
attempt("look at the service", lambda: os.listdir(f"/proc/{os.getppid()}/fd"))
attempt("write beside its folder", lambda: pathlib.Path("../beside").write_text("x"))
attempt("write into its modules", lambda: (pathlib.Path(pyarrow.__file__).parent / "canary").write_text("x"))
attempt("link a file into its folder", lambda: os.link("@KEY@", "linked"))
attempt("connect to the service", lambda: socket.create_connection(("127.0.0.1", @PORT@), 5))
attempt("make a socket", lambda: socket.socket(socket.AF_UNIX))
attempt("make a datagram socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("divide itself", os.fork)
attempt("start a program", lambda: subprocess.run(["/bin/true"]))
attempt("start its interpreter again", lambda: subprocess.run([os.path.realpath("/proc/self/exe"), "-c", ""]))
attempt("signal the service", lambda: os.kill(os.getppid(), 0))
attempt("raise its limits", lambda: resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2))
attempt("trace another process", lambda: system_call(101, 16, os.getppid(), 0, 0))
attempt("make a namespace", lambda: system_call(272, 0x10000000))
attempt("become another program", lambda: os.execv("/bin/true", ["true"]))
project.write_table("walls", told)
'''

POSSIBLE = {"write into its folder", "start threads", "read its own modules", "import what lies around"}


class Jobs(unittest.TestCase):
    """One service with Python and two projects for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.service = cls.enterClassContext(Service("--python", sys.executable))
        cls.name = cls.service.project("Accounts payable", [LOGS / "Reimbursement.csv.zst"])
        cls.service.project("Foreign", [LOGS / "StudentRecord.csv.zst"])

    def rows(self, sql):
        return self.service.ask("POST", f"/projects/{self.name}/query", {"sql": sql, "limit": 100_000})["rows"]

    def put(self, job, text):
        body = {"text": text, "schedule": "manual"}
        kept = self.service.ask("PUT", f"/projects/{self.name}/jobs/{job}", body)
        self.addCleanup(self.take_away, job)
        return kept

    def take_away(self, job):
        with contextlib.suppress(Refused):
            self.service.ask("DELETE", f"/projects/{self.name}/jobs/{job}")

    def start(self, job):
        return self.service.ask("POST", f"/projects/{self.name}/runs", {"jobs": [job]})["run"]

    def until(self, run, is_met):
        end = time.monotonic() + RUN_SECONDS_MAX
        while time.monotonic() < end:
            runs = self.service.ask("GET", f"/projects/{self.name}/runs?run={run}")["runs"]
            if runs and is_met(runs[0]):
                return runs[0]
            time.sleep(0.05)
        self.fail(f"run {run} took longer than {RUN_SECONDS_MAX} s")

    def ran(self, job, text):
        """The run of a job that is put and started."""
        self.put(job, text)
        return self.until(self.start(job), lambda run: run["finished_at"])

    def tried(self, text):
        return self.service.ask("POST", f"/projects/{self.name}/jobs/dry-run", {"text": text})

    def refusal(self, work):
        with self.assertRaises(Refused) as caught:
            work()
        return caught.exception.status, caught.exception.error

    def test_a_script_makes_a_table(self):
        kept = self.put("per_application", PER_APPLICATION)
        self.assertEqual((kept["language"], kept["origin"], kept["formula"]), ("python", "custom", "share = events / all events"))
        run = self.until(self.start("per_application"), lambda run: run["finished_at"])
        self.assertEqual((run["state"], run["error"]), ("done", None))
        wanted = self.rows("SELECT application_label, count(*), count(*) / 4591.0 FROM int_labeled_events GROUP BY 1 ORDER BY 1")
        made = self.rows("SELECT application_label, events, share FROM per_application ORDER BY 1")
        self.assertEqual([row[:2] for row in made], [row[:2] for row in wanted])
        self.assertAlmostEqual(sum(row[2] for row in made), 1)
        [[events]] = self.rows("SELECT count(*) FROM int_labeled_events")
        self.assertEqual((run["rows_in"], run["rows_out"]), (events, len(wanted)))
        self.assertIsNone(run["peak_memory_bytes"], "a figure that nobody measured")
        jobs = {job["name"]: job for job in self.service.ask("GET", f"/projects/{self.name}/jobs")["jobs"]}
        self.assertEqual((jobs["per_application"]["state"], jobs["per_application"]["rows"]), ("fresh", len(wanted)))

    def test_the_same_script_runs_on_an_analysts_machine(self):
        token = self.service.token(self.name)
        environment = {"LODE_URL": self.service.url, "LODE_TOKEN": token, "LODE_PROJECT": self.name}
        text = PER_APPLICATION.replace('"per_application"', '"from_outside"')
        with unittest.mock.patch.dict(os.environ, environment):
            exec(compile(text, "job.py", "exec"), {})
        self.assertAlmostEqual(self.rows("SELECT sum(share) FROM from_outside")[0][0], 1)
        self.service.ask("DELETE", f"/projects/{self.name}/tables/from_outside")

    def test_another_job_reads_its_table(self):
        self.put("per_application", PER_APPLICATION)
        self.put("most", "-- The most used one.\n-- reads: per_application\nSELECT max(share) AS share FROM per_application")
        self.until(self.start("most"), lambda run: run["finished_at"])
        [[share]] = self.rows("SELECT share FROM most")
        self.assertEqual([[share]], self.rows("SELECT max(share) FROM per_application"))

    def test_trying_keeps_nothing_and_shows_what_was_printed(self):
        tried = self.tried(PER_APPLICATION)
        self.assertEqual([column["name"] for column in tried["answer"]["columns"]], ["application_label", "events", "share"])
        self.assertIn(f"applications: {tried['answer']['row_count']}", tried["printed"])
        with self.assertRaises(Refused):
            self.rows("SELECT * FROM per_application")
        scratch = pathlib.Path(self.service.folder / "data" / "scratch")
        self.assertEqual([folder.name for folder in scratch.glob("*/job.py")], [], "a run left its folder")

    def test_a_try_that_fails_shows_what_was_printed_before(self):
        tried = self.tried(HEAD + "print('so far')\n1 / 0\n")
        self.assertEqual((tried["answer"], tried["error"]["line"]), (None, 6))
        self.assertEqual(tried["error"]["message"], "ZeroDivisionError: division by zero")
        self.assertTrue(tried["printed"].startswith("so far\nTraceback"), tried["printed"])

    def test_a_mistake_has_its_place(self):
        for text, line, said in [
            ("\nvalue = 1 / 0\n", 6, "ZeroDivisionError: division by zero"),
            ("def deep():\n    return {}['x']\n\ndeep()\n", 6, "KeyError: 'x'"),
            ("project.sql('SELECT nothing FROM events')\n", 5, "nothing"),
            ("project.sql('SELECT * FROM int_labeled_events')\n", 5, "the tables that its head names after reads: (events)"),
            ("project.sql('SELECT * FROM foreign.events')\n", 5, "not found"),
            ("project.write_table('another', [{'a': 1}])\n", 5, "a job writes its own table, 'mistaken', and not 'another'"),
            ("project.write_table('mistaken', [{'a': {'b': 1}}])\n", 5, "which no table can hold"),
            ("project.tables()\n", 5, "asks in SQL, reads events and writes its own table"),
            ("raise SystemExit('enough')\n", 5, "SystemExit: enough"),
        ]:
            with self.subTest(said):
                run = self.ran("mistaken", HEAD + text)
                self.doCleanups()
                self.assertEqual((run["state"], run["error"]["line"]), ("failed", line), run)
                self.assertIn(said, run["error"]["message"])

    def test_a_script_that_writes_nothing_is_told_so(self):
        run = self.ran("silent", HEAD + "print('done')\n")
        self.assertEqual(run["state"], "failed")
        self.assertIn('the script wrote no table; let it end with project.write_table("silent", frame)', run["error"]["message"])

    def test_what_python_does_not_understand_is_not_kept(self):
        status, error = self.refusal(lambda: self.put("broken", HEAD + "for\n"))
        self.assertEqual((status, error.get("line")), (422, 5), error)
        self.assertIn("SyntaxError", error["message"])
        status, error = self.refusal(lambda: self.put("broken", "# A test.\n# parts: agent\nimport lode\n"))
        self.assertEqual((status, error.get("line")), (422, 2), error)

    def test_the_old_table_stays_when_a_script_fails(self):
        text = HEAD + "project.write_table('steady', [{'n': 1}])\n"
        self.ran("steady", text)
        run = self.ran("steady", text.replace("'n': 1", "'n': 2") + "raise ValueError('after it wrote')\n")
        self.assertEqual(run["state"], "failed")
        self.assertEqual(self.rows("SELECT n FROM steady"), [[1]])

    def test_events_come_page_by_page(self):
        text = HEAD + (
            "rows = sum(len(page) for page in project.events(columns=['time'], page_rows=1_000))\n"
            "project.write_table('pages', [{'rows': rows}])\n"
        )
        self.assertEqual(self.ran("pages", text)["state"], "done")
        self.assertEqual(self.rows("SELECT rows FROM pages"), self.rows("SELECT count(*) FROM events"))

    def test_s8_a_script_reaches_its_tables_and_nothing_else(self):
        text = WALLS.replace("@DATA@", str(self.service.folder / "data")).replace("@KEY@", str(self.service.folder / "master.key"))
        run = self.ran("walls", text.replace("@PORT@", self.service.url.rsplit(":", 1)[1]))
        self.assertEqual((run["state"], run["error"]), ("done", None))
        rows = self.rows("SELECT what, possible, why FROM walls")
        self.assertEqual(len(rows), WALLS.count("attempt(") - 1)
        for what, possible, why in rows:
            with self.subTest(what):
                self.assertEqual(possible, what in POSSIBLE, why)

    def test_s8_a_script_that_takes_all_memory_is_ended_and_nothing_else(self):
        run = self.ran("hungry", HEAD + "kept = []\nwhile True:\n    kept.append(bytearray(64 << 20))\n")
        self.assertEqual(run["state"], "failed")
        self.assertRegex(run["error"]["message"], "MemoryError|needed more memory than it may")
        self.assertEqual(self.rows("SELECT 1"), [[1]])

    def test_s8_a_script_that_is_cancelled_is_gone(self):
        self.put("endless", HEAD + "import pathlib\npathlib.Path('begun').touch()\nwhile True:\n    pass\n")
        run = self.start("endless")
        scratch = pathlib.Path(self.service.folder / "data" / "scratch")
        end = time.monotonic() + RUN_SECONDS_MAX
        while not list(scratch.glob("*/begun")):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.service.ask("DELETE", f"/projects/{self.name}/runs/{run}")
        self.assertEqual(self.until(run, lambda run: run["finished_at"])["state"], "cancelled")
        while list(scratch.glob("*/begun")):
            self.assertLess(time.monotonic(), end, "the folder of a cancelled script stays")
            time.sleep(0.05)

    def test_d6_what_a_script_says_of_people_is_not_kept_where_groups_are_protected(self):
        self.name = self.service.project("Protected", [LOGS / "StudentRecord.csv.zst"], min_group_size=5)
        run = self.ran("telling", HEAD + "raise ValueError('canary')\n")
        self.assertEqual((run["state"], run["error"]["line"]), ("failed", 5))
        self.assertNotIn("canary", str(run))
        self.assertIn("ValueError; what it says is not kept", run["error"]["message"])
        run = self.ran("telling", HEAD + "import os\nprint('canary', flush=True)\nos.write(2, b'lode: canary')\nos._exit(3)\n")
        self.assertEqual(run["state"], "failed")
        self.assertNotIn("canary", str(run))


class WithoutPython(unittest.TestCase):
    """A service that was given no interpreter."""

    def test_a_script_is_refused_with_what_to_do(self):
        with Service() as service:
            name = service.project("Accounts payable", [LOGS / "StudentRecord.csv.zst"])
            with self.assertRaises(Refused) as caught:
                service.ask("PUT", f"/projects/{name}/jobs/per_application", {"text": PER_APPLICATION})
            self.assertIn("start lode with --python", caught.exception.error["message"])


if __name__ == "__main__":
    unittest.main()
