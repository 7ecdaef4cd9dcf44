"""Readers that fail in a worker, as a parser may."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from kada_athena_async.sql.lineage import read_query
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest


def crashes_on_kestrel(question: ParseRequest) -> ParsedQuery:
    """Dies as by a segmentation fault."""
    if "kestrel" in question.query:
        os.kill(os.getpid(), signal.SIGKILL)

    return read_query(question)


def hangs_on_kestrel(question: ParseRequest) -> ParsedQuery:
    """Never comes back."""
    if "kestrel" in question.query:
        time.sleep(600)

    return read_query(question)


def tells_its_process_and_hangs(question: ParseRequest) -> ParsedQuery:
    """Writes its process id to the file ``TOLD_PID``, and never comes back."""
    Path(os.environ["TOLD_PID"]).write_text(f"{os.getpid()}\n")
    time.sleep(600)
    return read_query(question)


_asked: set[str] = set()


def crashes_when_asked_again(question: ParseRequest) -> ParsedQuery:
    """Dies when a question comes to this process twice."""
    if question.query in _asked:
        os.kill(os.getpid(), signal.SIGKILL)

    _asked.add(question.query)
    return read_query(question)
