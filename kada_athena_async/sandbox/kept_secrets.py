"""Secrets Manager's GetSecretValue and Systems Manager's GetParameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Estate
from kada_athena_async.sandbox.wire import AwsError, Json


def get_secret_value(estate: Estate, call: Call) -> Json:
    """The secret that ``SecretId`` names; a binary one where the estate keeps bytes."""
    name = str(call.parameters.get("SecretId"))
    value = estate.secrets.get(name)
    if value is None:
        raise AwsError(
            "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
        )

    return {"ARN": name, "Name": name.rpartition(":")[2], "SecretString": value}


def get_parameter(estate: Estate, call: Call) -> Json:
    """The parameter ``Name``; a SecureString comes in the open only when that is asked for."""
    name = str(call.parameters.get("Name"))
    value = estate.secrets.get(name)
    if value is None:
        raise AwsError("ParameterNotFound", "")

    shown = value if call.parameters.get("WithDecryption") is True else "AQICAHh0+encrypted"
    return {"Parameter": {"Name": name, "Type": "SecureString", "Value": shown}}


OPERATIONS: Mapping[str, Callable[[Estate, Call], Json]] = {
    "GetSecretValue": get_secret_value,
    "GetParameter": get_parameter,
}
