# ruff: noqa: E501 (one table a line reads best)
"""The tables that the organisation's work turns on, as text: Southern Cross Freight's catalogue.

One table a line: ``name | format | columns | partition keys | comment``; a line in brackets begins
a schema: ``[name] description``.
"""

from __future__ import annotations

CORE_TABLES = """
[default] Where ad-hoc tables end up
scratch_depots | csv | depot_code string, depot_name string, opened date
tmp_postcodes | parquet | postcode char(4), suburb varchar(80), region string
[sales] Orders, prices and promotions
orders | iceberg | order_id bigint, customer_id bigint, depot_code string, status string, channel string, order_date date, ordered_at timestamp, total_amount decimal(12,2), currency char(3) | | One row an order, all channels
order_lines | parquet | order_id bigint, line_id bigint, product_id bigint, quantity int, unit_price decimal(10,2), discount double, line_tags array<string> | dt date | Lines of orders
products | parquet | product_id bigint, sku varchar(32), product_name string, category string, unit_cost decimal(10,2), attributes map<string,string> | | Products, current
price_list | csv | product_id bigint, region string, price double, valid_from date
promotions | json | promotion_id bigint, promotion_name string, starts_on date, ends_on date, rules struct<kind:string,percent:double,codes:array<string>>
refunds | orc | refund_id bigint, order_id bigint, amount decimal(12,2), reason string | dt date
quotes | avro | quote_id bigint, customer_id bigint, total double, status string, created_at timestamp
stores | parquet | store_id bigint, store_name string, region string, country string, is_open boolean
gift_cards | hudi | _hoodie_commit_time string, card_id bigint, customer_id bigint, balance decimal(10,2), updated_at timestamp
[customers] Who we sell to; personal data, restricted
customer | iceberg | customer_id bigint, full_name string, email string, phone string, tax_file_number string, region string, country string, since date, is_business boolean | | PII
addresses | parquet | address_id bigint, customer_id bigint, line1 string, suburb string, region string, postcode char(4), geo struct<lat:double,lon:double>
loyalty | delta | customer_id bigint, tier string, points bigint, updated_at timestamp
consents | json | customer_id bigint, channel string, granted boolean, granted_at timestamp
contacts | parquet | contact_id bigint, customer_id bigint, contact_kind string, notes string, phones array<string>
segments | parquet | customer_id bigint, segment string, score double | snapshot_date date
[logistics] Consignments and their movements
shipments | iceberg | shipment_id bigint, order_id bigint, depot_code string, carrier_id bigint, status string, weight_kg double, shipped_at timestamp, delivered_at timestamp
shipment_events | parquet | event_id bigint, shipment_id bigint, event_type string, event_time timestamp, payload map<string,string> | dt string, hour int | Scans, by day and hour
carriers | csv | carrier_id bigint, carrier_name string, country string
routes | json | route_id bigint, origin string, destination string, distance_km double, stops array<string>
manifests | orc | manifest_id bigint, depot_code string, vehicle_id bigint, pallets smallint | dt date
delivery_windows | parquet | shipment_id bigint, window_start timestamp, window_end timestamp, is_met boolean
customs_declarations | json | declaration_id bigint, shipment_id bigint, items array<struct<hs_code:string,value:decimal(10,2),parts:array<struct<name:string,weight:double>>>> | year int, month int
exceptions | avro | exception_id bigint, shipment_id bigint, category string, raised_at timestamp
[warehouse] Stock and picking
stock_levels | iceberg | product_id bigint, depot_code string, on_hand int, reserved int, counted_at timestamp
stock_movements | parquet | movement_id bigint, product_id bigint, depot_code string, quantity int, moved_at timestamp | dt date
picks | orc | pick_id bigint, order_id bigint, picker_id bigint, bin varchar(12), picked_at timestamp | dt date
bins | csv | bin varchar(12), depot_code string, aisle int, level tinyint
suppliers | parquet | supplier_id bigint, supplier_name string, country string, rating float
purchase_orders | hudi | po_id bigint, supplier_id bigint, product_id bigint, quantity int, unit_cost decimal(10,2), ordered_on date
[fleet] Vehicles, drivers, fuel
vehicles | parquet | vehicle_id bigint, registration varchar(8), depot_code string, kind string, bought date, capacity_kg double
drivers | parquet | driver_id bigint, driver_name string, licence_number string, phone string, depot_code string
trips | delta | trip_id bigint, vehicle_id bigint, driver_id bigint, route_id bigint, started_at timestamp, ended_at timestamp, distance_km double
fuel | csv | fuel_id bigint, vehicle_id bigint, litres double, cost double, filled_at timestamp
telemetry | projected | vehicle_id bigint, recorded_at timestamp, speed double, position struct<lat:double,lon:double,accuracy:struct<h:double,v:double>>, faults array<string> | depot_code string, dt string
maintenance | avro | job_id bigint, vehicle_id bigint, job_kind string, cost decimal(10,2), done_on date
[finance] Ledger and invoices; restricted
invoices | iceberg | invoice_id bigint, customer_id bigint, order_id bigint, amount decimal(14,2), tax decimal(14,2), issued_on date, due_on date, is_paid boolean
payments | parquet | payment_id bigint, invoice_id bigint, amount decimal(14,2), method string, card_last4 char(4), paid_at timestamp | dt date
ledger | orc | entry_id bigint, account_id bigint, debit decimal(18,4), credit decimal(18,4), memo string | fiscal_year int, period tinyint
accounts | csv | account_id bigint, account_name string, account_kind string
fx_rates | parquet | currency char(3), rate decimal(18,8), rate_date date
budgets | json | account_id bigint, fiscal_year int, amounts map<string,double>
[hr] People; restricted
employees | parquet | employee_id bigint, full_name string, email string, depot_code string, hired date, salary decimal(12,2), manager_id bigint
leave_requests | json | request_id bigint, employee_id bigint, leave_kind string, from_date date, to_date date
rosters | csv | employee_id bigint, shift_date date, depot_code string, hours float
[marketing] Campaigns
campaigns | parquet | campaign_id bigint, campaign_name string, channel string, budget double, starts_on date
touches | json | touch_id bigint, campaign_id bigint, customer_id bigint, touched_at timestamp, utm map<string,string> | dt date
email_sends | projected | send_id bigint, campaign_id bigint, email string, opened boolean, sent_at timestamp | dt string
[web_analytics] Clickstream
page_views | projected | view_id bigint, session_id bigint, url string, referrer string, viewed_at timestamp, device struct<os:string,browser:string,screen:struct<w:int,h:int>> | dt string, region string | Projected by day and region
sessions | iceberg | session_id bigint, customer_id bigint, started_at timestamp, pages int, landing_page string
searches | parquet | search_id bigint, session_id bigint, terms array<string>, results int, searched_at timestamp | dt date
[iot_telemetry] Cold-chain sensors
readings | projected | sensor_id bigint, shipment_id bigint, celsius double, humidity float, read_at timestamp | dt string
sensors | parquet | sensor_id bigint, model string, calibrated date, firmware binary
[raw_landing] As it arrives
cdc_orders | avro | op char(1), order_id bigint, customer_id bigint, status string, total_amount decimal(12,2), ts timestamp | dt string
edi_messages | text | message string | dt string
[staging] Between landing and curated
stg_orders | parquet | order_id bigint, customer_id bigint, depot_code string, status string, order_date date, total_amount decimal(12,2) | load_date date
stg_customers | parquet | customer_id bigint, full_name string, email string, region string | load_date date
[curated] Facts and dimensions for everybody
fact_sales | iceberg | order_id bigint, customer_id bigint, product_id bigint, depot_code string, quantity bigint, revenue decimal(14,2), order_date date
fact_deliveries | iceberg | shipment_id bigint, order_id bigint, depot_code string, hours_in_transit double, is_on_time boolean, delivered_on date
dim_customer | parquet | customer_id bigint, customer_name string, region string, country string, segment string
dim_depot | parquet | depot_code string, depot_name string, region string
dim_date | parquet | day date, week int, month int, quarter tinyint, year smallint, is_weekend boolean
customer_360 | delta | customer_id bigint, profile struct<name:string,contact:struct<email:string,phone:string>,orders:array<struct<id:bigint,total:double>>>, updated_at timestamp
[analytics] Views of the analysts
kpi_targets | csv | kpi string, month string, target double
[reporting] Views behind the dashboards
report_runs | parquet | run_id bigint, report string, ran_at timestamp, rows_out bigint
[ml_features] Features for the models
churn_features | parquet | customer_id bigint, orders_90d int, spend_90d double, days_since_last int, label boolean | snapshot_date date
eta_features | parquet | shipment_id bigint, distance_km double, stops int, hour tinyint, embedding array<float>
[archive_2019] Kept for the tax office until 2026
orders_2019 | text | order_id bigint, customer_id bigint, total double, ordered string
[zz_decommissioned] Emptied in 2021, nobody dares to drop it
"""

