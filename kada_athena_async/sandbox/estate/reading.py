# ruff: noqa: E501 (one statement a line reads best)
"""Statements that read: dashboards that come back with other literals, questions asked once."""

from __future__ import annotations

DASHBOARDS = (
    "SELECT order_date, count(*) AS orders, sum(total_amount) AS revenue FROM {sales.orders} WHERE order_date >= DATE <<date>> GROUP BY order_date ORDER BY 1",
    "SELECT o.depot_code, sum(l.quantity * l.unit_price) AS revenue\nFROM {sales.orders o}\nJOIN {sales.order_lines l} ON o.order_id = l.order_id\nWHERE l.dt BETWEEN DATE <<date>> AND DATE <<date>>\nGROUP BY o.depot_code\nORDER BY 2 DESC\nLIMIT <<limit>>",
    "SELECT customer_name, lifetime FROM {reporting.top_customers} WHERE place <= <<limit>>",
    "SELECT * FROM {reporting.depot_scorecard} WHERE late > <<int>>",
    "/* dashboard 118, tile 4 */ SELECT s.status, count(*) FROM {logistics.shipments s} WHERE s.shipped_at >= TIMESTAMP <<ts>> GROUP BY s.status",
    "SELECT depot_code, avg(hours_in_transit) FROM {curated.fact_deliveries} WHERE delivered_on > current_date - INTERVAL <<days>> DAY GROUP BY 1",
    "WITH recent AS (SELECT * FROM {curated.fact_sales} WHERE order_date >= DATE <<date>>) SELECT d.region, sum(r.revenue) FROM recent r JOIN {curated.dim_customer d} ON r.customer_id = d.customer_id GROUP BY d.region",
    "SELECT sensor_id, max(celsius) FROM {iot_telemetry.readings} WHERE dt = <<date>> AND celsius > <<amount>> GROUP BY sensor_id",
    "SELECT region, approx_distinct(session_id) AS sessions FROM {web_analytics.page_views} WHERE dt = <<date>> AND region IN (<<region>>, <<region>>) GROUP BY region",
    "SELECT product_name, risk FROM {analytics.stock_risk} WHERE risk = 'low'",
    "SELECT * FROM {reporting.summary_for_board}",
    "SELECT kind, total FROM {analytics.cash_position}",
    "SELECT paid_month, method, paid FROM {finance.paid_by_month} ORDER BY paid_month DESC LIMIT <<limit>>",
    "SELECT campaign_name, people FROM {marketing.campaign_reach} WHERE channel = 'web'",
)

