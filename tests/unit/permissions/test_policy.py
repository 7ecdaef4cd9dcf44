"""The policy of a configuration: no permission too many, no resource too wide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.config import Config, make_config
from kada_athena_async.errors import ConfigError
from kada_athena_async.permissions import (
    account_scope,
    lost_without,
    permissions_of,
    policy_of,
    principals,
)

ROLE = "arn:aws:iam::123456789012:role/data/KadaAthenaRole"


def config_of(**fields: object) -> Config:
    values = {
        "server": "athena",
        "bucket": "s3://results-bucket/some/prefix",
        "region": "ap-southeast-2",
        "role": ROLE,
        "output_path": str(Path.cwd()),
    }
    return make_config({**values, **fields})


def granted(config: Config, **choice: Any) -> dict[str, set[str]]:
    """Action -> resources, over all statements."""
    found: dict[str, set[str]] = {}
    for statement in statements(config, **choice):
        resources = statement["Resource"]
        for action in statement["Action"]:
            listed = resources if isinstance(resources, list) else [resources]
            found.setdefault(action, set()).update(listed)

    return found


def statements(config: Config, **choice: Any) -> list[Mapping[str, Any]]:
    return policy_of(config, account_scope(config), **choice)["Statement"]  # type: ignore[return-value]


def test_the_vendors_configuration_needs_less_than_the_vendors_policy() -> None:
    """Each action is granted on exactly what the configuration names."""
    athena = "arn:aws:athena:ap-southeast-2:123456789012"
    glue = "arn:aws:glue:ap-southeast-2:123456789012"
    own, history = f"{athena}:workgroup/primary", f"{athena}:workgroup/*"
    bucket = "arn:aws:s3:::results-bucket"
    databases = {f"{glue}:catalog", f"{glue}:database/*"}

    assert granted(config_of()) == {
        "athena:ListWorkGroups": {"*"},
        "athena:ListQueryExecutions": {history},
        "athena:BatchGetQueryExecution": {history, own},
        "athena:StartQueryExecution": {own},
        "athena:GetQueryResults": {own},
        "glue:GetDatabases": databases,
        "glue:GetDatabase": databases,
        "glue:GetTables": {*databases, f"{glue}:table/*/*"},
        "glue:GetTable": {*databases, f"{glue}:table/*/*"},
        "s3:GetBucketLocation": {bucket},
        "s3:ListBucket": {bucket},
        "s3:PutObject": {f"{bucket}/some/prefix/*"},
        "s3:GetObject": {f"{bucket}/some/prefix/*"},
    }


def test_who_runs_no_query_needs_no_bucket_and_no_workgroup_of_his_own() -> None:
    """With ``metadata_source`` ``api`` nothing is granted that only statements need."""
    actions = set(granted(config_of(metadata_source="api", bucket=""), optional=True))

    assert not {a for a in actions if a.startswith("s3:")}
    assert not actions & {"athena:StartQueryExecution", "athena:GetQueryResults"}
    assert {"glue:GetTables", "athena:ListQueryExecutions"} <= actions


def test_who_asks_sql_only_needs_no_metadata_api() -> None:
    """With ``sql`` the metadata APIs are not granted, and other catalogs need GetDataCatalog."""
    actions = set(granted(config_of(metadata_source="sql", catalogs=["AwsDataCatalog", "crm"])))

    assert not actions & {"athena:ListDatabases", "athena:ListTableMetadata"}
    assert "athena:GetDataCatalog" in actions


def test_resources_are_narrowed_to_names_and_patterns() -> None:
    """Workgroups, catalogs and schemas appear as the configuration names them, in IAM's words."""
    config = config_of(
        catalogs=["awsdatacatalog", "crm", "s3tablescatalog/lake"],
        workgroup="kada",
        workgroups=["bi-*", "etl[12]"],
        include_schemas=["AwsDataCatalog.sales_*", "*.ref", "crm.public"],
    )
    found = granted(config, optional=True)
    athena = "arn:aws:athena:ap-southeast-2:123456789012"
    glue = "arn:aws:glue:ap-southeast-2:123456789012"

    assert found["athena:ListQueryExecutions"] == {
        f"{athena}:workgroup/bi-*",
        f"{athena}:workgroup/etl?",
    }
    assert found["athena:StopQueryExecution"] == {f"{athena}:workgroup/kada"}
    # Athena's ARNs have a case, whatever the configuration wrote.
    assert found["athena:ListTableMetadata"] == {
        f"{athena}:datacatalog/AwsDataCatalog",
        f"{athena}:datacatalog/crm",
        f"{athena}:datacatalog/s3tablescatalog/lake",
    }
    assert {r for r in found["glue:GetTables"] if ":table/" in r} == {
        f"{glue}:table/sales_*/*",
        f"{glue}:table/ref/*",
        f"{glue}:table/default/*",
        f"{glue}:table/s3tablescatalog/lake/ref/*",
        f"{glue}:table/s3tablescatalog/lake/default/*",
    }