FEDERATED_TABLES: dict[str, str] = {
    "dynamo_orders": """
[default]
carts | EXTERNAL | cart_id string, customer_id bigint, items array<string>, total double, updated_at timestamp
order_status | | order_id bigint, status string, history array<struct<at:string,status:string>>
Sessions-Prod | EXTERNAL | session_key string, customer_id bigint, ttl bigint
[operations]
dispatch_locks | | lock_id string, holder string, acquired boolean
""",
    "hive_legacy": """
[default]
calendar | MANAGED_TABLE | day date, name_of_day string
[legacy_dw]
fact_freight | EXTERNAL_TABLE | freight_id bigint, customer_id bigint, tonnes decimal(10,3), freight_date date
dim_port | MANAGED_TABLE | port_code char(5), port_name varchar(60), country string
""",
    "postgres_crm": """
[public]
leads | EXTERNAL | lead_id bigint, company string, owner_name string, amount decimal(12,2), created_at timestamp
opportunities | EXTERNAL | opportunity_id bigint, lead_id bigint, stage string, amount decimal(12,2), closes_on date
activities | | activity_id bigint, lead_id bigint, kind string, note varchar(2000), at timestamp
""",
}

COLUMN_COMMENTS: dict[str, str] = {
    "order_id": "Order number, from the order system",
    "customer_id": "Refers to customers.customer",
    "depot_code": "Three letters, see curated.dim_depot",
    "total_amount": "Including tax, in the order's currency",
    "status": "OPEN, SHIPPED, DELIVERED, RETURNED or HELD",
    "email": "PII: do not export",
    "tax_file_number": 'PII: "never" leaves this table',
    "celsius": "Degrees, ±0.5",
    "attributes": "free-form; keys: colour, size, …",
    "dt": "",
    "payload": 'raw, as scanned\nsee the wiki,\tpage "Scans"',
    "region": "State or territory",
}
"""By column name; an empty one is a comment that is there and empty."""
