"""Makes statements with known secrets: whatever it plants in a literal or comment is marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Generated:
    """A statement, the secrets in it, and the names that must survive."""

    sql: str
    secrets: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


class Generator:
    """Statements of both engines, full of what confuses lexers; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._made = Generated("")

    def trino_statement(self) -> Generated:
        """A query, INSERT, UPDATE, DELETE, UNLOAD or view."""
        self._made = Generated("")
        form = self._rng.choice(
            (
                "{query}",
                "{query}",
                "INSERT INTO {name} {query}",
                "CREATE OR REPLACE VIEW {name} AS {query}",
                "CREATE TABLE {name} WITH (format = 'x') AS {query}",
                "UNLOAD ({query}) TO {string} WITH (format = {string})",
                "EXPLAIN {query}",
                "DELETE FROM {name} WHERE {condition}",
                "UPDATE {name} SET {name} = {value} WHERE {condition}",
                "EXECUTE {name} USING {value}, {value}",
                "{comment}{query}{comment}",
            )
        )
        return self._finish(form)

    def hive_statement(self) -> Generated:
        """DDL."""
        self._made = Generated("")
        form = self._rng.choice(
            (
                "CREATE EXTERNAL TABLE {hive_name} (a int COMMENT {hive}) LOCATION {hive}",
                "ALTER TABLE {hive_name} ADD PARTITION (dt={hive}, h={number}) LOCATION {hive}",
                "ALTER TABLE {hive_name} SET TBLPROPERTIES ({hive}={hive}, {hive} = {hive})",
                "CREATE DATABASE {hive_name} COMMENT {hive} LOCATION {hive}",
                "DROP TABLE {hive_comment}{hive_name}{hive_comment}",
                "SHOW TABLES IN {hive_name} {hive}",
                "DESCRIBE {hive_name} PARTITION (dt={hive})",
            )
        )
        return self._finish(form)

    def _finish(self, form: str) -> Generated:
        made = self._made
        made.sql = form.format_map(_Lazy(self))
        # Of the pieces that were made to choose from, only some were chosen.
        made.secrets = [secret for secret in made.secrets if secret in made.sql]
        made.names = [name for name in made.names if name in made.sql]
        return made

    def _secret(self) -> str:
        secret = "zq" + "".join(self._rng.choices(_ALPHABET, k=8))
        self._made.secrets.append(secret)
        return secret

    def name(self) -> str:
        plain = "n" + "".join(self._rng.choices(_ALPHABET, k=5)) + str(self._rng.randrange(100))
        odd = self._rng.choice(("'", "--", "/*", "*/", '""', " ", ";", "?", "\\", "2024"))
        name = self._rng.choice((plain, plain, f'"{plain}{odd}{plain}"', f"{plain}.{plain}"))
        self._made.names.append(name)
        return name

    def hive_name(self) -> str:
        plain = "n" + "".join(self._rng.choices(_ALPHABET, k=5))
        odd = self._rng.choice(("'", "--", "/*", '"', " ", "-", "2024"))
        name = self._rng.choice((plain, f"`{plain}{odd}{plain}`", f"`{plain}`.`{plain}`"))
        self._made.names.append(name)
        return name

    def string(self) -> str:
        around = ("", " ", "''", "\\", '"', "--", "/*", "*/", "\n", "(", ")", ";", "?", "’", "\x00")
        before, after = self._rng.choices(around, k=2)
        prefix = self._rng.choice(("", "", "", "DATE ", "U&", "JSON ", "TIMESTAMP "))
        return f"{prefix}'{before}{self._secret()}{after}'"

    def hive(self) -> str:
        quote, other = self._rng.choice(("'\"", "\"'"))
        around = (
            "",
            " ",
            f"\\{quote}",
            "\\\\",
            other,
            "--",
            "/*",
            "*/",
            "\n",
            "(",
            ";",
            "\\n",
            "’",
        )
        before, after = self._rng.choices(around, k=2)
        return f"{quote}{before}{self._secret()}{after}{quote}"

    def number(self) -> str:
        digits = str(self._rng.randrange(10**9, 10**16))
        self._made.secrets.append(digits)
        form = self._rng.choice(("{}", "{}.5", ".{}", "{}.", "-{}", "{}e5", "{}E-7", "1{}"))
        return form.format(digits)

    def comment(self) -> str:
        inside = self._rng.choice(("'", '"', "--", "don't ", "``", "(", "“", "SELECT '"))
        secret = self._secret()
        return self._rng.choice(
            (f" /*{inside}{secret}*/ ", f" --{inside}{secret}\n", f"--{secret}\r")
        )

    def hive_comment(self) -> str:
        secret = self._secret()
        return self._rng.choice((f" /* ' /* {secret} */ \" */ ", f" -- ' {secret}\n"))

    def value(self) -> str:
        return self._rng.choice((self.string, self.number, self.name))()

    def condition(self) -> str:
        name, rng = self.name(), self._rng
        items = ", ".join(self.value() for _ in range(rng.randrange(1, 4)))
        return rng.choice(
            (
                f"{name} = {self.value()}",
                f"{name}={self.string()} AND {name} <>{self.number()}",
                f"{name} IN ({items})",
                f"{name} LIKE {self.string()} ESCAPE '#'",
                f"{name} BETWEEN {self.value()} AND {self.value()}",
                f"({name} > {self.number()}{self.comment()}OR {self.string()} = {name})",
            )
        )

    def query(self, depth: int = 0) -> str:
        rng = self._rng
        source = f"({self.query(depth + 1)}) q" if depth < 2 and rng.random() < 0.3 else self.name()
        columns = ", ".join(self.value() for _ in range(rng.randrange(1, 4)))
        tail = rng.choice(("", " GROUP BY 1, 2", " ORDER BY 2 DESC", f" LIMIT {self.number()}"))
        gap = self.comment() if rng.random() < 0.3 else " "
        return f"SELECT {columns}{gap}FROM {source} WHERE {self.condition()}{tail}"


class _Lazy(dict[str, str]):
    """Fills a form: each marker calls the generator anew."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self._generator = generator

    def __missing__(self, key: str) -> str:
        make: Callable[[], str] = getattr(self._generator, key)
        return make()
