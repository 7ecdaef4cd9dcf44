"""From records to files that nobody sees yet: CSV parts in a run's staging directory."""
