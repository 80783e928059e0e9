"""`lode serve` on free ports over a data folder of its own, with a first account: for tests that are other programs.

    with Service() as service:
        project = service.project("Accounts payable", logs=["log.csv"])
        token = service.token()

`LODE_BIN` names the program. Nothing here asks anything that a test is about.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[4]
LOGS = ROOT / "fixtures/sample-data/leno-real"
"""Recordings that come with the repository."""

PASSWORD = "kohlrabi und drei Züge"
IMPORT_SECONDS_MAX = 120
"""How long an import with its jobs may take."""


class Refused(Exception):
    """The service refused a request: its status and its sentence."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.error = json.loads(body)["error"]


class Service:
    """A service that ends with the block it is made for; `options` go to the command line."""

    def __init__(self, *options):
        self._options = options

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self.folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        command = [os.environ["LODE_BIN"], "serve", "--listen", "127.0.0.1:0", "--postgres", "127.0.0.1:0"]
        command += ["--data", str(self.folder / "data"), "--master-key", str(self.folder / "master.key")]
        command += self._options
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._stack.callback(self._end)
        self.url = self._said(self._process.stdout, r"ready: (http://\S+)")
        self.port = int(self._said(self._process.stderr, r"port=(\d+)"))
        setup_token = self._said(self._process.stdout, r"/setup#(\S+)")
        # What it says from now on is read, so that it never waits for a reader.
        threading.Thread(target=self._process.stderr.read, daemon=True).start()
        self._cookie = None
        body = {"token": setup_token, "email": "ann@example.org", "name": "Ann", "password": PASSWORD}
        self.ask("POST", "/setup", body)
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _end(self):
        self._process.terminate()
        self._process.wait(20)

    def _said(self, stream, pattern):
        for line in stream:
            if found := re.search(pattern, line):
                return found.group(1)
        raise SystemExit(f"lode serve ended without saying {pattern}")

    def ask(self, method, path, body=None, token=None):
        """The JSON of an answer; [`Refused`] for an error."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, method=method)
        kind = "octet-stream" if isinstance(body, bytes) else "json"
        request.add_header("content-type", f"application/{kind}")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        elif self._cookie:
            request.add_header("cookie", self._cookie)
        try:
            with urllib.request.urlopen(request) as answer:
                if cookie := answer.headers.get("set-cookie"):
                    self._cookie = cookie.split(";")[0]
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode()) from None

    def project(self, name, logs=(), **settings):
        """Makes a project with these logs and its tables; gives its short name."""
        slug = self.ask("POST", "/projects", {"name": name, **settings})["slug"]
        for log in logs:
            log = pathlib.Path(log)
            begun = self.ask("POST", f"/projects/{slug}/imports?file={log.name}", log.read_bytes())
            self._follow(f"/projects/{slug}/imports/{begun['id']}")
        return slug

    def _follow(self, path):
        end = time.monotonic() + IMPORT_SECONDS_MAX
        while time.monotonic() < end:
            answer = self.ask("GET", path)
            if answer["state"] in ("done", "failed", "duplicate") and not answer.get("jobs_running"):
                assert answer["state"] == "done", answer
                return
            time.sleep(0.1)
        raise SystemExit(f"{path} took longer than {IMPORT_SECONDS_MAX} s")

    def token(self, project=None, read_only=False):
        """A token of the account, for one project or for all."""
        body = {"name": "test", "project": project, "read_only": read_only}
        return self.ask("POST", "/me/tokens", body)["token"]
