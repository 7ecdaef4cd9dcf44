"""The log file: JSON lines beside whatever the terminal shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from kada_athena_async.errors import ConfigError, Problem, StateError


class LogFile:
    """Appends lines to a file; a new one is for its owner only.

    Never rotated nor emptied: who rotates logs does so between runs.

    Args:
        on_failure: Told once why lines are lost; a full disk must not end the run.

    Raises:
        ConfigError: The file cannot be opened, is another user's, or a link of another user's.
    """

    def __init__(self, path: Path, *, on_failure: Callable[[str], None]) -> None:
        self._path = path
        self._on_failure = on_failure
        # Loads what a command without a log, or a page of help, has no use for.
        from kada_athena_async.files import open_to_append

        self._fd: int | None = None
        remedy = ""
        try:
            self._fd = open_to_append(path)
        except OSError as error:
            remedy = f"cannot be written ({error.strerror or type(error).__name__}); name a file"
            if isinstance(error, FileNotFoundError):
                remedy = f"make the directory {str(path.parent)!a} first, or name another file"
        except StateError as error:
            remedy = f"{error.message}; {error.hint}"

        if remedy:
            raise ConfigError([Problem("--log-file", ascii(str(path)), remedy)], source="command")

    def write(self, line: str) -> None:
        """Append *line*, which is ASCII; in one piece, so that two runs may share a file."""
        if self._fd is None:
            return

        try:
            os.write(self._fd, f"{line}\n".encode("ascii"))
        except OSError as error:
            os.close(self._fd)
            self._fd = None
            self._on_failure(f"the log file {self._path} ends here: {error.strerror}")
