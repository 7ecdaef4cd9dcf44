"""A policy as JSON, CloudFormation or Terraform. Pure."""

from __future__ import annotations

import json
import re
from typing import Literal, TypeAlias

import yaml

from kada_athena_async.config import Config
from kada_athena_async.permissions.policy import PolicyDocument
from kada_athena_async.permissions.requirements import Principal

Format: TypeAlias = Literal["json", "cloudformation", "terraform"]

DESCRIPTION = "What kada_athena_async needs to extract Athena metadata and query history"

_TEMPLATE = "2010-09-09"

OWN_ACCOUNT: dict[Format, str] = {
    "json": "",
    "cloudformation": "${AWS::AccountId}",
    "terraform": "${data.aws_caller_identity.current.account_id}",
}
"""The account in which a document is deployed, as its language says it; JSON cannot."""


def render(
    policy: PolicyDocument, form: Format, *, config: Config, principal: Principal = "run"
) -> str:
    """*policy* as a document that can be deployed as it stands, with a line feed at its end.

    CloudFormation and Terraform attach it to the role of the configuration, if there is one.
    """
    if form == "json":
        return json.dumps(policy, indent=2) + "\n"

    role = config.role.rpartition("/")[2] if principal == "run" else ""
    name = "KadaAthena" + "".join(
        word.title() for word in principal.split("_") if principal != "run"
    )
    if form == "cloudformation":
        return _cloudformation(policy, name=name, role=role)

    return _terraform(policy, name=_snake(name), role=role)


def _cloudformation(policy: PolicyDocument, *, name: str, role: str) -> str:
    attached: dict[str, object] = {"Roles": [role]} if role else {}
    template = {
        "AWSTemplateFormatVersion": _TEMPLATE,
        "Description": DESCRIPTION,
        "Resources": {
            f"{name}Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "Description": DESCRIPTION,
                    **attached,
                    "PolicyDocument": _substituted(policy),
                },
            }
        },
        "Outputs": {"PolicyArn": {"Value": {"Ref": f"{name}Policy"}}},
    }
    text: str = yaml.safe_dump(template, sort_keys=False, width=200, allow_unicode=True)
    return text


def _substituted(value: object) -> object:
    """*value* with each text that names the account of the stack marked to be filled in."""
    match value:
        case str() if OWN_ACCOUNT["cloudformation"] in value:
            others = re.sub(r"\$\{(?!AWS::AccountId\})", "${!", value)
            return {"Fn::Sub": others}
        case dict():
            return {name: _substituted(one) for name, one in value.items()}
        case list() | tuple():
            return [_substituted(one) for one in value]
        case _:
            return value


def _terraform(policy: PolicyDocument, *, name: str, role: str) -> str:
    # Terraform takes JSON as an expression; only its interpolation must be kept away from ours.
    document = re.sub(r"([$%])\{", r"\1\1{", json.dumps(policy, indent=2))
    own = OWN_ACCOUNT["terraform"]
    is_own = f"${own}" in document
    document = document.replace(f"${own}", own)
    indented = document.replace("\n", "\n  ")
    text = (
        f'resource "aws_iam_policy" "{name}" {{\n'
        f'  name_prefix = "{name}-"\n'
        f'  description = "{DESCRIPTION}"\n'
        f"  policy = jsonencode({indented})\n"
        "}\n"
    )
    if is_own:
        text = f'data "aws_caller_identity" "current" {{}}\n\n{text}'

    if role:
        text += (
            f'\nresource "aws_iam_role_policy_attachment" "{name}" {{\n'
            f'  role       = "{role}"\n'
            f"  policy_arn = aws_iam_policy.{name}.arn\n"
            "}\n"
        )

    return text


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
