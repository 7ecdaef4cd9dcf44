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
    "glue": frozenset({"GetCatalogs", "GetDatabase", "GetDatabases", "GetTable", "GetTables"}),
    "lakeformation": frozenset({"ListLFTags", "SearchDatabasesByLFTags", "SearchTablesByLFTags"}),
    "ssm": frozenset({"GetParameter"}),
}
"""Of those that have dozens or hundreds. The other services' models are kept whole."""


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
    name = path.name.partition(".")[0]
    if name == "endpoints":
        return _own_endpoints(data)

    document: dict[str, Any] = msgspec.json.decode(data)
    if name == "service-2":
        service = path.parts[-3]
        if service in OPERATIONS:
            _keep_operations(document, OPERATIONS[service])
        elif service == "athena":
            _add_system_tables(document)

        _drop_texts(document)

    return document


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
    model["operations"].setdefault(
        "ListSystemTableStatuses",
        {
            "name": "ListSystemTableStatuses",
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "ListSystemTableStatusesInput"},
            "output": {"shape": "ListSystemTableStatusesOutput"},
            "errors": [],
        },
    )
    string, number = {"shape": "Token"}, {"shape": "MaxWorkGroupsCount"}
    shapes = {
        "ListSystemTableStatusesInput": {"NextToken": string, "MaxResults": number},
        "ListSystemTableStatusesOutput": {
            "Items": {"shape": "SystemTableStatusList"},
            "NextToken": string,
        },
        "SystemTableStatus": {
            "TableName": {"shape": "NameString"},
            "Enabled": {"shape": "Boolean"},
        },
    }
    for name, members in shapes.items():
        model["shapes"].setdefault(name, {"type": "structure", "members": members})

    model["shapes"].setdefault(
        "SystemTableStatusList", {"type": "list", "member": {"shape": "SystemTableStatus"}}
    )


def _keep_operations(model: dict[str, Any], names: frozenset[str]) -> None:
    """Leave only the operations *names*, and the shapes that they need."""
    operations = {name: op for name, op in model["operations"].items() if name in names}
    shapes: dict[str, Any] = {}
    waiting = [shape for operation in operations.values() for shape in _shapes_in(operation)]
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting += _shapes_in(shapes[name])

    model["operations"], model["shapes"] = operations, shapes


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
