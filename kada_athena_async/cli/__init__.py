"""The command line: parse, act, talk."""
