"""One module a command: its options and its help; what it does stands beside this directory."""
