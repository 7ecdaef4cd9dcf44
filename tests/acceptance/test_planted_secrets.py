"""H11, G2: secrets in every field, variable and state, and every byte that the commands say."""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import os
import pkgutil
import random
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import kada_athena_async
from kada_athena_async.cli.app import app
from kada_athena_async.config import Config
from kada_athena_async.errors import ConfigError

# Made once: that takes three times as long as what these commands do.
COMMAND = get_command(app)

_RNG = random.Random(20261128)


def _drawn(alphabet: str, length: int) -> str:
    return "".join(_RNG.choices(alphabet, k=length))


_BASE64 = string.ascii_letters + string.digits + "+/"

# Made here, so that no file of the repository holds one.
SECRETS = {
    "key id": "AKIA" + _drawn(string.ascii_uppercase + string.digits, 16),
    "temporary key id": "ASIA" + _drawn(string.ascii_uppercase + string.digits, 16),
    "secret key": _drawn(_BASE64, 40),
    "account key": _drawn(_BASE64, 86) + "==",
    "SAS token": "sv=2024-11-04&sig=" + _drawn(_BASE64, 43) + "%3D",
    "connection": "AccountName=a;AccountKey=" + _drawn(_BASE64, 86) + "==",
    "URL": "https://bob:" + _drawn(string.ascii_letters, 12) + "/x@example.com/c",
    "web token": "eyJ"
    + base64.urlsafe_b64encode(_RNG.randbytes(30)).decode()
    + ".eyJ"
    + base64.urlsafe_b64encode(_RNG.randbytes(60)).decode()
    + ".c2ln",
}

each_secret = pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)

VALID: dict[str, object] = {
    "server": "athena",
    "bucket": "s3://examplebucket/examplefolder",
    "region": "ap-southeast-2",
    "output_path": "/nonexistent/kada",
}

COMMANDS = {
    "run": ["run"],
    "plan": ["plan"],
    "push": ["push"],
    "show": ["show"],
    "report": ["report"],
    "hwm show": ["hwm", "show"],
    "config check": ["config", "check"],
    "config check --json": ["config", "check", "--json"],
    "test-connection": ["test-connection"],
    "doctor": ["doctor"],
    "iam-policy": ["iam-policy", "--account", "123456789012"],
}


