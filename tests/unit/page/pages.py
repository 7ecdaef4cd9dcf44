"""Pages made of packages."""

from __future__ import annotations

import re
from pathlib import Path

from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import PageReport, write_page


def make_page(directory: Path) -> tuple[PageReport, str]:
    """The page of the newest package in *directory*, beside it, and its text."""
    target = directory / "page.html"
    report = write_page(select_runs(directory, "athena", Files()), target, files=Files())
    return report, target.read_text(encoding="utf-8")


def visible(page: str) -> str:
    """The page's text without its styles and scripts, spaces folded."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split())
