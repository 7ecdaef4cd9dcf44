-- Schemas of a catalog.
-- {0}: the catalog, quoted; {1}: a condition on schema_name.
SELECT schema_name
FROM {0}.information_schema.schemata
WHERE {1}
ORDER BY schema_name
