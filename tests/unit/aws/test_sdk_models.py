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
OTHERS = {"sts": ["AssumeRole", "GetCallerIdentity"]}
ASKED_FOR = {"GetQueryExecution", "GetTableMetadata"}
"""Rights that a message or the pacer names; nobody calls them."""


def called_of(service: str) -> set[str]:
    """Operations that are written as ``service:Operation``, or in a call that names the service.

    Those who call nothing but S3 name it once.
    """
    known = {*create_loader().load_service_model(service, "service-2")["operations"]}
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "sandbox" in path.parts or "permissions" in path.parts:
            continue

        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and service != "s3":
                found |= set(re.findall(rf"^{service}:(\w+)$", str(node.value)))

            if isinstance(node, ast.Call):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                texts = [str(value.value) for value in given if isinstance(value, ast.Constant)]
                is_s3 = path.name in ("s3.py", "buckets.py") and "_call" in ast.unparse(node.func)
                if service in texts or (service == "s3" and is_s3):
                    found |= {*texts}

    return found & known - ASKED_FOR


@pytest.mark.parametrize(
    ("service", "some"),
    [
        ("athena", {"StartQueryExecution", "ListTableMetadata", "GetWorkGroup"}),
        ("glue", {"GetTables", "GetDatabases"}),
        ("s3", {"GetObject", "PutObject", "HeadBucket", "UploadPart"}),
    ],
)
def test_no_operation_that_is_called_is_missing(service: str, some: set[str]) -> None:
    """Whatever the package calls of a service is among the operations that are kept."""
    assert some <= called_of(service) <= OPERATIONS[service]


async def test_a_client_of_s3_has_our_operations_alone() -> None:
    """The SDK's model has a hundred, and aioboto3 adds helpers: together they take 3 MB."""
    identity = Identity(region="ap-southeast-2", key="AKIAEXAMPLE", secret="invented")
    async with AwsSession(identity, endpoint_url=None).client("s3", AioConfig()) as client:
        assert {*client.meta.service_model.operation_names} == OPERATIONS["s3"]
        assert not hasattr(client, "upload_file")


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
