"""The moving part of the terminal as lines of text that fit the screen."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size

from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.run_progress import (
    HISTORY,
    LINEAGE,
    METADATA,
    USERS,
    RunProgress,
    Track,
)
from kada_athena_async.observers.sites_progress import SitesProgress
from kada_athena_async.observers.time_left import by_share, in_words, remaining
from kada_athena_async.observers.wording import brief, counted, size

_LABEL = 10
_SITE = 20
_BAR_MIN, _BAR_MAX = 10, 40
_COUNTS = 16
_SHOWN_UNITS = 3
_SHOWN_RATES = 4
_SHOWN_THROTTLES = 2

_NOUNS = {METADATA: "units", HISTORY: "workgroups"}
"""Track -> the noun of its units; of the others a share is shown."""

_STAGES = {
    "": "starting",
    "recover": "looking for an interrupted run",
    "discover": "looking what there is",
    "extract": "extracting",
    "commit": "committing",
    "deliver": "delivering",
}


class Styled(NamedTuple):
    """Text and its style, in rich's words."""

    text: str
    style: str = ""


Line: TypeAlias = list[Styled]


@dataclass(frozen=True, slots=True)
class Screen:
    """Size and abilities of the terminal.

    Attributes:
        width, height: In cells and lines.
        encoding: Of the terminal; what it lacks is escaped or spelt in ASCII.
    """

    width: int
    height: int
    encoding: str = "utf-8"

    @property
    def is_plain(self) -> bool:
        return not self.encoding.lower().startswith("utf")

    def fitted(self, line: Line) -> Line:
        """*line*, cut to the width; an ellipsis shows that something is missing."""
        shown: Line = []
        left = self.width
        more = "..." if self.is_plain else "…"
        for piece in line:
            text = piece.text.encode(self.encoding, "backslashreplace").decode(self.encoding)
            cells = cell_len(text)
            if cells > left:
                cut = set_cell_size(text, max(0, left - len(more))) + more[:left]
                return [*shown, Styled(cut, piece.style)]

            shown.append(Styled(text, piece.style))
            left -= cells

        return shown


def moving_part(progress: RunProgress, screen: Screen, now_s: float) -> list[Line]:
    """Lines about the work in progress, as many as fit; the most useful first."""
    lines = [
        _head(progress, now_s),
        *_tracks(progress, screen, now_s),
        *_delivery(progress, screen),
        *_facts(progress, now_s),
    ]
    return [screen.fitted(line) for line in lines[: max(1, screen.height - 1)]]


def sites_part(sites: SitesProgress, screen: Screen, now_s: float) -> list[Line]:
    """Lines about the sites at work, one each, as many as fit."""
    track, at_work = sites.track, list(sites.runs.items())
    words = [
        f"{track.ended:,} of {counted(track.total, 'site')}",
        *([f"{len(sites.failed):,} failed"] if sites.failed else []),
        brief(now_s - sites.begun_s),
    ]
    span = by_share(track, now_s)
    if span is not None and (left := in_words(span)):
        runs = [each for _, each in at_work]
        is_ahead = any(LINEAGE in each.tracks and not _is_deriving(each) for each in runs)
        words.append(f"{left}, then lineage" if is_ahead else left)

    head = [
        [Styled(words[0], "bold"), Styled("  " + "  ".join(words[1:]))],
        [Styled(f"  {'all':<{_SITE}}"), *bar(track.share, screen)],
    ]
    room = max(0, screen.height - 1 - len(head))
    shown = at_work if len(at_work) <= room else at_work[: max(0, room - 1)]
    lines = head + [_site(name, progress, screen, now_s) for name, progress in shown]
    if len(shown) < len(at_work):
        lines.append([Styled(f"  and {len(at_work) - len(shown):,} more at work", "dim")])

    return [screen.fitted(line) for line in lines[: max(1, screen.height - 1)]]


def _site(name: str, progress: RunProgress, screen: Screen, now_s: float) -> Line:
    rates = progress.row_meter.rates(progress.rows_by_lane(), now_s)
    rows, rate = sum(progress.rows.values()), sum(rates.values())
    words = [_STAGES.get(progress.stage, escape(progress.stage))]
    if progress.stage == "extract":
        words = [f"{progress.units_ended:,}/{progress.units_total:,} units", f"{rows:,} rows"]
        words += [f"{rate:,.0f}/s"] if rate >= 1 else []

    if progress.throttles:
        words.append(f"throttled {sum(progress.throttles.values()):,}x")

    label = escape(name, limit=_SITE - 1)
    return [
        Styled("  " + set_cell_size(label, _SITE)),
        *bar(progress.share, screen),
        Styled(f"  {', '.join(words)}", "dim"),
    ]


