-- Tables and views of some schemas.
-- {0}: the catalog, quoted; {1}: the condition on table_schema and table_name.
SELECT table_schema, table_name, table_type
FROM {0}.information_schema.tables
WHERE {1}
ORDER BY table_schema, table_name
