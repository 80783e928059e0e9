"""Requests of a script that runs as a job, by the one open file that it has."""

from __future__ import annotations

import http.client
import io
import os
from typing import Any

from lode._errors import LodeError, told
from lode._http import Caller, encoded

TABLE_BYTES_MAX = 256 << 20
"""Bytes of what is written at most, as everywhere."""


class Desk(Caller):
    """The service as a job sees it: without an address and without a token."""

    def __init__(self, file: int) -> None:
        self.file = file
        self._connection = http.client.HTTPConnection("service")
        self._connection.sock = _File(file)  # type: ignore[assignment]

    def bytes(self, method: str, path: str, body: Any = None) -> bytes:
        data, kind = encoded(body)
        if data is not None and len(data) > TABLE_BYTES_MAX:
            raise LodeError(f"what is written has more than {TABLE_BYTES_MAX} bytes", hint="write less")
        try:
            self._connection.request(method, f"/api/v1{path}", data, {"content-type": kind})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LodeError(f"the service does not answer any more: {error}") from None
        if answer.status >= 400:
            raise told(text, answer.status, answer.reason)
        return text

    def failed(self, message: str, line: int | None, column: int | None) -> None:
        """Says why the script cannot go on."""
        self.json("POST", "/failed", {"message": message, "line": line, "column": column})


class _File:
    """An open file as :mod:`http.client` wants its socket; no call that the walls refuse is needed for it."""

    def __init__(self, file: int) -> None:
        self._file = file

    def sendall(self, data: Any) -> None:
        left = memoryview(data).cast("B")
        while left:
            left = left[os.write(self._file, left) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return os.fdopen(self._file, mode, closefd=False)  # type: ignore[return-value]

    def close(self) -> None:
        """The file stays open as long as the process."""


current: Desk | None = None
"""The service of the job that runs here; ``None`` where no job does."""
