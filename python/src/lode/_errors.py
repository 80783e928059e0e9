"""What can go wrong, said as the service says it."""

from __future__ import annotations


class LodeError(Exception):
    """The service refused, or could not be reached.

    ``str(error)`` is the service's sentence, with what to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        status: int | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        place = f" (line {line}, column {column})" if line is not None else ""
        super().__init__(f"{message}{place}" + (f"; {hint}" if hint else ""))
        self.message = message
        """What went wrong."""
        self.hint = hint
        """What to do."""
        self.code = code
        """For programs: ``not_found``, ``forbidden``, ``sql`` …; empty if no service answered."""
        self.status = status
        """The HTTP status, if a service answered."""
        self.line = line
        """Line of the SQL that is at fault, from 1."""
        self.column = column
        """Column of it, from 1."""
