"""The least-privilege policy of a configuration, printed; no call to AWS."""

from __future__ import annotations

import json
from typing import Any

from kada_athena_async.cli.invocation import options, suggestion
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.config import Config
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.permissions import Principal, account_scope, policy_of, principals
from kada_athena_async.permissions.formats import OWN_ACCOUNT, Format, render
from kada_athena_async.permissions.policy import MANAGED_POLICY_MAX, PolicyDocument

_NAMES_SHOWN = 20


_NAMED: dict[Principal, str] = {
    "run": "who extracts",
    "caller": "whoever assumes the role",
    "landing": "the landing's own identity",
    "hwm_store": "the high-water mark's own identity",
}


def show_policy(
    output: Output,
    *,
    form: Format,
    account: str,
    has_optional: bool,
    principal: Principal,
    **asked: Any,
) -> int:
    """Print it, and say on stderr what else is needed; the exit code."""
    config = _one_config(output, RunRequest(**asked))
    if principal not in principals(config):
        remedy = f"nothing has to be allowed there; use one of {', '.join(principals(config))}"
        raise ConfigError([Problem("--for", ascii(principal), remedy)], source="command")

    around = account_scope(config, account, unknown=OWN_ACCOUNT[form])
    policy = policy_of(config, around, principal=principal, optional=has_optional)
    output.text(render(policy, form, config=config, principal=principal))
    if around.account and around.account == OWN_ACCOUNT[form]:
        output.say("deploy it in the account of the estate: it stands for that account (--account)")

    for line in _notes(config, policy, principal):
        output.say(line)

    return 0


def _one_config(output: Output, request: RunRequest) -> Config:
    sites = configured_sites(output, request)
    if len(sites) > 1:
        names = ", ".join(site.name for site in sites[:_NAMES_SHOWN])
        more = ", ..." if len(sites) > _NAMES_SHOWN else ""
        remedy = f"a policy is one site's: choose one of {names}{more}"
        raise ConfigError([Problem("--site", f"({len(sites)} sites)", remedy)], source="command")

    return sites[0].config


def _notes(config: Config, policy: PolicyDocument, principal: Principal) -> list[str]:
    """Notes about what this policy alone does not allow."""
    found = []
    size = len("".join(json.dumps(policy).split()))
    if size > MANAGED_POLICY_MAX:
        found.append(
            f"it has {size} characters, a managed policy {MANAGED_POLICY_MAX} at most: use "
            "shorter lists of patterns in the configuration, or attach it in pieces"
        )

    if principal != "run":
        return found

    others = [name for name in config.catalogs if name.lower() != "awsdatacatalog"]
    if others:
        found.append(
            "catalogs other than AwsDataCatalog may need more: lambda:InvokeFunction on their "
            "connector, or Glue's rights in the account that owns them; `doctor` tries them"
        )

    given = options("-c", "--config", "--site", "--set")
    found += [
        f"{_NAMED[other]} needs rights too: {suggestion('iam-policy', *given, '--for', other)}"
        for other in principals(config)
        if other != "run"
    ]
    return found
