"""Parameters of a task as a job for the engine: made without Airflow and without any call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from kada_athena_async.config import (
    Config,
    Site,
    Source,
    check_name,
    load_sites,
    read_source,
)
from kada_athena_async.errors import ConfigError, Problem

_ROLE_ARGUMENTS = {"ExternalId": "external_id", "RoleSessionName": "session_name"}
"""Arguments of AssumeRole in an AWS connection's extras -> our field."""

# The SDK renews the role in time, however long its sessions are.
_NEEDLESS_ROLE_ARGUMENTS = frozenset({"DurationSeconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """Fields of an AWS connection of Airflow; empty where it has none.

    Attributes:
        role_method: Such as ``assume_role``.
        role_arguments: ``assume_role_kwargs`` of the connection's extras.
    """

    conn_id: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    profile: str = ""
    region: str = ""
    role: str = ""
    role_method: str = ""
    role_arguments: Mapping[str, object] = field(default_factory=dict)
    endpoint_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One site's run.

    Attributes:
        name: Name of the instance: begins the names of its files and of its HWM.
        hwm_path: File of the HWM; None if ``config.hwm_store`` says where it is.
    """

    config: Config
    name: str
    hwm_path: Path | None


def make_job(
    source: Source,
    access: AwsAccess,
    *,
    name: str,
    site: str,
    hwm_path: str | None,
    scratch: Path,
    environment: Mapping[str, str] | None = None,
) -> Job:
    """The job of a task.

    Args:
        source: The configuration's fields, or its JSON file.
        name: Name of the collector; a site's instance has its own, ``<name>-<site>``.
        site: Which of its sites; empty if it lists none.
        hwm_path: File of the HWM, on storage that all workers share.
        scratch: A directory for the extracts if the configuration names none; it may be gone
            with the try.

    Raises:
        ConfigError: With all problems at once; also if the HWM, or the only copy of the
            extracts, would lie where it is lost with the worker.
    """
    check_name(name)
    sites = sites_of(source, access, scratch=scratch, environment=environment)
    chosen = _choose(sites, site)
    problems = _lost_with_the_worker(chosen, hwm_path, scratch)
    if problems:
        raise ConfigError(problems)

    return Job(
        config=chosen.config,
        name=chosen.instance(name),
        hwm_path=Path(hwm_path) if hwm_path else None,
    )


def sites_of(
    source: Source,
    access: AwsAccess,
    *,
    scratch: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[Site, ...]:
    """The sites of *source*; one named "" if it lists none.

    Who we are to AWS comes from the connection. What else it says (region, role, endpoint) stands
    in where the configuration says nothing.

    Raises:
        ConfigError: With all problems of all sites at once.
    """
    offered = connection_fields(access)
    given = {key: value for key, value in read_source(source).items() if value not in ("", None)}
    _refuse_two_identities(given, offered, access.conn_id)
    fields = {"output_path": str(scratch), **offered, **given}
    return load_sites(fields, environment=environment)


def _choose(sites: Sequence[Site], name: str) -> Site:
    names = [site.name for site in sites if site.name]
    if name in names or not (name or names):
        return next(site for site in sites if site.name == name)

    if not names:
        remedy = "the configuration lists no sites; leave it out"
    elif close := get_close_matches(name, names, n=1):
        remedy = f"did you mean {close[0]}?"
    else:
        remedy = f"name one of the configuration's {len(names)} sites, or map the task over them"

    raise ConfigError([Problem("site", repr(name) if name else "(empty)", remedy)], source="task")


def connection_fields(access: AwsAccess) -> dict[str, str]:
    """The fields of our configuration that a connection fills.

    Raises:
        ConfigError: It asks for what we cannot do, or must not leave out.
    """
    problems = []
    place = f"connection {access.conn_id}"
    if access.session_token:
        remedy = "it would expire in mid-run; use a role, or keys without a session token"
        problems.append(Problem("aws_session_token", "(hidden)", remedy))

    if access.role and access.role_method not in ("", "assume_role"):
        remedy = "only assume_role is known; for web identity leave role_arn out: the worker's "
        remedy += "own credentials are used"
        problems.append(Problem("assume_role_method", repr(access.role_method), remedy))

    known = _ROLE_ARGUMENTS.keys() | _NEEDLESS_ROLE_ARGUMENTS
    for argument in sorted(access.role_arguments.keys() - known):
        remedy = f"leave it out; known are {', '.join(sorted(known))}"
        problems.append(Problem("assume_role_kwargs", repr(argument), remedy))

    if problems:
        raise ConfigError(problems, source=place)

    found = {
        "key": access.key,
        "secret": access.secret,
        "profile": access.profile,
        "region": access.region,
        "role": access.role,
        "endpoint_url": access.endpoint_url,
    }
    for argument, field_name in _ROLE_ARGUMENTS.items():
        found[field_name] = str(access.role_arguments.get(argument, ""))

    return {key: value for key, value in found.items() if value}


def _refuse_two_identities(
    given: Mapping[str, object], offered: Mapping[str, str], conn_id: str
) -> None:
    twice = [key for key in ("key", "secret", "profile") if key in given and key in offered]
    remedy = f"connection {conn_id} fills it too; keep it there only, where Airflow guards it"
    if twice:
        raise ConfigError([Problem(key, "(hidden)", remedy) for key in twice])


def _lost_with_the_worker(site: Site, hwm_path: str | None, scratch: Path) -> list[Problem]:
    config, problems = site.config, []
    if hwm_path is not None and site.name:
        remedy = 'one file for all sites; write hwm_store "file:///shared/directory" instead'
        problems.append(Problem("hwm_path", repr(hwm_path), remedy))

    if hwm_path is not None and not Path(hwm_path).is_absolute():
        remedy = "write an absolute path on storage that all workers share"
        problems.append(Problem("hwm_path", repr(hwm_path), remedy))

    if hwm_path is None and config.hwm_store is None:
        remedy = (
            'a high-water mark on this worker\'s disk is lost with it; write "landing", '
            "s3://bucket/prefix or "
            "file:///shared/directory, or give the operator hwm_path on shared storage"
        )
        problems.append(Problem("hwm_store", "(empty)", remedy))

    if config.landing is None and config.output_path == scratch:
        remedy = (
            "without a landing the extracts would be lost with this worker; fill landing, or "
            "write a directory on storage that outlives it"
        )
        problems.append(Problem("output_path", "(missing)", remedy))

    return problems
