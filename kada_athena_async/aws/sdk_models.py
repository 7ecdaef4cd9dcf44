"""The SDK's model files, read fast and cut down to what we use.

As the SDK reads them they are half of the objects in a process that extracts: 10 MB, and a garbage
collector that stands still for a twentieth of a second each time it walks over them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
from aiobotocore.session import AioSession
from botocore.loaders import JSONFileLoader, Loader, create_loader, instance_cache

SERVICES = frozenset(
    {
        "athena",
        "cloudtrail",
        "glue",
        "lakeformation",
        "s3",
        "secretsmanager",
        "ssm",
        "sts",
        "sso",
        "sso-oidc",
        "oidc",
        "portal.sso",
    }
)
"""Services whose endpoints are kept: ours, and those that the credential chain may ask."""

OPERATIONS: Mapping[str, frozenset[str]] = {
    "athena": frozenset(
        {
            "BatchGetQueryExecution",
            "GetDataCatalog",
            "GetQueryResults",
            "GetWorkGroup",
            "ListDataCatalogs",
            "ListDatabases",
            "ListQueryExecutions",
            "ListSystemTableStatuses",
            "ListTableMetadata",
            "ListWorkGroups",
            "StartQueryExecution",
            "StopQueryExecution",
        }
    ),
    "cloudtrail": frozenset({"LookupEvents"}),
    "glue": frozenset({"GetCatalogs", "GetDatabase", "GetDatabases", "GetTable", "GetTables"}),
    "lakeformation": frozenset({"ListLFTags", "SearchDatabasesByLFTags", "SearchTablesByLFTags"}),
    # CreateSession is the SDK's own, for directory buckets.
    "s3": frozenset(
        {
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CreateMultipartUpload",
            "CreateSession",
            "DeleteObject",
            "GetBucketLocation",
            "GetObject",
            "HeadBucket",
            "HeadObject",
            "ListMultipartUploads",
            "ListParts",
            "PutObject",
            "UploadPart",
        }
    ),
    "secretsmanager": frozenset({"GetSecretValue"}),
    "ssm": frozenset({"GetParameter"}),
}
"""Of those that have dozens or hundreds. The credential chain's models are kept whole."""


class SdkModels:
    """The SDK's description of AWS, read once for all sessions that share this.

    It holds megabytes for each service, so a process of many sites keeps one.
    """

    def __init__(self) -> None:
        self._loaders: dict[str, Any] = {}

    def describe(self, session: AioSession) -> None:
        """Let *session* take its models from here."""
        # A user may have set another directory of models for a profile.
        path = session.get_config_variable("data_path") or ""
        if path not in self._loaders:
            places = create_loader(path or None).search_paths
            self._loaders[path] = _Models(
                file_loader=_ModelFiles(),
                extra_search_paths=places,
                include_default_search_paths=False,
            )

        session.register_component("data_loader", self._loaders[path])


class _Models(Loader):  # type: ignore[misc]  # botocore ships no types
    """Finds models without a look into each of the SDK's 420 directories."""

    @instance_cache  # type: ignore[untyped-decorator]
    def list_available_services(self, type_name: str) -> list[str]:
        """Services that have models; one that lacks *type_name* shows when it is loaded."""
        places = [place for path in self.search_paths if (place := Path(path)).is_dir()]
        return sorted({found.name for place in places for found in os.scandir(place)})


