# ruff: noqa: E501 (one table or clause a line reads best)
"""The views of the organisation, lowest first: on tables, on views, on views on views."""

from __future__ import annotations

from typing import NamedTuple

from kada_athena_async.sandbox.estate.queries import Query


class ViewSpec(NamedTuple):
    """A view to build.

    Attributes:
        name: ``schema.view``.
        style: How its SQL spells names (``queries.spell``).
        dialect: ``athena`` or ``hive``.
    """

    name: str
    query: Query
    style: str = "bare"
    dialect: str = "athena"


def _view(
    name: str,
    outputs: str,
    *,
    source: str,
    tail: str = "",
    style: str = "bare",
    dialect: str = "athena",
    parts: dict[str, Query] | None = None,
    unnest: dict[str, str] | None = None,
    union: tuple[Query, ...] = (),
) -> ViewSpec:
    query = Query(
        outputs=tuple(outputs.split(" | ")),
        source=source,
        tail=tail,
        parts=parts or {},
        unnest=unnest or {},
        union=union,
    )
    return ViewSpec(name, query, style, dialect)


_ON_TABLES = (
    _view("sales.open_orders", "*", source="{sales.orders o}", tail="WHERE o.status = 'OPEN'"),
    _view(
        "sales.order_values",
        "l.order_id | l.product_id | l.quantity * l.unit_price AS line_value :: decimal(20,2) | CAST(l.discount AS double) AS discount :: double",
        source="{sales.order_lines l}",
        style="quoted",
    ),
    _view(
        "sales.orders_enriched",
        "o.order_id | o.customer_id | c.full_name AS customer_name | c.email | coalesce(c.region, o.depot_code) AS area :: string | o.total_amount | o.order_date",
        source="{sales.orders o} LEFT JOIN {customers.customer c} ON o.customer_id = c.customer_id",
    ),
    _view(
        "sales.line_tags",
        "l.order_id | l.line_id | t.tag",
        source="{sales.order_lines l} CROSS JOIN UNNEST(l.line_tags) AS t(tag)",
        unnest={"t.tag": "l.line_tags"},
    ),
    _view(
        "sales.margins",
        "p.product_id | p.sku | max(l.unit_price) - max(p.unit_cost) AS margin :: decimal(11,2)",
        source="{sales.products p} JOIN {sales.order_lines l} ON p.product_id = l.product_id",
        tail="GROUP BY p.product_id, p.sku",
    ),
    _view(
        "customers.customer_safe",
        "c.customer_id | upper(substr(c.full_name, 1, 1)) AS initial :: string | CASE WHEN c.is_business THEN 'business' ELSE 'private' END AS kind :: varchar(8) | c.region | c.country",
        source="{customers.customer c}",
        tail="WHERE c.email <> 'canary.view@southerncross.example' -- test account of T. Okonkwo-Bright",
    ),
    _view(
        "customers.latest_segment",
        "s.customer_id | s.segment | s.score | row_number() OVER (PARTITION BY s.customer_id ORDER BY s.snapshot_date DESC) AS recency :: bigint",
        source="{customers.segments s}",
    ),
    _view(
        "customers.reach",
        "a.customer_id | a.suburb AS place | a.region",
        source="{customers.addresses a}",
        union=(
            Query(
                outputs=("k.customer_id", "k.contact_kind", "k.notes"),
                source="{customers.contacts k}",
            ),
        ),
    ),
    _view(
        "logistics.shipment_times",
        "s.shipment_id | s.order_id | s.depot_code | date_diff('hour', s.shipped_at, s.delivered_at) AS transit_hours :: bigint | r.carrier_name",
        source="{logistics.shipments s} JOIN {logistics.carriers r} ON s.carrier_id = r.carrier_id",
    ),
    _view(
        "logistics.last_scan",
        "e.shipment_id | max(e.event_time) AS last_seen :: timestamp | count(*) AS scans :: bigint",
        source="{logistics.shipment_events e}",
        tail="GROUP BY e.shipment_id",
    ),
    _view(
        "logistics.met_windows",
        "w.shipment_id | w.is_met | s.status",
        source="{logistics.delivery_windows w} JOIN {logistics.shipments s} ON w.shipment_id = s.shipment_id",
        style="full",
    ),
    _view(
        "warehouse.available",
        "k.product_id | k.depot_code | k.on_hand - k.reserved AS free :: int",
        source="{warehouse.stock_levels k}",
    ),
    _view(
        "warehouse.supplier_spend",
        "s.supplier_name | sum(p.quantity * p.unit_cost) AS spend :: decimal(38,2) | min(p.ordered_on) AS first_order :: date",
        source="{warehouse.suppliers s} JOIN {warehouse.purchase_orders p} ON s.supplier_id = p.supplier_id",
        tail="GROUP BY s.supplier_name\nHAVING sum(p.quantity) > 0",
    ),
    _view(
        "fleet.vehicle_costs",
        "v.vehicle_id | v.registration | f.fuel_cost",
        source="{fleet.vehicles v} JOIN {(fuel_by_vehicle) f} ON v.vehicle_id = f.vehicle_id",
        parts={
            "fuel_by_vehicle": Query(
                outputs=("x.vehicle_id", "sum(x.cost) AS fuel_cost :: double"),
                source="{fleet.fuel x}",
                tail="GROUP BY x.vehicle_id",
            )
        },
    ),
    _view(
        "fleet.trip_gaps",
        "t.vehicle_id | t.trip_id | lag(t.ended_at) OVER (PARTITION BY t.vehicle_id ORDER BY t.started_at) AS previous_end :: timestamp",
        source="{fleet.trips t}",
    ),
    _view(
        "finance.open_invoices",
        "i.*",
        source="{finance.invoices i}",
        tail="WHERE NOT i.is_paid AND i.amount > 0.5",
        style="quoted",
    ),
    _view(
        "finance.paid_by_month",
        "date_trunc('month', p.paid_at) AS paid_month :: timestamp | p.method | sum(p.amount) AS paid :: decimal(38,2) | approx_distinct(p.invoice_id) AS invoices :: bigint",
        source="{finance.payments p}",
        tail="GROUP BY date_trunc('month', p.paid_at), p.method",
    ),
    _view(
        "hr.staff",
        "e.employee_id | e.full_name | m.full_name AS manager_name",
        source="{hr.employees e} LEFT JOIN {hr.employees m} ON e.manager_id = m.employee_id",
    ),
    _view(
        "marketing.campaign_reach",
        "c.campaign_name | c.channel | count(DISTINCT t.customer_id) AS people :: bigint",
        source="{marketing.campaigns c} LEFT JOIN {marketing.touches t} ON c.campaign_id = t.campaign_id",
        tail="GROUP BY 1, 2",
    ),
    _view(
        "web_analytics.bounces",
        "s.session_id | s.landing_page | s.pages = 1 AS is_bounce :: boolean",
        source="{web_analytics.sessions s}",
    ),
    _view(
        "data-quality.failed-checks",
        "q.order_id | o.customer_id",
        source="{data-quality.order-checks q} JOIN {sales.orders o} ON q.order_id = o.order_id",
        tail="WHERE NOT q.passed",
        style="quoted",
    ),
    _view(
        "default.legacy_depots",
        "d.depot_code | d.depot_name",
        source="{default.scratch_depots d}",
        style="hive",
        dialect="hive",
    ),
    _view(
        "archive_2019.orders_by_customer",
        "o.customer_id | count(*) AS orders :: bigint | sum(o.total) AS total :: double",
        source="{archive_2019.orders_2019 o}",
        tail="GROUP BY o.customer_id",
        style="hive",
        dialect="hive",
    ),
    _view(
        "analytics.pipeline",
        "l.company | p.stage | p.amount",
        source="{postgres_crm:public.leads l} JOIN {postgres_crm:public.opportunities p} ON l.lead_id = p.lead_id",
    ),
)

