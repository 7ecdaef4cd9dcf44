"""Examples that are kept working: run, tested and shown in the README."""
