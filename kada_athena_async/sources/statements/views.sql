-- Texts of the views of some schemas.
-- {0}: the catalog, quoted; {1}: the condition on table_schema and table_name.
SELECT table_schema, table_name, view_definition
FROM {0}.information_schema.views
WHERE {1}
ORDER BY table_schema, table_name