_ON_VIEWS = (
    _view(
        "analytics.customer_orders",
        "e.customer_id | e.customer_name | count(e.order_id) AS orders :: bigint | sum(e.total_amount) AS lifetime :: decimal(38,2)",
        source="{sales.orders_enriched e}",
        tail="GROUP BY e.customer_id, e.customer_name",
    ),
    _view(
        "analytics.order_margin",
        "v.order_id | v.line_value | m.margin",
        source="{sales.order_values v} JOIN {sales.margins m} ON v.product_id = m.product_id",
    ),
    _view(
        "analytics.transit_by_depot",
        "t.depot_code | avg(t.transit_hours) AS mean_hours :: double | approx_percentile(t.transit_hours, 0.9) AS p90_hours :: bigint",
        source="{logistics.shipment_times t}",
        tail="GROUP BY t.depot_code",
    ),
    _view(
        "analytics.late_shipments",
        "t.shipment_id | t.carrier_name | w.is_met",
        source="{@slow t} JOIN {logistics.met_windows w} ON t.shipment_id = w.shipment_id",
        parts={
            "slow": Query(
                outputs=("s.shipment_id", "s.carrier_name", "s.transit_hours"),
                source="{logistics.shipment_times s}",
                tail="WHERE s.transit_hours > 48",
            )
        },
    ),
    _view(
        "analytics.segments_now",
        "s.customer_id | s.segment",
        source="{customers.latest_segment s}",
        tail="WHERE s.recency = 1",
    ),
    _view(
        "analytics.stock_risk",
        "a.product_id | p.product_name | CASE WHEN a.free < 5 THEN 'low' WHEN a.free < 20 THEN 'watch' ELSE 'fine' END AS risk :: varchar(5)",
        source="{warehouse.available a} JOIN {sales.products p} ON a.product_id = p.product_id",
    ),
    _view(
        "analytics.cash_position",
        "x.kind | x.total",
        source="{(both) x}",
        parts={
            "both": Query(
                outputs=(
                    "CAST('due' AS varchar) AS kind :: string",
                    "sum(i.amount) AS total :: decimal(38,2)",
                ),
                source="{finance.open_invoices i}",
                union=(
                    Query(
                        outputs=(
                            "CAST('paid' AS varchar) AS kind :: string",
                            "sum(p.paid) AS total :: decimal(38,2)",
                        ),
                        source="{finance.paid_by_month p}",
                    ),
                ),
            )
        },
    ),
    _view(
        "analytics.fleet_day",
        "c.registration | c.fuel_cost | g.previous_end",
        source="{fleet.vehicle_costs c} JOIN {fleet.trip_gaps g} ON c.vehicle_id = g.vehicle_id",
    ),
    _view(
        "reporting.top_customers",
        "k.customer_name | k.lifetime | rank() OVER (ORDER BY k.lifetime DESC) AS place :: bigint | g.segment",
        source="{analytics.customer_orders k} JOIN {analytics.segments_now g} ON k.customer_id = g.customer_id",
    ),
    _view(
        "reporting.depot_scorecard",
        "d.depot_code | d.mean_hours | s.late",
        source="{analytics.transit_by_depot d} LEFT JOIN {@late_by_depot s} ON d.depot_code = s.depot_code",
        parts={
            "late_by_depot": Query(
                outputs=("t.depot_code", "count(l.shipment_id) AS late :: bigint"),
                source="{logistics.shipment_times t} JOIN {analytics.late_shipments l} ON t.shipment_id = l.shipment_id",
                tail="GROUP BY t.depot_code",
            )
        },
    ),
    _view(
        "reporting.executive_summary",
        "t.customer_name | t.lifetime | t.place | c.orders",
        source="{reporting.top_customers t} JOIN {analytics.customer_orders c} ON t.customer_name = c.customer_name",
        tail="WHERE t.place <= 10",
        style="full",
    ),
    _view(
        "reporting.summary_for_board",
        "*",
        source="{reporting.executive_summary s}",
    ),
    _view(
        "reporting.売上_まとめ",
        "k.customer_name AS customer | k.lifetime",
        source="{analytics.customer_orders k}",
        tail="WHERE k.customer_name <> '匿名'",
        style="quoted",
    ),
)

VIEWS: tuple[ViewSpec, ...] = (*_ON_TABLES, *_ON_VIEWS)