QUESTIONS = (
    "SELECT * FROM {customers.customer} WHERE email = <<email>>",
    "SELECT customer_id, full_name, phone FROM {customers.customer} WHERE phone = <<phone>> OR full_name = <<name>>",
    "SELECT * FROM {customers.customer} c WHERE c.tax_file_number = <<tfn>>",
    "-- asked by <<who>>, for the audit\nSELECT i.* FROM {finance.invoices i} WHERE i.customer_id = <<id>> AND i.issued_on > DATE <<date>>",
    "SELECT t.tag, count(*) FROM {sales.order_lines l} CROSS JOIN UNNEST(l.line_tags) AS t(tag) WHERE l.dt = DATE <<date>> GROUP BY t.tag",
    "SELECT order_id, transform(line_tags, x -> upper(x)) FROM {sales.order_lines} WHERE cardinality(filter(line_tags, x -> x <> <<region>>)) > 0",
    "SELECT * FROM {sales.orders} FOR TIMESTAMP AS OF TIMESTAMP '2026-11-01 00:00:00 UTC' WHERE order_id = <<id>>",
    "SELECT * FROM {sales.order_lines$partitions} ORDER BY dt DESC LIMIT 10",
    "SELECT made_current_at, snapshot_id FROM {sales.orders$history}",
    "SELECT c.cart_id, k.full_name FROM {dynamo_orders:default.carts c} JOIN {customers.customer k} ON c.customer_id = k.customer_id WHERE c.total > <<amount>>",
    "SELECT company, amount FROM {postgres_crm:public.leads} WHERE amount > <<amount>> UNION ALL SELECT stage, amount FROM {postgres_crm:public.opportunities}",
    "SELECT p.port_name, sum(f.tonnes) FROM {hive_legacy:legacy_dw.fact_freight f} CROSS JOIN {hive_legacy:legacy_dw.dim_port p} GROUP BY p.port_name",
    "SELECT * FROM {data-quality.order-checks} WHERE NOT passed LIMIT <<limit>>",
    'SELECT "select", "from" FROM {default.order} WHERE "group" = <<region>>',
    'SELECT "金額" FROM {default.売上_明細} WHERE "売上_id" = <<id>>',
    "SELECT * FROM {sales.products} WHERE product_id IN (<<ids>>)",
    "SELECT o.order_id FROM {sales.orders o} WHERE o.total_amount > (SELECT avg(i.amount) FROM {finance.invoices i} WHERE i.issued_on > DATE <<date>>) AND EXISTS (SELECT 1 FROM {logistics.shipments s} WHERE s.order_id = o.order_id AND s.status = <<status>>)",
    "SELECT vehicle_id, speed, lag(speed) OVER (PARTITION BY vehicle_id ORDER BY recorded_at) AS before FROM {fleet.telemetry} WHERE depot_code = 'SYD' AND dt = <<date>>",
    "SELECT full_name FROM {hr.employees} WHERE salary > <<amount>> EXCEPT SELECT manager_name FROM {hr.staff}",
    "SELECT DISTINCT segment FROM {analytics.segments_now}",
    "SELECT url, count(*) n FROM {web_analytics.page_views} WHERE dt > <<date>> AND region = <<region>> AND regexp_like(url, '^/order/[0-9]+$') GROUP BY url HAVING count(*) > <<int>> ORDER BY n DESC",
    "WITH RECURSIVE chain (employee_id, depth) AS (SELECT employee_id, 1 FROM {hr.employees} WHERE manager_id IS NULL UNION ALL SELECT e.employee_id, c.depth + 1 FROM {hr.employees e} JOIN chain c ON e.manager_id = c.employee_id WHERE c.depth < 5) SELECT depth, count(*) FROM chain GROUP BY depth",
    "SELECT * FROM {2024_close.2024_sales} WHERE amount > <<amount>>",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'sales'",
    "SELECT 1",
    "SELECT count(*) FROM {sales.returns} TABLESAMPLE BERNOULLI (10)",
    "VALUES (1, 'a'), (2, 'b')",
    "TABLE {curated.dim_depot}",
    "EXPLAIN SELECT * FROM {sales.orders} WHERE customer_id = <<id>>",
    "EXPLAIN ANALYZE SELECT count(*) FROM {logistics.shipment_events} WHERE dt = <<date>> AND hour = <<hour>>",
    "EXECUTE orders_of_customer USING <<id>>",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "PREPARE orders_of_customer FROM SELECT * FROM {sales.orders} WHERE customer_id = ?",
    "DEALLOCATE PREPARE orders_of_customer",
)

SCIENCE = (
    "SELECT f.*, c.region FROM {ml_features.churn_features f} JOIN {curated.dim_customer c} ON f.customer_id = c.customer_id WHERE f.snapshot_date = DATE <<date>>",
    "SELECT shipment_id, distance_km, element_at(embedding, 1) AS e1 FROM {ml_features.eta_features} TABLESAMPLE BERNOULLI (5)",
    "SELECT floor(spend_90d / 250) AS bucket, count(*), avg(CAST(label AS integer)) FROM {ml_features.churn_features} GROUP BY 1",
    "CREATE TABLE {+ml_features.tmp_train} WITH (format = 'PARQUET') AS SELECT s.session_id, s.pages, v.url FROM {web_analytics.sessions s} JOIN {web_analytics.page_views v} ON s.session_id = v.session_id WHERE v.dt >= <<date>> AND v.region = <<region>>",
    "SELECT profile.contact.email, cardinality(profile.orders) FROM {curated.customer_360} WHERE updated_at > TIMESTAMP <<ts>>",
    "UNLOAD (SELECT * FROM {ml_features.eta_features}) TO 's3://scf-ml/exports/eta/' WITH (format = 'PARQUET', compression = 'SNAPPY')",
)
