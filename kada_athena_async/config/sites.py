"""Many sites in one configuration: the top level with each site's own fields laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kada_athena_async.config import rules
from kada_athena_async.config.config_file import Source
from kada_athena_async.config.endpoint import check_aws_endpoint_variables
from kada_athena_async.config.landing import kind_of
from kada_athena_async.config.load import Layers, read_layers
from kada_athena_async.config.model import Config
from kada_athena_async.config.problems import (
    MISSING,
    field_of,
    field_problems,
    find_problems,
    in_order,
    make_config,
    refusal,
    shown_value,
    unknown_key,
)
from kada_athena_async.config.region import with_region
from kada_athena_async.config.secrets import variables_or_own
from kada_athena_async.errors import ConfigError, Problem

_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration of its own, most often an account and region; each has a run of its own.

    Attributes:
        name: Unique in its file, safe in the names of files; empty where a file has no ``sites``.
    """

    name: str
    config: Config

    def instance(self, name: str) -> str:
        """The name of this site's collector, which begins the names of its files.

        Args:
            name: The name of the collector of all sites.
        """
        return f"{name}-{self.name}" if self.name else name


def load_sites(
    path: Source | None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> tuple[Site, ...]:
    """The sites of *path*, in its order; one named "" if it lists none.

    A site's field is, the strongest first: the one in *overrides*, the site's own, that of the
    environment, that of the file's top level.

    Args:
        path: The JSON file, or its fields; None if environment and overrides say all.
        environment: Variables, as for `load_config`; they win over the file's top level.
        overrides: Field -> value or its text, for all sites. None means not given. If the sites
            themselves are among them, they win over the other ones.

    Raises:
        ConfigError: With all problems of all sites at once, keys such as ``sites[2].region``.
    """
    environment = variables_or_own(environment)
    layers = read_layers(path, environment, overrides)
    if "sites" in layers.command:
        layers = Layers({**layers.top, **layers.command}, {}, layers.problems)

    drafts, problems = _drafts(layers)
    problems += _problems_of(layers, drafts, environment)
    problems = [*layers.problems, *map(layers.named, problems)]
    problems += check_aws_endpoint_variables(environment)
    if problems:
        raise refusal(problems, layers.top, layers.command, environment)

    return tuple(Site(draft.name, make_config(draft.over(layers, environment))) for draft in drafts)


def load_config(
    path: Source | None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Config:
    """The configuration of *path*, under the environment, under *overrides*.

    Args:
        path: The JSON file, or its fields; None if environment and overrides say all.
        environment: Variables; ``KADA_ATHENA_<FIELD>`` wins over the file, and
            ``KADA_ATHENA_<FIELD>_FILE`` names a file that holds the value. None for those of this
            process.
        overrides: Field -> value or its text; wins over both. None means not given.

    Raises:
        ConfigError: With all problems at once, or because there are several ``sites``.
    """
    site, *_ = load_sites(path, environment=environment, overrides=overrides)
    if site.name:
        remedy = "it takes one: read them all with load_sites"
        raise ConfigError([Problem("sites", "(several sites)", remedy)])

    return site.config


def select_sites(sites: Sequence[Site], patterns: Sequence[str]) -> tuple[Site, ...]:
    """The sites whose name fits one of *patterns*, in their order; all if there is no pattern.

    Args:
        patterns: Names, or glob patterns for them.

    Raises:
        ConfigError: A pattern fits no site.
    """
    names = [site.name for site in sites if site.name]
    problems = [
        Problem("--site", shown_value("site", pattern), _no_such_site(names))
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names)
    ]
    if problems:
        raise ConfigError(problems, source="command")

    return tuple(
        site
        for site in sites
        if not patterns or any(fnmatchcase(site.name, pattern) for pattern in patterns)
    )


def _no_such_site(names: list[str]) -> str:
    if not names:
        return "the configuration lists no sites; leave it out"

    more = ", ..." if len(names) > _SHOWN_NAMES else ""
    return f"name one of {', '.join(names[:_SHOWN_NAMES])}{more}"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A site before it is checked.

    Attributes:
        place: Such as ``sites[2]``; empty for the one site of a file that lists none.
        own: Field -> value of the site itself.
    """

    place: str
    name: str
    own: dict[str, object]

    def over(self, layers: Layers, environment: Mapping[str, str]) -> dict[str, object]:
        """All fields: the site's over the top level's, under the command line's."""
        values = {**layers.top, **self.own, **layers.command}
        values.pop("sites", None)
        return with_region(values, environment)


def _drafts(layers: Layers) -> tuple[list[_Draft], list[Problem]]:
    """The sites, and what is wrong with the list, the sites' names and their keys."""
    given = layers.top.get("sites")
    if given is None:
        return [_Draft("", "", {})], []

    if not isinstance(given, list) or not given:
        remedy = 'write a list of sites, each with its own fields: [{"name": "au", ...}, ...]'
        return [], [Problem("sites", shown_value("sites", given), remedy)]

    drafts: list[_Draft] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for index, fields in enumerate(given):
        place = f"sites[{index}]"
        if not isinstance(fields, dict):
            remedy = 'write an object: {"name": "au", "region": "ap-southeast-2", ...}'
            problems.append(Problem(place, kind_of(fields), remedy))
            continue

        problems += _name_problems(place, fields, seen)
        unknown = [key for key in fields if key != "name" and key not in Config.model_fields]
        problems += [_at(place, unknown_key(key, also=("name",))) for key in unknown]
        own = {key: value for key, value in fields.items() if key in Config.model_fields}
        drafts.append(_Draft(place, str(fields.get("name")), own))

    return drafts, problems


def _name_problems(place: str, fields: Mapping[str, object], seen: dict[str, str]) -> list[Problem]:
    """Problems of a site's name; *seen* holds the names so far, in lower case."""
    key, name = f"{place}.name", fields.get("name")
    if name is None:
        remedy = (
            "required: distinguishes the site's files and high-water marks from those of the others"
        )
        return [Problem(key, MISSING, remedy)]

    shown = shown_value("name", name)
    if not isinstance(name, str):
        return [Problem(key, shown, "write a string, in quotes")]

    try:
        rules.site_name(name)
    except ValueError as error:
        return [Problem(key, shown, str(error))]

    # Some file systems ignore the case of names.
    first = seen.setdefault(name.lower(), place)
    return [] if first == place else [Problem(key, shown, f"{first} has that name; rename one")]


def _problems_of(
    layers: Layers, drafts: Sequence[_Draft], environment: Mapping[str, str]
) -> list[Problem]:
    """Problems of the sites' fields; a problem that all share is reported once, without a site."""
    top = {**layers.top, **layers.command}
    top.pop("sites", None)
    if not top.get("region"):  # found elsewhere, or else missing in each site
        top.pop("region", None)
    shared = [problem for problem in field_problems(top) if problem.value != MISSING]
    found = [find_problems(draft.over(layers, environment)) for draft in drafts]
    in_all = set(found[0]).intersection(*found[1:]) if found else set()
    apart: list[Problem] = []
    for draft, problems in zip(drafts, found, strict=True):
        own = draft.own.keys() - layers.command.keys()
        for problem in problems:
            is_own = field_of(problem.key) in own
            if is_own or problem not in {*shared, *in_all}:
                apart.append(_at(draft.place, problem))
            elif problem not in shared:
                shared.append(problem)

    return [*in_order(shared), *apart]


def _at(place: str, problem: Problem) -> Problem:
    return problem._replace(key=f"{place}.{problem.key}" if place else problem.key)
