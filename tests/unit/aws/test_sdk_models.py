"""Cut down, the SDK's models still serve every call that we make."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.loaders import create_loader

import kada_athena_async
from kada_athena_async.aws.sdk_models import OPERATIONS, SERVICES, cut_down
from kada_athena_async.aws.session import AwsSession, Identity

PACKAGE = Path(kada_athena_async.__file__).parent
OTHERS = {
    "athena": ["StartQueryExecution", "ListTableMetadata", "GetWorkGroup"],
    "s3": ["GetObject", "PutObject", "ListObjectsV2"],
    "sts": ["AssumeRole", "GetCallerIdentity"],
}


def called_of_glue() -> set[str]:
    """Operations that are written as ``glue:Operation``, or in a call that also says ``glue``."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "sandbox" in path.parts or "permissions" in path.parts:
            continue

        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant):
                found |= set(re.findall(r"^glue:(\w+)$", str(node.value)))

            if isinstance(node, ast.Call):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                texts = [value.value for value in given if isinstance(value, ast.Constant)]
                if "glue" in texts:
                    found |= {
                        str(t) for t in texts if str(t)[:1].isupper() and "List" not in str(t)
                    }

    return found


def test_no_operation_of_glue_is_missing() -> None:
    """Whatever the package calls of Glue is among the operations that are kept."""
    assert {"GetTables", "GetDatabases"} <= called_of_glue() <= OPERATIONS["glue"]


def test_endpoints_are_those_of_the_sdk() -> None:
    """All that the SDK's file says, but for services that nobody asks."""
    path = Path(f"{create_loader().load_data_with_path('endpoints')[1]}.json")
    theirs = json.loads(path.read_bytes())
    for partition in theirs["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services.keys() & SERVICES}

    assert cut_down(path, path.read_bytes()) == theirs


@pytest.mark.parametrize(
    ("service", "operations"),
    [*OTHERS.items(), *((service, sorted(names)) for service, names in OPERATIONS.items())],
)
async def test_clients_have_their_operations(service: str, operations: list[str]) -> None:
    """A client is made from what is left, with its endpoint, its operations and their shapes."""
    identity = Identity(region="ap-southeast-2", key="AKIAEXAMPLE", secret="invented")
    session = AwsSession(identity, endpoint_url=None)
    async with session.client(service, AioConfig()) as client:
        assert client.meta.endpoint_url == f"https://{service}.ap-southeast-2.amazonaws.com"
        for operation in operations:
            assert hasattr(client, xform_name(operation))
            model = client.meta.service_model.operation_model(operation)
            assert model.input_shape is None or dict(model.input_shape.members) is not None
            shapes = [model.output_shape] if model.output_shape else []
            seen: set[str] = set()
            while shapes:  # every shape that an answer may hold can be resolved
                shape = shapes.pop()
                if shape.name not in seen:
                    seen.add(shape.name)
                    shapes += list(getattr(shape, "members", {}).values())
                    shapes += [
                        inner for at in ("member", "value") if (inner := getattr(shape, at, None))
                    ]
