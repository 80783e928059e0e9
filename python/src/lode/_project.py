"""A project: what is in it, questions to it, tables for it."""

from __future__ import annotations

import datetime
import io
import os
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from lode import _desk
from lode._answer import Answer, to_arrow
from lode._errors import LodeError
from lode._http import Caller, Service

PAGE_ROWS = 100_000
"""Rows of one page of events unless asked otherwise."""

PAGE_ROWS_MAX = 1_000_000
"""Rows of one answer at most; the service refuses more."""

_ORDER = "event_order"
"""The one order over all events, by which pages follow each other."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    type: str
    """``integer``, ``number``, ``text``, ``time``, ``date``, ``boolean`` or ``list``."""
    personal: bool
    """Whether it may say something about a person."""
    description: str


@dataclass(frozen=True)
class Table:
    """A table of a project."""

    name: str
    layer: str
    """``staging``, ``intermediate``, ``mart``, ``custom`` or ``uploaded``."""
    description: str
    rows: int | None
    """How many; ``None`` for a view."""
    columns: tuple[Column, ...]


def connect(
    url: str | None = None, token: str | None = None, project: str | None = None, *, ca_file: str | None = None
) -> Project:
    """Opens a project of a service. A script that the service runs as a job gives nothing: it has its own project.

    Args:
        url: Where the service is, such as ``https://lode.example.org``; ``LODE_URL`` unless given.
        token: An API token, made under your account: ``lodet_…``; ``LODE_TOKEN`` unless given.
        project: Short name or id; ``LODE_PROJECT`` unless given; may be left out where the token sees one project only.
        ca_file: Certificates to believe besides the system's, PEM.

    Raises:
        LodeError: the service cannot be reached, the token does not hold, or the project is not there.
    """
    project = project or os.environ.get("LODE_PROJECT") or None
    if _desk.current is not None and url is None:
        return Project(_desk.current, project or "")
    url, token = url or os.environ.get("LODE_URL"), token or os.environ.get("LODE_TOKEN")
    if not url or not token:
        raise LodeError("where is the service, and who asks?", hint="give url and token, or set LODE_URL and LODE_TOKEN")
    service = Service(url, token, ca_file)
    if project is not None:
        found = service.json("GET", f"/projects/{_part(project)}")
        return Project(service, found["slug"])
    projects = [found["slug"] for found in service.json("GET", "/projects")["projects"]]
    if len(projects) != 1:
        known = ", ".join(projects) if projects else "none"
        raise LodeError(f"which project? This token sees {known}", hint="name one with project=")
    return Project(service, projects[0])


class Project:
    """A project of a service; [`connect`][lode.connect] opens one."""

    def __init__(self, service: Caller, name: str) -> None:
        self._service = service
        self.name = name
        """Its short name."""

    def __repr__(self) -> str:
        return f"<lode.Project {self.name}>"

    def sql(self, query: str) -> Answer:
        """Asks in SQL: one ``SELECT``, ``WITH`` or ``EXPLAIN``, of at most a million rows.

        Raises:
            LodeError: with the place in the query that is at fault.
        """
        body = {"sql": query, "format": "parquet"}
        answer = self._service.bytes("POST", self._path("/query/export"), body)
        return Answer(pyarrow.parquet.read_table(io.BytesIO(answer)))

    def tables(self) -> list[Table]:
        """The tables there are, with their columns."""
        listed = self._service.json("GET", self._path("/tables"))["tables"]
        return [
            Table(
                name=table["name"],
                layer=table["layer"],
                description=table["description"],
                rows=table["rows"],
                columns=tuple(Column(**column) for column in table["columns"]),
            )
            for table in listed
        ]

    def events(
        self,
        since: datetime.datetime | None = None,
        columns: Sequence[str] | None = None,
        *,
        page_rows: int = PAGE_ROWS,
    ) -> Events:
        """The events, page by page, in their order.

        Args:
            since: Only events that happened at this moment or later; a time without a zone is taken as UTC.
            columns: Only these; all of them unless said otherwise.
            page_rows: Rows of one page, at most a million.

        A project with a minimum group size shows single events only to those with the grant ``raw``.
        """
        if not 1 <= page_rows <= PAGE_ROWS_MAX:
            raise LodeError(f"a page has 1 to {PAGE_ROWS_MAX} rows, not {page_rows}")
        return Events(self, since, list(columns) if columns is not None else None, page_rows)

    def write_table(self, name: str, data: Any) -> int:
        """Writes a table, or replaces one that was written this way; readers see the old one or the new one.

        Args:
            name: Its SQL name, such as ``my_scores``.
            data: A frame of pandas, polars, DuckDB or Arrow, or a list of dicts.

        Returns:
            How many rows it has.

        Raises:
            LodeError: a name that belongs to a job, a token that only reads, a table that is too large.
        """
        table = to_arrow(data)
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        path = self._path(f"/tables/{_part(name)}")
        return int(self._service.json("PUT", path, memoryview(sink.getvalue()))["rows"])

    def drop_table(self, name: str) -> None:
        """Takes away a table that was written with :meth:`write_table`."""
        self._service.json("DELETE", self._path(f"/tables/{_part(name)}"))

    def _path(self, rest: str) -> str:
        return f"/projects/{_part(self.name)}{rest}"


class Events:
    """Events of a project. Iterating asks for one page after the other; nothing is asked before."""

    def __init__(
        self, project: Project, since: datetime.datetime | None, columns: list[str] | None, page_rows: int
    ) -> None:
        self._project = project
        self._since = since
        self._columns = columns
        self._page_rows = page_rows

    def __iter__(self) -> Iterator[pyarrow.Table]:
        wanted = self._columns
        read = "*" if wanted is None else ", ".join(_quoted(name) for name in dict.fromkeys([*wanted, _ORDER]))
        last: int | None = None
        while True:
            page = self._project.sql(self._question(read, last)).arrow()
            if page.num_rows:
                last = page.column(_ORDER)[page.num_rows - 1].as_py()
                yield page if wanted is None else page.select(wanted)
            if page.num_rows < self._page_rows:
                return

    def _question(self, columns: str, last: int | None) -> str:
        conditions = []
        if last is not None:
            conditions.append(f"{_ORDER} > {last}")
        if self._since is not None:
            since = self._since if self._since.tzinfo else self._since.replace(tzinfo=datetime.UTC)
            moment = since.astimezone(datetime.UTC).isoformat(timespec="microseconds")
            conditions.append(f"time >= CAST('{moment}' AS TIMESTAMP WITH TIME ZONE)")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {columns} FROM events{where} ORDER BY {_ORDER} LIMIT {self._page_rows}"

    def arrow(self) -> pyarrow.Table:
        """All of them as one Arrow table."""
        pages = list(self)
        if pages:
            return pyarrow.concat_tables(pages)
        columns = "*" if self._columns is None else ", ".join(_quoted(name) for name in self._columns)
        return self._project.sql(f"SELECT {columns} FROM events LIMIT 0").arrow()

    def pandas(self) -> Any:
        """All of them as one pandas frame."""
        return Answer(self.arrow()).pandas()

    def polars(self) -> Any:
        """All of them as one polars frame."""
        return Answer(self.arrow()).polars()


def _part(text: str) -> str:
    """A name as part of an address."""
    return urllib.parse.quote(text, safe="")


def _quoted(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