def parts_of(secret: str) -> set[str]:
    """The pieces that give a secret away: all of it, its halves, a password or a signature."""
    whole = secret.removeprefix("AccountName=a;AccountKey=").removeprefix("https://bob:")
    whole = whole.removeprefix("sv=2024-11-04&sig=").removesuffix("@example.com/c")
    return {whole[:12], whole[-12:], whole[len(whole) // 2 - 6 : len(whole) // 2 + 6]}


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Said]:
    """A function that runs a command in an empty directory and returns every byte it said."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KADA_ATHENA_", "AWS_")):
            monkeypatch.delenv(name)

    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Said(tmp_path, monkeypatch, capfd)


class Said:
    """Runs commands of this process; what they say is returned and looked through."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.patch, self._capture = folder, patch, capture

    def file(self, text: str, name: str = "kada_athena_extractor_config.json") -> None:
        """Write a configuration file."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)

    def run(self, *words: str) -> str:
        """Everything that the command wrote anywhere."""
        log = self.folder / "log.jsonl"
        logs = ["--log-file", str(log)] if words[0] == "run" else []
        self.patch.setattr(sys, "argv", ["kada-athena-async", *words])
        with pytest.raises(SystemExit):
            COMMAND([*words, *logs], prog_name="kada-athena-async")

        out, err = self._capture.readouterr()
        return out + err + (log.read_text() if log.exists() else "")

    def check(self, secret: str, *words: str) -> None:
        """Run the command; nothing of *secret* may stand in what it says."""
        found = self.run(*words)
        assert found, words
        assert not [part for part in parts_of(secret) if part in found], found


def mistakes(secret: str) -> dict[str, str]:
    """Configuration files that have *secret* at the wrong place."""
    texts = {
        f"in {field}": json.dumps({**VALID, field: secret})
        for field in Config.model_fields
        if field not in ("key", "secret")
    }
    texts |= {
        f"{shape} in {field}": json.dumps({**VALID, field: value})
        for field in ("key", "secret", "catalogs", "landing", "hwm_store", "mask", "sites")
        for shape, value in {
            "list": [secret],
            "twice": [secret, secret],
            "object": {secret: secret},
            "deep": {"account": {"a": secret}, "sas_token": [secret]},
            "place": {"bucket": "b_d", "key": secret, "secrt": secret, "secret": secret},
        }.items()
    }
    good = {"landing": {"bucket": "landing", "key": "k", "secret": secret}, "key": secret}
    texts["as a key"] = json.dumps({**VALID, secret: 1})
    texts["of a misspelt key"] = json.dumps({**VALID, "secert": secret})
    texts["with another mistake"] = json.dumps({**VALID, "secret": secret, "profile": secret})
    texts["in a site"] = json.dumps({**VALID, "sites": [{"name": secret, **good, "regon": secret}]})
    texts["cut"] = json.dumps({**VALID, **good})[:-2]
    texts["of no comma"] = json.dumps({**VALID, **good}).replace(", ", " ", 1)
    return texts


MISTAKES = list(mistakes("x"))


@each_secret
def test_no_mistake_in_the_file_echoes_a_secret(said: Said, secret: str) -> None:
    """Pasted into any field, misspelt, nested, cut: `config check` names the problem without it."""
    for text in mistakes(secret).values():
        said.file(text)
        said.check(secret, "config", "check")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_command_echoes_a_secret_of_a_file_that_it_refuses(
    said: Said, command: list[str]
) -> None:
    """Every command reads the configuration, and none shows what stands in it."""
    secret = SECRETS["secret key"]
    said.file(
        json.dumps(
            {**VALID, "region": secret, "catalogs": [secret, secret], "secret": secret, secret: 1}
        )
    )

    said.check(secret, *command)


@each_secret
def test_no_mistake_in_a_variable_echoes_a_secret(said: Said, secret: str) -> None:
    """The JSON of a place or of the sites with a typo, and a secret in any other variable."""
    said.file(json.dumps(VALID))
    for field in (*Config.model_fields, "sites", "secert"):
        if field in ("server", "profile"):
            continue  # any text is one

        for text in (
            secret,
            '{"bucket": "b", "secret": "' + secret,
            f'["{secret}"',
            f"${{{secret}}}",
        ):
            with said.patch.context() as patch:
                patch.setenv(f"KADA_ATHENA_{field.upper()}", text)
                said.check(secret, "config", "check")


@each_secret
def test_no_mistake_on_the_command_line_echoes_a_secret(said: Said, secret: str) -> None:
    """After ``--set``, as a time, a name, a site."""
    said.file(json.dumps(VALID))
    for words in (
        ["config", "check", "--set", secret],
        ["config", "check", "--set", f"region={secret}"],
        ["config", "check", "--set", f"secret={secret}"],
        ["config", "check", "--set", f"sas_token={secret}"],
        ["config", "check", "--set", 'landing={"bucket": "b", "key": "' + secret],
        ["config", "check", "--set", f"mask={secret}"],
        ["config", "init", "new.json", "--set", f"quota_share={secret}"],
        ["run", "--start-hwm", secret],
        ["run", "--name", secret],
        ["run", "--site", secret],
        ["hwm", "set", secret],
    ):
        said.check(secret, *words)


@each_secret
def test_no_state_echoes_a_secret(said: Said, secret: str) -> None:
    """A secret in the file of the mark or of its state is not repeated by who refuses it."""
    for name in ("athena_hwm.txt", "athena_state.json"):
        with said.patch.context():
            (said.folder / name).write_text(secret)
            said.check(secret, "hwm", "show", "--hwm-path", "athena_hwm.txt")
            (said.folder / name).unlink()


def test_a_secret_that_looks_like_a_word_is_known_by_its_field(said: Said) -> None:
    """A value of a secret field stays away from the problems of every other field."""
    said.file(json.dumps({**VALID, "secret": "plainword", "region": "is plainword", "key": "k"}))

    assert "plainword" not in said.run("config", "check")


def test_a_place_with_a_typo_is_named_without_its_text(said: Said) -> None:
    """The sentence says which variable, and how it is written."""
    said.file(json.dumps(VALID))
    said.patch.setenv("KADA_ATHENA_LANDING", '{"bucket": "b", "secret": "abc"')

    found = said.run("config", "check")

    assert "KADA_ATHENA_LANDING = (hidden): write a JSON object or a URL" in found


def test_no_default_argument_holds_the_environment() -> None:
    """`help` prints default arguments, so none of any function is a mapping of variables."""
    found = []
    for module in pkgutil.walk_packages(kada_athena_async.__path__, "kada_athena_async."):
        if (
            ".sandbox" in module.name
            or ".airflow." in module.name + "."
            or "__main__" in module.name
        ):
            continue

        loaded = importlib.import_module(module.name)
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
            found += [f"{module.name}.{name}" for value in defaults if value is os.environ]

    assert found == []


def test_help_of_a_public_function_tells_nothing_of_the_environment() -> None:
    """`help(load_config)` in a process whose environment holds a secret."""
    secret = SECRETS["secret key"]
    program = (
        "import kada_athena_async as k, kada_athena_async.airflow.settings as s\n"
        "help(k); help(k.load_config); help(k.load_sites); help(s)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "AWS_SECRET_ACCESS_KEY": secret, "PAGER": "cat"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "load_config" in done.stdout
    assert secret not in done.stdout


def test_the_traceback_of_a_refused_configuration_holds_no_secret() -> None:
    """As a program sees it that does not catch the error."""
    secret = SECRETS["secret key"]
    with pytest.raises(ConfigError) as caught:
        kada_athena_async.Extractor(**{**VALID, "region": secret, "secret": secret})

    assert secret not in repr(caught.value) + str(caught.getrepr(style="long", showlocals=False))
