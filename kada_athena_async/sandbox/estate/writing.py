# ruff: noqa: E501 (one statement a line reads best)
"""Statements of the nightly loads, and the housekeeping around them."""

from __future__ import annotations

LOADS = (
    "INSERT INTO {+staging.stg_orders} SELECT order_id, customer_id, depot_code, status, order_date, total_amount, DATE <<date>> FROM {sales.orders} WHERE order_date = DATE <<date>>",
    "INSERT INTO {+curated.fact_sales}\nSELECT o.order_id, o.customer_id, l.product_id, o.depot_code, CAST(l.quantity AS bigint), l.quantity * l.unit_price, o.order_date\nFROM {sales.orders o} JOIN {sales.order_lines l} ON o.order_id = l.order_id\nWHERE l.dt = DATE <<date>>",
    "INSERT INTO {+curated.dim_depot} (depot_code, depot_name) VALUES ('SYD', 'Sydney'), ('MEL', 'Melbourne')",
    "INSERT INTO {+marketing.email_sends} SELECT t.touch_id, t.campaign_id, c.email, false, t.touched_at, <<date>> FROM {marketing.touches t} JOIN {customers.customer c} ON t.customer_id = c.customer_id",
    "MERGE INTO {*customers.customer} t USING (SELECT customer_id, full_name, email, region FROM {staging.stg_customers} WHERE load_date = DATE <<date>>) s ON t.customer_id = s.customer_id WHEN MATCHED THEN UPDATE SET full_name = s.full_name, email = s.email WHEN NOT MATCHED THEN INSERT (customer_id, full_name, email, region) VALUES (s.customer_id, s.full_name, s.email, s.region)",
    "MERGE INTO {*warehouse.stock_levels} t USING {warehouse.stock_movements s} ON t.product_id = s.product_id AND t.depot_code = s.depot_code WHEN MATCHED THEN UPDATE SET on_hand = t.on_hand + s.quantity",
    "UPDATE {*logistics.shipments} SET status = 'DELIVERED' WHERE shipment_id = <<id>>",
    "UPDATE {*finance.invoices} SET is_paid = true WHERE invoice_id IN (SELECT invoice_id FROM {finance.payments} WHERE dt = DATE <<date>>)",
    "DELETE FROM {*web_analytics.sessions} WHERE started_at < TIMESTAMP <<ts>>",
    "DELETE FROM {*customers.customer} WHERE email = <<email>>",
    "CREATE TABLE {+staging.orders_by_day}\nWITH (format = 'PARQUET', partitioned_by = ARRAY['order_date'], external_location = 's3://scf-staging/tmp/orders_by_day/')\nAS SELECT customer_id, sum(total_amount) AS total, order_date FROM {sales.orders} GROUP BY customer_id, order_date",
    "CREATE TABLE {+staging.clean_customers} AS WITH c AS (SELECT * FROM {customers.customer_safe}) SELECT c.*, s.segment FROM c LEFT JOIN {customers.latest_segment s} ON c.customer_id = s.customer_id",
    "UNLOAD (SELECT customer_id, lifetime FROM {analytics.customer_orders}) TO 's3://scf-partners/loyalty/<<run>>/' WITH (format = 'TEXTFILE', field_delimiter = ',')",
    "OPTIMIZE {+sales.orders} REWRITE DATA USING BIN_PACK WHERE order_date >= DATE <<date>>",
    "VACUUM {+sales.orders}",
    "VACUUM {+logistics.shipments}",
    "ALTER TABLE {+`sales.order_lines} ADD IF NOT EXISTS PARTITION (dt = <<date>>) LOCATION 's3://scf-sales/order_lines/today/'",
    "ALTER TABLE {+`logistics.shipment_events} ADD IF NOT EXISTS PARTITION (dt = <<date>>, hour = <<hour>>)",
    "MSCK REPAIR TABLE {+`warehouse.picks}",
    "DROP TABLE IF EXISTS {+`staging.orders_by_day}",
    "CREATE OR REPLACE VIEW {+sales.open_orders} AS SELECT * FROM {sales.orders o} WHERE o.status = 'OPEN'",
    "CREATE OR REPLACE VIEW {+analytics.segments_now} AS SELECT s.customer_id, s.segment FROM {customers.latest_segment s} WHERE s.recency = 1",
)

HOUSEKEEPING = (
    "CREATE EXTERNAL TABLE IF NOT EXISTS {+`default.scratch_depots} (\n  depot_code string COMMENT \"three letters\",\n  depot_name string,\n  opened date\n)\nCOMMENT 'made by <<who>>'\nROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'\nLOCATION 's3://scf-scratch/depots/'\nTBLPROPERTIES ('skip.header.line.count' = '1')",
    "CREATE TABLE {+`sales.returns} (return_id bigint, order_id bigint, reason string, amount double) PARTITIONED BY (bucket(16, order_id)) LOCATION 's3://scf-sales/returns/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
    "ALTER TABLE {+`sales.returns} ADD COLUMNS (refunded boolean)",
    "ALTER TABLE {+`sales.returns} DROP COLUMN reason_code",
    "ALTER TABLE {+`customers.loyalty} SET TBLPROPERTIES ('comment' = 'owned by <<who>>')",
    "DROP TABLE IF EXISTS {+`default.tmp_postcodes_old}",
    "DROP VIEW IF EXISTS {+analytics.old_view}",
    "CREATE DATABASE IF NOT EXISTS sandbox_<<run>> COMMENT 'for <<who>>' LOCATION 's3://scf-scratch/<<run>>/'",
)

UTILITY = (
    "SHOW DATABASES",
    "SHOW TABLES IN sales",
    "SHOW TABLES IN customers 'cust*'",
    "SHOW VIEWS IN analytics",
    "SHOW CREATE TABLE sales.order_lines",
    "SHOW CREATE VIEW analytics.stock_risk",
    "SHOW PARTITIONS sales.order_lines",
    "SHOW COLUMNS IN customers.customer",
    "SHOW TBLPROPERTIES sales.orders",
    "DESCRIBE sales.orders",
    "DESCRIBE FORMATTED customers.addresses",
    "DESC `data-quality`.`order-checks`",
)