def _head(progress: RunProgress, now_s: float) -> Line:
    words = [brief(now_s - progress.begun_s)]
    span = remaining(progress, now_s)
    if span is not None and (left := in_words(span)):
        is_reading = not _is_deriving(progress) and LINEAGE in progress.tracks
        words.append(f"{left}, then lineage" if is_reading else left)

    stage = _STAGES.get(progress.stage, escape(progress.stage))
    return [Styled(stage, "bold"), Styled("  " + "  ".join(words))]


def _is_deriving(progress: RunProgress) -> bool:
    track = progress.tracks.get(LINEAGE)
    return track is not None and track.begun_s is not None


def _tracks(progress: RunProgress, screen: Screen, now_s: float) -> list[Line]:
    if progress.stage != "extract":
        return []

    rates = progress.row_meter.rates(progress.rows_by_lane(), now_s)
    shown = [name for name in (METADATA, HISTORY, USERS) if name in progress.tracks]
    if _is_deriving(progress):
        shown.append(LINEAGE)

    return [_track(name, progress.tracks[name], rates.get(name, 0.0), screen) for name in shown]


def _track(name: str, track: Track, rate: float, screen: Screen) -> Line:
    counts = f"{100 * track.share:.0f} %"
    if name in _NOUNS:
        counts = f"{track.ended:,}/{track.total:,} {_NOUNS[name]}"

    rows = f"{track.rows:,} rows" + (f", {rate:,.0f}/s" if rate >= 1 else "")
    return [
        Styled(f"  {name:<{_LABEL}}"),
        *bar(track.share, screen),
        Styled(f"  {counts:<{_COUNTS}}"),
        Styled(f"  {rows}", "dim"),
    ]


def _delivery(progress: RunProgress, screen: Screen) -> list[Line]:
    if progress.stage != "deliver" or progress.delivery is None:
        return []

    files, sent = progress.delivery.files, progress.delivered_bytes
    share = sent / progress.delivery.size_bytes if progress.delivery.size_bytes else 0.0
    return [
        [
            Styled(f"  {'landing':<{_LABEL}}"),
            *bar(share, screen),
            Styled(f"  {progress.delivered:,}/{files:,} files"),
            Styled(f"  {size(sent)}", "dim"),
        ]
    ]


def bar(share: float, screen: Screen) -> Line:
    """A bar as wide as the screen has room for beside its label and figures."""
    width = max(_BAR_MIN, min(_BAR_MAX, screen.width - _LABEL - _COUNTS - 28))
    done = min(width, int(width * share))
    full, rest = ("#", "-") if screen.is_plain else ("━", "─")
    return [Styled(full * done, "cyan"), Styled(rest * (width - done), "dim")]


def _facts(progress: RunProgress, now_s: float) -> list[Line]:
    active = len(progress.active_queries)
    facts = {
        "now": _running(progress),
        "queries": f"{active:,} of at most {progress.query_limit:,}" if active else "",
        "calls/s": _call_rates(progress, now_s),
        "slowed by": _brakes(progress),
    }
    return [
        [Styled(f"  {name:<{_LABEL}}"), Styled(text, "dim")] for name, text in facts.items() if text
    ]


def _running(progress: RunProgress) -> str:
    units = list(progress.running)
    names = ", ".join(escape(unit, limit=60) for unit in units[:_SHOWN_UNITS])
    more = len(units) - _SHOWN_UNITS
    return f"{names} and {more:,} more" if more > 0 else names


def _call_rates(progress: RunProgress, now_s: float) -> str:
    """Those nearest to what they are allowed, which is what the run waits for, first."""
    rates = progress.call_meter.rates(progress.calls, now_s)
    shares = {
        name: rate / progress.allowed[name]
        for name, rate in rates.items()
        if progress.allowed.get(name)
    }
    busiest = sorted(shares.items(), key=itemgetter(1), reverse=True)[:_SHOWN_RATES]
    return ", ".join(
        f"{escape(name.partition(':')[2], limit=60)} "
        f"{rates[name]:.2g} of {progress.allowed[name]:.3g}"
        for name, _ in busiest
    )


def _brakes(progress: RunProgress) -> str:
    worst = sorted(progress.throttles.items(), key=itemgetter(1), reverse=True)[:_SHOWN_THROTTLES]
    words = [
        f"throttled {escape(operation, limit=60)} {n:,}x, "
        f"now {progress.rates.get(operation, 0):.2g}/s"
        for operation, n in worst
    ]
    if progress.retries:
        words.append(counted(progress.retries, "retry"))

    return ", ".join(words)