def test_a_nested_catalog_needs_those_above_it() -> None:
    """Glue asks for the permission on every ancestor, the account's own catalog included."""
    found = granted(config_of(catalogs=["s3tablescatalog/lake", "warehouse/dev"]))

    for action in ("glue:GetDatabases", "glue:GetTables"):
        catalogs = {r.partition(":catalog")[2] for r in found[action] if ":catalog" in r}
        lake = {"/s3tablescatalog", "/s3tablescatalog/lake"}
        assert catalogs == {"", *lake, "/warehouse", "/warehouse/dev"}


def test_a_pattern_over_catalogs_that_is_unclear_grants_all_schemas() -> None:
    """A pattern that might name a schema of Glue's is not refused by a policy that guessed."""
    found = granted(config_of(include_schemas=["aws*.sales"]))

    assert any(resource.endswith(":table/*/*") for resource in found["glue:GetTables"])


@pytest.mark.parametrize(
    ("landing", "principal"),
    [
        ("s3://landing/lz", "run"),
        ({"bucket": "landing", "prefix": "lz", "key": "AKIA", "secret": "s"}, "landing"),
        ({"bucket": "landing", "prefix": "lz", "role": ROLE}, "landing"),
    ],
)
def test_the_landings_rights_go_to_whoever_writes_there(landing: object, principal: str) -> None:
    """A landing with an identity of its own has a policy of its own."""
    config = config_of(landing=landing, hwm_store="landing")
    found = granted(config, principal=principal)

    assert "arn:aws:s3:::landing/lz/*" in found["s3:PutObject"]
    assert "arn:aws:s3:::landing" in found["s3:ListBucket"]
    if principal != "run":
        assert "landing" not in str(granted(config, optional=True))


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("1234abcd-12ab", "arn:aws:kms:ap-southeast-2:123456789012:key/1234abcd-12ab"),
        ("arn:aws:kms:eu-west-1:210987654321:key/k", "arn:aws:kms:eu-west-1:210987654321:key/k"),
        ("alias/landing", "arn:aws:kms:ap-southeast-2:123456789012:key/*"),
    ],
)
def test_headers_of_the_landing_have_rights_of_their_own(key: str, resource: str) -> None:
    """S3 asks for PutObjectAcl with acl, and for a KMS key; without them neither is granted."""
    plain = {"bucket": "landing", "prefix": "lz"}
    headers = {"acl": "bucket-owner-full-control", "sse": "aws:kms", "sse_kms_key_id": key}
    found = granted(config_of(landing={**plain, **headers}))

    assert found["s3:PutObjectAcl"] == {"arn:aws:s3:::landing/lz/*"}
    assert found["kms:GenerateDataKey"] == found["kms:Decrypt"] == {resource}
    assert not {"s3:PutObjectAcl", "kms:Decrypt"} & set(granted(config_of(landing=plain)))


def test_whoever_assumes_the_role_needs_nothing_else() -> None:
    """The caller's policy holds one action on one role."""
    config = config_of()

    assert principals(config) == ("run", "caller")
    assert granted(config, principal="caller", optional=True) == {"sts:AssumeRole": {ROLE}}


@pytest.mark.parametrize(
    ("account", "role", "expected"),
    [
        ("", "", "name the account, for the configuration has no role that names it"),
        ("1234", "", "write the twelve digits of the account"),
    ],
)
def test_without_an_account_nothing_is_guessed(account: str, role: str, expected: str) -> None:
    """The error names the option and how to find the number."""
    with pytest.raises(ConfigError) as caught:
        account_scope(config_of(role=role), account)

    assert "--account" in caught.value.message
    assert expected in caught.value.message


def test_the_account_given_wins_over_the_roles() -> None:
    """An estate may lie in another account than the role that reads it."""
    assert account_scope(config_of(), "210987654321").account == "210987654321"


def test_names_cannot_become_patterns() -> None:
    """A prefix that holds IAM's own signs means itself."""
    found = granted(config_of(bucket="s3://results-bucket/odd*$name"))

    assert found["s3:PutObject"] == {"arn:aws:s3:::results-bucket/odd${*}${$}name/*"}


def test_statement_names_are_legal_and_unique() -> None:
    """A Sid has letters and digits only, and no two statements share one."""
    config = config_of(landing="s3://landing/lz", hwm_store="s3://marks/m", catalogs=["*"])
    sids = [statement["Sid"] for statement in statements(config, optional=True)]

    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    assert len(json.dumps(statements(config, optional=True))) < 6144


def test_each_right_says_what_it_is_for_and_what_is_lost() -> None:
    """Nobody has to guess why a permission is asked for."""
    permissions = permissions_of(config_of(landing="s3://landing/lz", hwm_store="s3://marks/m"))

    assert all(permission.used_for and permission.lost for permission in permissions)
    assert "no history at all" in lost_without(config_of(), "athena:ListWorkGroups")
    assert lost_without(config_of(metadata_source="api"), "athena:StartQueryExecution") == ""
