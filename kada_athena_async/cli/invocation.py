"""Commands that we suggest: as the user called us, quoted for a shell, so that they work pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kada_athena_async.redact import Redactor, hide_secrets

NO_RESUME = ("--no-resume", "--fresh")
"""Both spellings: to be left out where a run is to go on."""

_SITES_NAMED = 20

_GROUPS = ("config", "hwm", "schema")
"""Commands that have commands of their own."""

# The engine's words for what a caller can change -> the command line's.
_AS_OPTIONS = {
    "`again=True`": "--reprocess",
    "`fresh=True`": "--no-resume",
    "`start_hwm=...`": "--start-hwm",
    "`end_hwm=...`": "--end-hwm",
    "`name=...`": "--name",
    "`hwm_path=...`": "--hwm-path",
    "`publish_hwm`": "`hwm set`",
}


class CommandLineText(Redactor):
    """Takes secrets out, and replaces the engine's parameters by options.

    The engine's hints name what a program calls: it knows no command line. Everything that the
    command line shows passes here.
    """

    def __call__(self, text: str) -> str:
        for parameter, option in _AS_OPTIONS.items():
            text = text.replace(parameter, option)

        return super().__call__(text)


def suggestion(*words: str) -> str:
    """A command line of ours, such as ``suggestion("config", "init")``."""
    line = [*_program(), *words]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)


def again(
    *more: str, without: Sequence[str] = (), exchanged: Mapping[str, str] | None = None
) -> str:
    """The command that is running, once more.

    Args:
        more: Words to add, unless they are there already.
        without: Flags to leave out.
        exchanged: Word -> what stands in its place.
    """
    words = [(exchanged or {}).get(word, word) for word in sys.argv[1:] if word not in without]
    added = more if not all(word in words for word in more) else ()
    return suggestion(*words, *added)


def corrected() -> str:
    """The command that is running, once more, when what is wrong with the configuration is mended.

    Values of ``--set`` are left to be filled in: one of them may be what was wrong, and nothing
    that was refused is known not to hold a secret.
    """
    # Not at the top: help pages load this module, too.
    from kada_athena_async.config import Config

    words = [word for word in sys.argv[1:] if word not in NO_RESUME]
    shown = []
    for before, word in zip(["", *words], words, strict=False):
        option, field = ("--set=", word[6:]) if word.startswith("--set=") else ("", word)
        if option or before == "--set":
            name = field.partition("=")[0]
            shown.append(f"{option}{name if name in Config.model_fields else 'FIELD'}=...")
        else:
            shown.append(hide_secrets(word))

    return suggestion(*shown)


def again_for(sites: Sequence[str]) -> str:
    """The command that is running, once more for some of its sites.

    For all that it was given, where it named some itself, or where they are too many to name.
    """
    is_chosen = any(word.partition("=")[0] == "--site" for word in sys.argv[1:])
    named = [] if is_chosen or len(sites) > _SITES_NAMED else sites
    return again(*(word for site in named for word in ("--site", site)), without=NO_RESUME)


def help_page() -> str:
    """The command line that shows the help of the command that is running."""
    words: list[str] = []
    for word in sys.argv[1:]:
        if word.startswith("-") or (words and words[0] not in _GROUPS) or len(words) == 2:
            break

        words.append(word)

    return suggestion(*words, "--help")


def options(*names: str) -> list[str]:
    """Those of *names* that the command that is running was given, each with its value."""
    found = []
    words = sys.argv[1:]
    for word, value in zip(words, [*words, ""][1:], strict=True):
        name, equals, _ = word.partition("=")
        if name in names:
            found += [word] if equals else [word, value]

    return found


def given_with(value: str) -> str:
    """The option that brought *value* to the command that is running, or the word before it."""
    for before, word in zip(sys.argv, sys.argv[1:], strict=False):
        if word == value:
            return before

        if word.endswith(f"={value}"):
            return word.partition("=")[0]

    return "path"


def _program() -> list[str]:
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [_shown(Path(sys.executable)), "-m", __package__.partition(".")[0]]

    # Found by its name, or called by a path, as out of a virtual environment that is not active.
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return [called.name]

    return [_shown(called)]


def _shown(path: Path) -> str:
    with suppress(OSError, ValueError):  # the directory is gone, or the path not below it
        return str(path.relative_to(Path.cwd()))

    return str(path)
