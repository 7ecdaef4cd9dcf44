"""An Athena of its own: moto's lacks half of the operations and all of the paging."""