class _ModelFiles(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    """Reads the SDK's model files, of up to 1.3 MB, with msgspec.

    In a tenth of the time: the json module would hold the interpreter for 40 to 60 ms each, and so
    the event loop, even from a thread.
    """

    def _load_file(self, full_path: str, open_method: Callable[..., IO[bytes]]) -> object:
        if not Path(full_path).is_file():
            return None

        with open_method(full_path, "rb") as file:
            return cut_down(Path(full_path), file.read())


def cut_down(path: Path, data: bytes) -> dict[str, Any]:
    """The model *data* without what we never use; *path* identifies it."""
    name = path.name.removesuffix(".gz").removesuffix(".json")
    if name == "endpoints":
        return _own_endpoints(data)

    if name != "service-2":
        other: dict[str, Any] = msgspec.json.decode(data)
        return other

    service = path.parts[-3]
    model: dict[str, Any] = (
        _own_operations(data, OPERATIONS[service])
        if service in OPERATIONS
        else msgspec.json.decode(data)
    )
    if service == "athena":
        _add_system_tables(model)

    _drop_texts(model)
    return model


def _own_endpoints(data: bytes) -> dict[str, Any]:
    """The endpoints of our services; making objects of all 300 would take 30 ms at each start."""
    document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    partitions = []
    for partition in msgspec.json.decode(
        document.pop("partitions"), type=list[dict[str, msgspec.Raw]]
    ):
        services = msgspec.json.decode(partition.pop("services"), type=dict[str, msgspec.Raw])
        own = {name: services[name] for name in services.keys() & SERVICES}
        partitions.append({**_made(partition), "services": _made(own)})

    return {**_made(document), "partitions": partitions}


def _made(values: Mapping[str, msgspec.Raw]) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) for name, value in values.items()}


def _add_system_tables(model: dict[str, Any]) -> None:
    """Add ListSystemTableStatuses, which the SDK knows from botocore 1.43.123 on."""
    name = "ListSystemTableStatuses"
    operation = {
        "name": name,
        "http": {"method": "POST", "requestUri": "/"},
        "input": {"shape": f"{name}Input"},
        "output": {"shape": f"{name}Output"},
        "errors": [],
    }
    if model["operations"].setdefault(name, operation) is not operation:
        return

    members = {
        f"{name}Input": {"NextToken": "Text", "MaxResults": "Number"},
        f"{name}Output": {"Items": "Items", "NextToken": "Text"},
        f"{name}Item": {"TableName": "Text", "Enabled": "Flag"},
    }
    for shape, types in members.items():
        refs = {member: {"shape": f"{name}{kind}"} for member, kind in types.items()}
        model["shapes"][shape] = {"type": "structure", "members": refs}

    for kind, type_ in (("Text", "string"), ("Number", "integer"), ("Flag", "boolean")):
        model["shapes"][f"{name}{kind}"] = {"type": type_}

    model["shapes"][f"{name}Items"] = {"type": "list", "member": {"shape": f"{name}Item"}}


def _own_operations(data: bytes, names: frozenset[str]) -> dict[str, Any]:
    """The model *data* with the operations *names* only, and the shapes that they need.

    Of Glue's model, of 1.3 MB, no more is made into objects than these.
    """
    document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    operations = msgspec.json.decode(document.pop("operations"), type=dict[str, msgspec.Raw])
    known = msgspec.json.decode(document.pop("shapes"), type=dict[str, msgspec.Raw])
    own = _made({name: raw for name, raw in operations.items() if name in names})
    shapes: dict[str, Any] = {}
    waiting = _shapes_in(own)
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = msgspec.json.decode(known[name])
            waiting += _shapes_in(shapes[name])

    return {**_made(document), "operations": own, "shapes": shapes}


def _shapes_in(node: object) -> list[str]:
    """Names of the shapes that a part of a model refers to."""
    if isinstance(node, list):
        return [name for item in node for name in _shapes_in(item)]

    if not isinstance(node, Mapping):
        return []

    found = [name for value in node.values() for name in _shapes_in(value)]
    name = node.get("shape")
    return [*found, name] if isinstance(name, str) else found


def _drop_texts(node: object) -> None:
    """Empty the documentation, two thirds of a model's bytes; the SDK expects the key itself."""
    if isinstance(node, dict):
        if isinstance(node.get("documentation"), str):
            node["documentation"] = ""

        for value in node.values():
            _drop_texts(value)

    elif isinstance(node, list):
        for value in node:
            _drop_texts(value)
