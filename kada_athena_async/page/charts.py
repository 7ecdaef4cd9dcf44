"""The charts, as Vega-Lite specifications: data already counted, colours that fit both themes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from kada_athena_async.page.estate import EstateFigures
from kada_athena_async.page.history import MAX_CHARTED, OTHERS, HistoryFigures
from kada_athena_async.page.run_calls import CallsFigures
from kada_athena_async.page.wording import name

# Each at least 3:1 against the white and the dark paper (WCAG 2.2, 1.4.11).
ACCENT, WARM, RED, GREY = "#3d7fc1", "#b9771f", "#c8504d", "#7d8894"

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
"""The page's own, given to Vega too, which measures with it how much room a label needs."""

MAX_FAILURE_BARS = 12
LONG_RUN_S = 600
ROW_PX = 24
LABEL_PX = 190

Spec = dict[str, Any]
"""A Vega-Lite specification."""


def charts(estate: EstateFigures, history: HistoryFigures, calls: CallsFigures) -> dict[str, Spec]:
    """Id of a figure in the page -> its chart. A chart without data is left out."""
    found = {
        "formats": _bars(
            [(_label(label), count) for label, count in estate.formats], "Tables", whole=True
        ),
        "periods": _periods(history),
        "hours": _hours(history),
        "cost": _bars(
            [(_label(w.workgroup), round(w.dollars, 4)) for w in history.workgroups[:MAX_CHARTED]],
            "US dollars",
            format_="$,.2f",
        ),
        "failures": _bars(
            [
                (_label(f.kind if f.status == "FAILED" else f"{f.kind} (cancelled)"), f.executions)
                for f in history.failures[:MAX_FAILURE_BARS]
            ],
            "Executions",
            color=RED,
            whole=True,
        ),
        "lineage": _lineage(),
    }
    for index, operation in enumerate(dict.fromkeys(row[0] for row in calls.timeline)):
        found[f"calls-{index}"] = _calls(calls, operation)

    return {key: _spec(chart) for key, chart in found.items() if chart is not None}


def _spec(chart: Any) -> Spec:
    # The theme's colours come from the page's styles, so that switching it redraws nothing.
    spec: Spec = chart.configure(
        background="transparent",
        font=FONT,
        view=alt.ViewConfig(stroke="transparent"),
        axis=alt.AxisConfig(labelLimit=LABEL_PX, labelFontSize=12, titleFontSize=12, tickSize=4),
        legend=alt.LegendConfig(labelFontSize=12, orient="top", title=None, symbolType="square"),
    ).to_dict()
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    spec.pop("$schema", None)
    return spec


def _chart(rows: Iterable[Mapping[str, object]]) -> Any:
    values: Any = list(rows)
    return alt.Chart(alt.InlineData(values=values))


def _label(text: str) -> str:
    """A name as a category.

    Vega keeps categories as keys of plain objects, which have some already, such as
    ``constructor``. No such key ends in a space, and SVG does not draw it.
    """
    return f"{name(text)} "


def _bars(
    rows: Sequence[tuple[str, float]],
    title: str,
    *,
    format_: str = ",.0f",
    color: str = ACCENT,
    whole: bool = False,
) -> Any:
    """Horizontal bars, in the order given."""
    if not any(value for _, value in rows):
        return None

    # Two names may look the same once they are made harmless; their places keep them apart.
    data = [{"place": i, "label": row[0], "value": row[1]} for i, row in enumerate(rows)]
    axis = alt.Axis(title=title, format=format_, grid=True, tickCount=5)
    if whole and max(row[1] for row in rows) < 5:
        axis = alt.Axis(title=title, format="d", grid=True, tickMinStep=1)

    return (
        _chart(data)
        .mark_bar(color=color, height={"band": 0.7})
        .encode(
            y=alt.Y(
                "label:N",
                sort=alt.EncodingSortField("place", op="min"),
                axis=alt.Axis(title=None, ticks=False, domain=False),
            ),
            x=alt.X("value:Q", axis=axis),
            tooltip=[
                alt.Tooltip("label:N", title=" "),
                alt.Tooltip("value:Q", title=title, format=format_),
            ],
        )
        .properties(width="container", height=ROW_PX * len(rows))
    )


def _periods(history: HistoryFigures) -> Any:
    if not history.periods:
        return None

    is_daily = history.period == "day"
    data = [
        # A time without a zone is the browser's; the Z keeps it UTC.
        {"begin": f"{begin.isoformat()}Z", "status": _label(status), "n": n}
        for begin, status, n in history.periods
    ]
    unit: Any = "utcyearmonthdate" if is_daily else "utcyearmonthdatehours"
    label = "%Y-%m-%d" if is_daily else "%Y-%m-%d %H:00"
    return (
        _chart(data)
        .mark_bar()
        .encode(
            x=alt.X(
                "begin:T",
                timeUnit=unit,
                axis=alt.Axis(
                    title=f"{history.period.capitalize()}, UTC",
                    format="%b %d" if is_daily else "%d %H:00",
                    labelOverlap=True,
                    grid=False,
                ),
                scale=alt.Scale(type="utc"),
            ),
            y=alt.Y("n:Q", title="Queries", axis=alt.Axis(tickCount=4, format=",.0f")),
            color=alt.Color(
                "status:N",
                scale=alt.Scale(
                    domain=[_label(status) for status in ("SUCCEEDED", "FAILED", "CANCELLED")],
                    range=[ACCENT, RED, GREY],
                ),
            ),
            tooltip=[
                alt.Tooltip("begin:T", title="From", format=label, timeUnit=unit),
                alt.Tooltip("status:N", title="Status"),
                alt.Tooltip("n:Q", title="Queries", format=",.0f"),
            ],
        )
        .properties(width="container", height=180)
    )


