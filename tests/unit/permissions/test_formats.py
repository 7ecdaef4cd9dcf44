"""Each language holds the same policy, as its own parser reads it."""

from __future__ import annotations

import json
from typing import Any

import hcl2
import yaml

from kada_athena_async.config import Config
from kada_athena_async.permissions import account_scope, policy_of
from kada_athena_async.permissions.formats import OWN_ACCOUNT, render
from tests.unit.permissions.test_policy import config_of


def made(config: Config, form: Any, **choice: Any) -> tuple[Any, str]:
    policy = policy_of(config, account_scope(config, "123456789012"), **choice)
    return policy, render(policy, form, config=config, **choice)


def test_json_is_the_policy() -> None:
    """The form that ``aws iam put-role-policy`` takes."""
    policy, text = made(config_of(), "json")

    assert json.loads(text) == policy


def test_cloudformation_is_a_managed_policy_attached_to_the_role() -> None:
    """The template creates one policy, and dates stay text."""
    policy, text = made(config_of(), "cloudformation")
    (resource,) = yaml.safe_load(text)["Resources"].values()

    assert resource["Type"] == "AWS::IAM::ManagedPolicy"
    assert resource["Properties"]["Roles"] == ["KadaAthenaRole"]
    assert resource["Properties"]["PolicyDocument"] == policy
    assert yaml.safe_load(text)["AWSTemplateFormatVersion"] == "2010-09-09"


def test_terraform_attaches_the_policy_to_the_role() -> None:
    """HCL's parser finds a policy and an attachment, and the policy's JSON in it."""
    policy, text = made(config_of(), "terraform")
    names = [name.strip('"') for block in hcl2.loads(text)["resource"] for name in block]
    document = text.partition("jsonencode(")[2].partition(")\n}")[0]

    assert names == ["aws_iam_policy", "aws_iam_role_policy_attachment"]
    assert json.loads(document) == policy


def test_terraform_interpolates_nothing_of_ours() -> None:
    """IAM's ``${*}`` reaches IAM as it is."""
    _, text = made(config_of(bucket="s3://results-bucket/odd*name"), "terraform")

    assert "odd$${*}name" in text
    hcl2.loads(text)


def test_the_account_may_be_that_of_the_deployment() -> None:
    """CloudFormation and Terraform fill it in; what else looks like a variable stays as it is."""
    config = config_of(role="", bucket="s3://results-bucket/odd*name")
    texts = {}
    for form in ("cloudformation", "terraform"):
        around = account_scope(config, unknown=OWN_ACCOUNT[form])
        texts[form] = render(policy_of(config, around), form, config=config)

    known, _ = made(config, "json")
    filled = json.dumps(known).replace("123456789012", "${AWS::AccountId}")
    (resource,) = yaml.safe_load(texts["cloudformation"])["Resources"].values()
    policy = resource["Properties"]["PolicyDocument"]
    assert json.dumps(_unmarked(policy)) == filled
    assert {"Fn::Sub"} == {key for key in _marks(policy)}
    assert texts["terraform"].startswith('data "aws_caller_identity" "current" {}')
    assert ":${data.aws_caller_identity.current.account_id}:" in texts["terraform"]
    assert "odd$${*}name" in texts["terraform"]
    hcl2.loads(texts["terraform"])


def _unmarked(value: Any) -> Any:
    """A template with its substitutions read as plain texts."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${!", "${")

        return {name: _unmarked(one) for name, one in value.items()}

    return [_unmarked(one) for one in value] if isinstance(value, list) else value


def _marks(value: Any) -> list[str]:
    """Every function of CloudFormation in a template."""
    if isinstance(value, dict):
        own = [name for name in value if name.startswith("Fn::")]
        return own + [mark for one in value.values() for mark in _marks(one)]

    return [mark for one in value for mark in _marks(one)] if isinstance(value, list) else []


def test_without_a_role_nothing_is_attached() -> None:
    """A policy for a user is left for its owner to attach."""
    for form in ("cloudformation", "terraform"):
        _, text = made(config_of(role=""), form)
        assert "Roles" not in text
        assert "attachment" not in text
