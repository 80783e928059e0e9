"""What can go wrong, said as the service says it."""

from __future__ import annotations

import json


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


def told(answer: bytes, status: int, reason: str) -> LodeError:
    """The error that an answer tells of; where it tells nothing, its status."""
    try:
        error = json.loads(answer)["error"]
    except (ValueError, KeyError, TypeError):
        return LodeError(f"the service answered {status} {reason}", status=status)
    return LodeError(
        error.get("message", ""),
        hint=error.get("hint", ""),
        code=error.get("code", ""),
        status=status,
        line=error.get("line"),
        column=error.get("column"),
    )