def _hours(history: HistoryFigures) -> Any:
    if not history.hours:
        return None

    data = [{"workgroup": _label(w), "hour": hour, "n": n} for w, hour, n in history.hours]
    order = list(dict.fromkeys(str(row["workgroup"]) for row in data))
    order.sort(key=lambda each: each == _label(OTHERS))
    return (
        _chart(data)
        .mark_rect(color=ACCENT)
        .encode(
            x=alt.X(
                "hour:O",
                scale=alt.Scale(domain=list(range(24)), paddingInner=0.06),
                axis=alt.Axis(
                    title="Hour of the day, UTC", labelAngle=0, ticks=False, domain=False
                ),
            ),
            y=alt.Y(
                "workgroup:N",
                sort=order,
                scale=alt.Scale(paddingInner=0.08),
                axis=alt.Axis(title=None, ticks=False, domain=False),
            ),
            # Opacity, not lightness: it reads the same way on white and on dark paper. The root
            # keeps quiet workgroups visible beside a busy one.
            opacity=alt.Opacity(
                "sum(n):Q", legend=None, scale=alt.Scale(type="sqrt", range=[0.08, 1])
            ),
            tooltip=[
                alt.Tooltip("workgroup:N", title="Workgroup"),
                alt.Tooltip("hour:O", title="Hour, UTC"),
                alt.Tooltip("sum(n):Q", title="Queries", format=",.0f"),
            ],
        )
        .properties(width="container", height=ROW_PX * len(order))
    )


def _calls(calls: CallsFigures, operation: str) -> Any:
    is_long = calls.duration_s > LONG_RUN_S
    unit_s = 60 if is_long else 1
    data = [{"t": s / unit_s, "rate": round(r, 3)} for o, s, r in calls.timeline if o == operation]
    # A step lasts until the next point, so the last one needs one too.
    data.append({"t": calls.duration_s / unit_s, "rate": data[-1]["rate"]})
    quota = next(o.quota_per_s for o in calls.operations if o.operation == operation)
    area = (
        _chart(data)
        .mark_area(interpolate="step-after", color=ACCENT, opacity=0.75)
        .encode(
            x=alt.X(
                "t:Q",
                title=f"{'Minutes' if is_long else 'Seconds'} since the first call",
                axis=alt.Axis(grid=False, tickCount=8),
                scale=alt.Scale(nice=False),
            ),
            y=alt.Y("rate:Q", title="Calls/s", axis=alt.Axis(tickCount=3)),
            tooltip=[
                alt.Tooltip("t:Q", title="Minute" if is_long else "Second", format=",.1~f"),
                alt.Tooltip("rate:Q", title="Calls per second"),
            ],
        )
    )
    lines = [
        {"rate": rate, "what": what}
        for rate, what in (
            (quota, "the account's limit"),
            (quota and round(quota * calls.quota_share, 3), "our share of it"),
        )
        if rate
    ]
    area = area.properties(width="container", height=90)
    if not lines:
        return area

    rules = (
        _chart(lines)
        .mark_rule(strokeWidth=1.5)
        .encode(
            y="rate:Q",
            strokeDash=alt.StrokeDash(
                "what:N", legend=None, sort=["the account's limit", "our share of it"]
            ),
            color=alt.value(WARM),
            tooltip=[
                alt.Tooltip("what:N", title=" "),
                alt.Tooltip("rate:Q", title="Calls per second"),
            ],
        )
    )
    return alt.layer(area, rules)


def _lineage() -> Any:
    """Nodes by distance from the chosen table; the page's script brings the data."""
    x = alt.X("x:Q", axis=None, scale=alt.Scale(nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, zero=False))
    lines = (
        alt.Chart(alt.NamedData("flows"))
        .mark_rule(color=GREY, opacity=0.6)
        .encode(
            x=x,
            y=y,
            x2="x2:Q",
            y2="y2:Q",
            tooltip=[
                alt.Tooltip("source:N", title="From"),
                alt.Tooltip("target:N", title="To"),
                alt.Tooltip("kinds:N", title="By"),
                alt.Tooltip("columns:N", title="Columns"),
            ],
        )
    )
    nodes = alt.Chart(alt.NamedData("nodes")).encode(
        x=x, y=y, tooltip=[alt.Tooltip("full:N", title="Table")]
    )
    points = nodes.mark_circle(size=90, opacity=1, cursor="pointer").encode(
        color=alt.Color(
            "side:N",
            legend=None,
            scale=alt.Scale(domain=["upstream", "chosen", "downstream"], range=[ACCENT, RED, WARM]),
        )
    )
    labels = nodes.mark_text(
        align="left", dx=9, fontSize=12, limit=LABEL_PX, cursor="pointer"
    ).encode(text="label:N")
    return alt.layer(lines, points, labels).properties(width="container", height=200)
