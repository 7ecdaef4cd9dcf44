"""The ARNs that a configuration's permissions are granted on, as narrow as it allows. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from kada_athena_async.config import Config, references_of
from kada_athena_async.config.region import partition_of
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.permissions.permission import Target
from kada_athena_async.permissions.requirements import OWN_CATALOG, Requirements, assumed_roles

_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountScope:
    """Account, region and buckets of a configuration."""

    partition: str
    region: str
    account: str


def account_scope(config: Config, account: str = "", *, unknown: str = "") -> AccountScope:
    """Account, region and buckets of *config*.

    Args:
        account: Twelve digits; empty: that of the role.
        unknown: Stands for the account where neither says it: what the language of the document
            puts there when it is deployed.

    Raises:
        ConfigError: Nobody says which account, or what is said is none.
    """
    account_id = account or (config.role.split(":")[4] if config.role else unknown)
    if not (account_id and account_id == unknown) and not _ACCOUNT.fullmatch(account_id):
        remedy = (
            "write the twelve digits of the account"
            if account_id
            else "name the account, for the configuration has no role that names it; "
            "`aws sts get-caller-identity` shows it"
        )
        raise ConfigError([Problem("--account", repr(account_id), remedy)], source="command")

    return AccountScope(
        partition=partition_of(config.region), region=config.region, account=account_id
    )


def arns(config: Config, target: Target, around: AccountScope) -> list[str]:
    """The resources of *target*, in a fixed order, each once."""
    athena = f"arn:{around.partition}:athena:{around.region}:{around.account}"
    needs = Requirements(config)
    found: Sequence[str]
    match target:
        case Target.EVERYTHING:
            found = ["*"]
        case Target.OWN_WORKGROUP:
            found = [f"{athena}:workgroup/{config.workgroup}"]
        case Target.HISTORY:
            found = [f"{athena}:workgroup/{iam_pattern(p)}" for p in config.workgroups]
        case Target.CATALOGS:
            found = [f"{athena}:datacatalog/{name}" for name in _catalogs(needs)]
        case Target.GLUE_DATABASES | Target.GLUE_TABLES:
            found = _glue(needs, target, around)
        case Target.SYSTEM_TABLE:
            place = f"{around.partition}:s3tables:{around.region}:{around.account}"
            bucket = f"arn:{place}:bucket/aws-athena"
            found = [bucket, f"{bucket}/*"]
        case Target.ROLES:
            found = assumed_roles(config)
        case Target.LANDING_KEY:
            found = _keys(needs, around)
        case Target.SECRETS | Target.PARAMETERS:
            found = _secrets(config, target, around)
        case _:
            found = _bucket_arns(needs, target, around)

    return list(dict.fromkeys(found))


def iam_pattern(glob: str) -> str:
    """A glob pattern as IAM has it: ``[abc]``, which IAM does not know, becomes any character."""
    return re.sub(r"\[!?[^\]]+\]", "?", glob)


def _catalogs(needs: Requirements) -> list[str]:
    if needs.names_all:
        return ["*"]

    # ARNs have a case, names of catalogs in Athena have none.
    own = [OWN_CATALOG] if needs.has_own else []
    return [*own, *map(_literal, needs.others)]


def _glue(needs: Requirements, target: Target, around: AccountScope) -> list[str]:
    """Glue wants the permission on the catalog, the database and the table.

    Of a nested catalog (``s3tablescatalog/bucket``) on those above it as well (AWS Glue Developer
    Guide, "Fine-grained access to Glue resources": all ancestors).
    """
    glue = f"arn:{around.partition}:glue:{around.region}:{around.account}"
    found = []
    # Nested catalogs (s3tablescatalog/bucket) have ARNs of their own.
    nested = [f"{_literal(name)}/" for name in needs.others if "/" in name]
    for path in ([""] if needs.has_own else []) + nested:
        above = accumulate(path.split("/")[:-1], "{}/{}".format)
        found += [f"{glue}:catalog", *(f"{glue}:catalog/{name}" for name in above)]
        if needs.names_all:
            found.append(f"{glue}:catalog/*")

        if target is Target.GLUE_DATABASES:
            found.append(f"{glue}:database/{path}*")
            continue

        for schema in schema_patterns(needs.config, path.rstrip("/") or OWN_CATALOG):
            found.append(f"{glue}:database/{path}{schema}")
            found.append(f"{glue}:table/{path}{schema}/*")

    return found


def schema_patterns(config: Config, catalog: str) -> list[str]:
    """IAM patterns of the schemas of *catalog* that are extracted, or more where that is unclear.

    What ``exclude_schemas`` names stays in: IAM cannot subtract without a denial, which would hit
    every other use of the same role.
    """
    found = []
    for pattern in config.include_schemas:
        prefix, dot, schema = pattern.lower().partition(".")
        if not dot:
            return ["*"]

        if prefix in ("*", catalog.lower()):
            found.append(iam_pattern(schema))
        elif re.search(r"[*?\[]", prefix):
            return ["*"]

    # Athena's engine looks at the database `default` before anything else.
    return ["*"] if "*" in found else list(dict.fromkeys([*found, "default"]))


def _bucket_arns(needs: Requirements, target: Target, around: AccountScope) -> list[str]:
    """The bucket of *target*, or the objects below its prefix; none if it lies in no bucket."""
    if target in (Target.RESULTS_BUCKET, Target.RESULTS):
        bucket, _, prefix = needs.config.bucket.removeprefix("s3://").partition("/")
    else:
        is_landing = target in (Target.LANDING_BUCKET, Target.LANDING)
        place = needs.place("landing" if is_landing else "hwm_store")
        bucket, prefix = (place.bucket, place.prefix) if place is not None else ("", "")

    if not bucket:
        return []

    arn = f"arn:{around.partition}:s3:::{bucket}"
    is_bucket = target in (Target.RESULTS_BUCKET, Target.LANDING_BUCKET, Target.MARKS_BUCKET)
    return [arn if is_bucket else "/".join(filter(None, [arn, _literal(prefix), "*"]))]


def _secrets(config: Config, target: Target, around: AccountScope) -> list[str]:
    references = references_of(config).values()
    if target is Target.SECRETS:
        return [_literal(r.name) for r in references if r.kind == "aws_secretsmanager"]

    # The ARN of /kada/sas has no second slash: parameter/kada/sas.
    place = f"arn:{around.partition}:ssm:{around.region}:{around.account}:parameter"
    return [
        _literal(r.name if r.name.startswith("arn:") else f"{place}/{r.name.lstrip('/')}")
        for r in references
        if r.kind == "aws_ssm"
    ]


def _keys(needs: Requirements, around: AccountScope) -> list[str]:
    """The landing's KMS key; an alias stands for any key, for IAM matches keys and not aliases."""
    place = needs.place("landing")
    if place is None or not place.sse_kms_key_id:
        return []

    key, keys = place.sse_kms_key_id, f"arn:{around.partition}:kms:{around.region}:{around.account}"
    if key.startswith("arn:"):
        head, _, name = key.rpartition(":")
        return [f"{head}:key/*" if name.startswith("alias/") else key]

    return [f"{keys}:key/*" if key.startswith("alias/") else f"{keys}:key/{key}"]


def _literal(text: str) -> str:
    """*text* with what IAM would take for a pattern or a variable written as itself."""
    return re.sub(r"[$*?]", lambda found: "${" + found[0] + "}", text)
