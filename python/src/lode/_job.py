"""Runs a script as a job of the service; :func:`lode.connect` finds the service by itself then.

The process that this runs in has given everything away but its folder and one open file, standard input, by which it speaks
with the service.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback

from lode import _desk

SCRIPT = "job.py"
"""The script, in the folder where the process starts."""


def run(arguments: list[str]) -> None:
    """Runs the script, or with ``check`` only reads it; what it cannot do is told to the service."""
    desk = _desk.Desk(os.dup(0))
    # A script that reads its input finds none, instead of what the service says.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_end_with_the_service, args=(desk.file,), daemon=True).start()
    os.write(desk.file, b"R")
    try:
        with open(SCRIPT, encoding="utf-8") as script:
            code = compile(script.read(), SCRIPT, "exec", dont_inherit=True)
        if arguments != ["check"]:
            _desk.current = desk
            exec(code, {"__name__": "__main__", "__file__": SCRIPT})
    except SystemExit as end:
        if end.code not in (None, 0):
            desk.failed(f"SystemExit: {end.code}", *_place(end))
    except BaseException as error:
        traceback.print_exc()
        desk.failed(f"{type(error).__name__}: {error}", *_place(error))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that the script left running do not keep the process.
    os._exit(0)


def _place(error: BaseException) -> tuple[int | None, int | None]:
    """Line and column of the script at which it ended."""
    if isinstance(error, SyntaxError) and error.filename == SCRIPT:
        return error.lineno, error.offset
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == SCRIPT]
    return (lines[-1] if lines else None), None


def _end_with_the_service(file: int) -> None:
    """Ends the process when the service no longer waits for it."""
    poll = select.poll()
    poll.register(file, 0)
    poll.poll()
    os._exit(1)
