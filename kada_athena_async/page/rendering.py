"""The page: figures and findings in HTML, everything from outside escaped, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files as resources

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from kada_athena_async.commit import Manifest
from kada_athena_async.observers.safe import safe
from kada_athena_async.page import wording
from kada_athena_async.page.changes import ChangesFigures
from kada_athena_async.page.charts import charts
from kada_athena_async.page.estate import CompletenessFigures, EstateFigures
from kada_athena_async.page.history import MAX_SAMPLE_CHARS, HistoryFigures
from kada_athena_async.page.lineage import LineageFigures
from kada_athena_async.page.run_calls import CallsFigures
from kada_athena_async.prices import ATHENA_PRICE_SOURCE
from kada_athena_async.version import __version__

SECTIONS = (
    ("completeness", "Completeness"),
    ("estate", "Estate"),
    ("changes", "Changes"),
    ("history", "Query history"),
    ("cost", "Cost"),
    ("statements", "Expensive statements"),
    ("failures", "Failures"),
    ("lineage", "Lineage"),
    ("run", "The run"),
)

_BEGIN_CHARS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigures:
    """All that the page shows."""

    manifest: Manifest
    start: datetime
    estate: EstateFigures
    completeness: CompletenessFigures
    changes: ChangesFigures | None
    history: HistoryFigures
    lineage: LineageFigures
    calls: CallsFigures


def render(figures: PageFigures) -> str:
    """The page as HTML, complete in itself.

    Its Content-Security-Policy allows its own styles and scripts by their hashes and no request.
    """
    style = _resource("page.css")
    library, script = vega_bundle(), _resource("page.js")
    specs = charts(figures.estate, figures.history, figures.calls)
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=f"Athena estate of {wording.name(figures.manifest.facts.server) or 'a server'}",
            version=__version__,
            policy=_policy(scripts=(library, script), style=style),
            # Ours, not from outside, and hashed as they are.
            style=Markup(style),
            library=Markup(library),
            script=Markup(script),
            charts=specs,
            charts_json=Markup(script_json(specs)),
            sections=SECTIONS,
            finding=_findings(figures),
            heat=_heat(figures.history),
            charted=list(dict.fromkeys(row[0] for row in figures.calls.timeline)),
            prices=figures.history.prices,
            reserved_usd=figures.history.prices.dpu_usd(figures.history.dpu_hours),
            price_source=ATHENA_PRICE_SOURCE,
            manifest=figures.manifest,
            start=figures.start,
            estate=figures.estate,
            completeness=figures.completeness,
            changes=figures.changes,
            history=figures.history,
            lineage=figures.lineage,
            calls=figures.calls,
        )
    )


def script_json(value: object) -> str:
    """*value* as JSON that may stand inside a ``script`` element.

    Without ``<``, ``>`` and ``&`` no text of it can end the element or open a comment in it
    (https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements);
    what is not ASCII, such as U+2028, is an escape anyway.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")

    return text


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed (``vegaEmbed``) as one script; made once, it takes seconds.

    Raises:
        RuntimeError: It could end the element that it stands in; no version so far does.
    """
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    if "</script" in bundle.lower() or "<!--" in bundle:
        raise RuntimeError("the bundle of Vega cannot stand inside a script element")

    return bundle


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_resource), autoescape=True, undefined=StrictUndefined
    )
    environment.filters.update(
        name=wording.name,
        names=wording.names,
        number=wording.number,
        size=wording.size,
        money=wording.money,
        span=wording.span,
        share=wording.share,
        moment=wording.moment,
        rate=lambda value: wording.NONE if value is None else f"{value:,.1f}",
        begin=lambda text: safe(" ".join(text.split()), limit=_BEGIN_CHARS),
        sql=lambda text: safe(text, limit=2 * MAX_SAMPLE_CHARS, keep="\n\t"),
    )
    return environment


@cache
def _resource(name: str) -> str:
    return (resources(__package__) / "templates" / name).read_text(encoding="utf-8")


def _policy(*, scripts: tuple[str, ...], style: str) -> str:
    allowed = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _findings(figures: PageFigures) -> dict[str, str]:
    history = figures.history
    return {
        "completeness": wording.completeness_finding(figures.completeness),
        "estate": wording.estate_finding(figures.estate),
        "changes": wording.changes_finding(figures.changes),
        "history": wording.history_finding(history),
        "hours": wording.hours_finding(history),
        "cost": wording.cost_finding(history),
        "fingerprints": wording.fingerprints_finding(history),
        "failures": wording.failures_finding(history),
        "lineage": wording.lineage_finding(figures.lineage),
        "calls": wording.calls_finding(figures.calls),
    }


def _heat(history: HistoryFigures) -> list[tuple[str, list[int]]]:
    """Workgroup -> executions of each of the 24 hours."""
    rows: dict[str, list[int]] = {}
    for workgroup, hour, executions in history.hours:
        rows.setdefault(workgroup, [0] * 24)[hour] += executions

    return list(rows.items())
