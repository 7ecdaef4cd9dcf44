"""``python -m kada_athena_async``: the command line."""

from __future__ import annotations

from kada_athena_async.cli import main

if __name__ == "__main__":
    main()
