"""CSV parts of a run, in its staging directory until they are published."""
