-- Columns of some schemas, or of some tables of a schema.
-- {0}: the catalog, quoted; {1}: the condition on table_schema and table_name.
-- comment and extra_info are hidden columns in Trino: they must be named.
SELECT table_schema, table_name, column_name, ordinal_position, data_type, is_nullable, comment, extra_info
FROM {0}.information_schema.columns
WHERE {1}
ORDER BY table_schema, table_name, ordinal_position
