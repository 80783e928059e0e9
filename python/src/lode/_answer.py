"""Rows that a question gave, in the form that one likes to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow

from lode._errors import LodeError

if TYPE_CHECKING:
    import duckdb
    import pandas
    import polars


class Answer:
    """The rows of an answer. They are here already; each form is made when it is asked for."""

    def __init__(self, table: pyarrow.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __repr__(self) -> str:
        return f"<lode.Answer: {self._table.num_rows} rows of {', '.join(self._table.column_names)}>"

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

    def arrow(self) -> pyarrow.Table:
        """As an Arrow table."""
        return self._table

    def pandas(self) -> pandas.DataFrame:
        """As a pandas frame."""
        _need("pandas")
        frame: pandas.DataFrame = self._table.to_pandas()
        return frame

    def polars(self) -> polars.DataFrame:
        """As a polars frame."""
        polars = _need("polars")
        return polars.from_arrow(self._table)

    def duckdb(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """As a DuckDB relation, of ``connection`` or of DuckDB's own."""
        duckdb = _need("duckdb")
        return (connection or duckdb).from_arrow(self._table)


def to_arrow(data: Any) -> pyarrow.Table:
    """The Arrow table of a frame: Arrow, pandas, polars, DuckDB, or a list of dicts.

    Raises:
        LodeError: for anything else.
    """
    if isinstance(data, Answer):
        return data.arrow()
    if isinstance(data, pyarrow.Table):
        return data
    if isinstance(data, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([data])
    module = type(data).__module__.split(".")[0].removeprefix("_")
    if module == "pandas":
        return pyarrow.Table.from_pandas(data, preserve_index=False)
    if module == "duckdb":
        return pyarrow.table(data.to_arrow_table())
    if hasattr(data, "to_arrow"):
        return pyarrow.table(data.to_arrow())
    if hasattr(data, "__arrow_c_stream__"):
        return pyarrow.table(data)
    if isinstance(data, list):
        return pyarrow.Table.from_pylist(data)
    raise LodeError(f"a {type(data).__name__} is no table", hint="give a frame of pandas, polars, DuckDB or Arrow")


def _need(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        raise LodeError(f"{name} is not installed", hint=f"pip install {name}") from None
