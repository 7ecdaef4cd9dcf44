"""The page: a shell, styles and scripts, and the data of each site; nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files as resources
from string import Template
from typing import Any

from kada_athena_async.observers.wording import counted, size
from kada_athena_async.page.packing import json_text
from kada_athena_async.page.site import SiteData
from kada_athena_async.version import __version__

SCRIPTS = (
    *("dom.js", "format.js", "data.js", "lists.js", "charts.js", "diagram.js", "overview.js"),
    *("tables.js", "table.js", "lineage.js", "views.js", "main.js"),
)
"""One script, in this order."""


def render(sites: Sequence[SiteData]) -> bytes:
    """The page as HTML, complete in itself.

    Its Content-Security-Policy allows its own styles and script by their hashes and no request.
    """
    style = _resource("page.css")
    script = "\n".join(map(_resource, SCRIPTS))
    summaries = [site.summary for site in sites]
    shell = Template(_resource("page.html")).substitute(
        title=escape(_title(summaries)),
        version=escape(__version__),
        policy=escape(_policy(script=script, style=style)),
        style=style,
        script=script,
        summaries=script_json(summaries),
        fallback="".join(map(_fallback, summaries)),
        data="<!--data-->",
    )
    before, _, after = shell.partition("<!--data-->")
    return b"".join((before.encode(), *_data(sites), after.encode()))


def script_json(value: object) -> str:
    """*value* as JSON that may stand inside a ``script`` element.

    Without ``<``, ``>`` and ``&`` no text of it can end the element or open a comment in it
    (https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements).
    """
    text = json_text(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")

    return text


def _data(sites: Sequence[SiteData]) -> list[bytes]:
    # Base64 has no character that means something to HTML.
    return [
        b'<script type="application/octet-stream" id="data-%d-%s">%s</script>\n'
        % (number, name.encode(), text)
        for number, site in enumerate(sites)
        for name, text in site.parts.items()
    ]


def _title(summaries: Sequence[dict[str, Any]]) -> str:
    if len(summaries) == 1:
        return f"Athena estate of {summaries[0]['server'] or 'a server'}"

    return f"Athena estates of {len(summaries)} sites"


def _fallback(summary: dict[str, Any]) -> str:
    """A sentence for readers whose browser runs no scripts."""
    totals, estate = summary["totals"], summary["estate"]
    name = summary["site"] or summary["server"]
    text = (
        f"{name}: {counted(estate['tables'], 'table')}, {counted(estate['views'], 'view')}; "
        f"{counted(totals['executions'], 'query')} from {summary['start']} to "
        f"{summary['end']} UTC, {totals['failed']:,} failed, {size(totals['scanned'])} scanned, "
        f"about ${summary['usd']:,.2f}."
    )
    return f"<p>{escape(text)}</p>"


@cache
def _resource(name: str) -> str:
    return (resources(__package__) / "templates" / name).read_text(encoding="utf-8")


def _policy(*, script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
