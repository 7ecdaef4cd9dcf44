"""Every error of AWS, in every spelling, is what it means."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.exceptions import ClientError
from botocore.retries import standard

from kada_athena_async.aws.decode import JsonAnswerParser
from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS, KINDS, bare_code, kind_of
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.aws.sdk_models import OPERATIONS
from kada_athena_async.errors import (
    AccessDeniedError,
    CredentialsError,
    KadaAthenaError,
    NotFoundError,
    RequestError,
    ThrottledError,
    UnavailableError,
)

DATA = Path(botocore.__file__).parent / "data"
MODELS = ("athena", "glue", "sts", "s3", "cloudtrail", "lakeformation", "secretsmanager", "ssm")
CALLED = {name: called for name, called in OPERATIONS.items() if name not in ("athena", "s3")}

ERRORS = {
    "throttled": ThrottledError,
    "unavailable": UnavailableError,
    "credentials": CredentialsError,
    "denied": AccessDeniedError,
    "not_found": NotFoundError,
    "invalid": RequestError,
}


def document(path: Path) -> Any:
    return json.loads(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    )


def codes_in(node: object) -> Iterator[str]:
    """Every ``service_error_code`` of botocore's retry definitions."""
    if isinstance(node, dict):
        if code := node.get("service_error_code"):
            yield code

        for value in node.values():
            yield from codes_in(value)


def codes_of_model(service: str) -> Iterator[str]:
    """Every error that the model of *service* names for the operations that we call."""
    [path] = sorted((DATA / service).glob("*/service-2.json*"))
    model = document(path)
    called = CALLED.get(service, model["operations"])
    for name in called:
        for error in model["operations"][name].get("errors", ()):
            yield error["shape"]
            yield model["shapes"][error["shape"]].get("error", {}).get("code", error["shape"])


def test_no_code_that_the_sdk_names_is_unknown() -> None:
    """The SDK's retry lists, old and new, and the service models are all covered."""
    [retries] = DATA.glob("_retry.json*")
    named = set(codes_in(document(retries)))
    named |= set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    named |= set(standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES)
    for service in MODELS:
        named |= set(codes_of_model(service))

    assert len(named) > 50
    assert named - set(KINDS) == set()


def test_what_the_sdk_retries_is_tried_again() -> None:
    """Nothing of the SDK's own lists is given up at the first answer."""
    [retries] = DATA.glob("_retry.json*")
    named = {*codes_in(document(retries))}
    named |= set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    assert {KINDS[code] for code in named} == {"throttled", "unavailable"}
    throttled = set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    assert {KINDS[code] for code in throttled} == {"throttled"}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("OperationAborted", 409, "unavailable"),
        ("IncompleteBody", 400, "unavailable"),
        ("XAmzContentSHA256Mismatch", 400, "unavailable"),
        ("NotImplemented", 501, "invalid"),
    ],
)
def test_what_s3_says_without_a_model(code: str, status: int, kind: str) -> None:
    """S3's list of errors: what passes is tried again, what a store cannot do is not."""
    assert kind_of(code, "", status) == kind


async def error_of(
    body: bytes | dict[str, Any],
    headers: dict[str, str] | None = None,
    status: int = 400,
    operation: str = "athena:ListTableMetadata",
) -> KadaAthenaError:
    """The error of a refusal, by the parser of every answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = {"status_code": status, "headers": headers or {}, "body": raw, "context": {}}
    parsed = await JsonAnswerParser().parse(response, None)
    return map_error(ClientError(parsed, "X"), operation=operation, scope="schema a.b")


SPELLINGS = {
    "bare": lambda code: ({"__type": code}, {}),
    "namespace": lambda code: ({"__type": f"com.amazonaws.athena#{code}"}, {}),
    "uri": lambda code: ({"__type": f"{code}:http://internal.amazon.com/coral/x/"}, {}),
    "both": lambda code: ({"__type": f"aws.x#{code}:http://internal.amazon.com/"}, {}),
    "package": lambda code: ({"__type": f"com.amazonaws.glue.model.{code}"}, {}),
    "header": lambda code: ({}, {"x-amzn-ErrorType": code}),
    "header with uri": lambda code: (b"", {"X-Amzn-Errortype": f"{code}:http://x.amazon.com/"}),
    "null beside the header": lambda code: ({"__type": None}, {"x-amzn-errortype": code}),
    "code": lambda code: ({"code": code, "message": None}, {}),
    "nested": lambda code: ({"Error": {"Code": code, "Message": "no"}}, {}),
    "sdk 1 inside": lambda code: (
        {
            "__type": "MetadataException",
            "Message": f"no (Service: AmazonDataCatalog; Status Code: 400; Error Code: {code}; "
            "Request ID: 1-2; Proxy: null)",
        },
        {},
    ),
    "class name inside": lambda code: (
        {
            "__type": "MetadataException",
            "Message": f"software.amazon.awssdk.services.glue.model.{code}: no "
            "(Service: Glue, Status Code: 400, Request ID: 1-2)",
        },
        {},
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_code_means_the_same_in_every_spelling(spelling: str) -> None:
    """Namespace, URI, header, nested or wrapped: the error is of the same kind."""
    # Statuses of HTTP are what S3 gives for a code where an answer has no body.
    codes = {code for code, kind in KINDS.items() if kind != "wrapper" and not code.isdigit()}
    if "inside" in spelling:  # short codes are words of everyday language, and S3 is not wrapped
        codes = {code for code in codes if len(code) > len("Forbidden")} - {"InvalidRequest"}

    found = {code: await error_of(*SPELLINGS[spelling](code)) for code in sorted(codes)}
    assert len(found) > 70
    assert {c: type(e) for c, e in found.items()} == {c: ERRORS[KINDS[c]] for c in found}


V2 = "(Service: {}, Status Code: {}, Request ID: 0a1b-2c3d) (SDK Attempt Count: 3)"

LAMBDA = "Failed to invoke lambda function due to"

WRAPPED = [
    ("Rate exceeded " + V2.format("CloudWatch", 400), ThrottledError),
    ("Rate exceeded " + V2.format("AWSLogs", 429), ThrottledError),
    ("Too many requests " + V2.format("DynamoDb", 400), ThrottledError),
    ("x " + V2.format("Glue", 429), ThrottledError),
    ("x " + V2.format("Glue", 503), UnavailableError),
    ("Read timed out", UnavailableError),
    (
        "an exception[java.util.concurrent.TimeoutException] from your LambdaFunction[x]",
        UnavailableError,
    ),
    ("java.net.SocketTimeoutException: connect", UnavailableError),
    ("Task timed out after 900.00 seconds", UnavailableError),
    (
        "User: arn:aws:iam::1:user/x is not authorized to perform: glue:GetTables on resource: y "
        + V2.format("Glue", 400),
        AccessDeniedError,
    ),
    (
        "Insufficient Lake Formation permission(s): Required Describe on sales "
        + V2.format("Glue", 400),
        AccessDeniedError,
    ),
    ("Table of the year 500 is odd", RequestError),
    (f"{LAMBDA} com.amazonaws.services.lambda.model.ResourceNotFoundException: x", RequestError),
    (f"{LAMBDA} no such secret (Error Code: ResourceNotFoundException)", RequestError),
    (f"{LAMBDA} no such bucket (Service: Amazon S3; Error Code: NoSuchBucket)", RequestError),
    (f"{LAMBDA} expired (Service: DynamoDb; Error Code: ExpiredTokenException)", RequestError),
    (f"{LAMBDA} no schema x (Error Code: EntityNotFoundException)", NotFoundError),
    ("Table throttled_calls of timeout_audit is odd " + V2.format("Glue", 400), RequestError),
    ("Throttled. Was throttling; connection timeout", ThrottledError),
]


@pytest.mark.parametrize(("text", "kind"), WRAPPED)
@pytest.mark.parametrize(
    "code", ["MetadataException", "FederationSourceException", "CodeOfNextYearException"]
)
async def test_a_wrapped_error_is_what_its_words_say(
    code: str, text: str, kind: type[KadaAthenaError]
) -> None:
    """Version 2 of Amazon's SDK names no code, and codes are added: the words are known."""
    body = {
        "__type": code,
        "Message": f"GENERIC_USER_ERROR: Encountered an exception due to: {text}",
    }
    assert type(await error_of(body)) is kind


async def test_a_throttle_of_a_source_is_told_from_one_of_aws() -> None:
    """The connector of one catalog that is throttled does not slow the others."""
    wrapped = {"__type": "MetadataException", "Message": "Rate exceeded (Service: CloudWatch)"}
    own = {"__type": "ThrottlingException", "Message": "Rate exceeded"}
    found = [await error_of(body) for body in (wrapped, own)]
    assert [e.is_of_source for e in found if isinstance(e, ThrottledError)] == [True, False]


ROLE = "arn:aws:sts::123456789012:assumed-role/kada/m.delacroix@example.com"
NOT = f"User: {ROLE} is not authorized to perform: glue:GetTables on resource: x"
ALLOWS = "policy allows the glue:GetTables action"
LAKE = "Insufficient Lake Formation permission(s): Required"
ORGANIZATION = "administrators of the AWS organization"

REFUSALS = [
    (f"{NOT} because no identity-based {ALLOWS}", "", "allow glue:GetTables to the role or user"),
    (f"{NOT} with an explicit deny in a service control policy", "control policy", ORGANIZATION),
    (f"{NOT} because no service control {ALLOWS}", "service control policy", ORGANIZATION),
    (f"{NOT} with an explicit deny in a resource control policy", "resource control", "that owns"),
    (f"{NOT} because no VPC endpoint {ALLOWS}", "VPC endpoint policy", "of the VPC endpoint"),
    (f"{NOT} because no permissions boundary allows x", "permissions boundary", "boundary of"),
    (f"{NOT} because no session {ALLOWS}", "session policy", "without a policy of its own"),
    (f"{NOT} because no resource-based {ALLOWS}", "resource-based policy", "owner of the resource"),
    (f"{NOT} with an explicit deny in an identity-based policy", "explicit deny", "of the deny"),
    (f"{LAKE} Describe on sales", "Lake Formation", "grant DESCRIBE on sales in"),
    (
        f"{LAKE} DESCRIBE on sales.orders",
        "Lake Formation",
        "grant DESCRIBE on sales.orders in Lake",
    ),
    (
        f"{NOT.replace('kada', 'vpce-policy')} on resource: arn:aws:glue:us-east-1:1:database/"
        f"lakeformation_audit because no identity-based {ALLOWS}",
        "",
        "allow glue:GetTables to the role or user of the run",
    ),
    (
        "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
        "S3",
        "s3:GetObject",
    ),
    (
        f"{LAMBDA} not authorized to perform: dynamodb:ListTables on resource: x",
        "connector's Lambda function",
        "role of the connector's Lambda function",
    ),
    (
        f"{LAMBDA} not authorized to perform: lambda:InvokeFunction on resource: x",
        "",
        "allow lambda:InvokeFunction to the role or user of the run",
    ),
    ("Workgroup w is enabled for IAM Identity Center", "Identity Center", "exclude_workgroups"),
    (
        f"User: {ROLE} is not authorized to perform: kms:Decrypt on x",
        "KMS",
        "kms:Decrypt on the key",
    ),
]


@pytest.mark.parametrize(("text", "by", "hint"), REFUSALS)
async def test_who_refused_and_what_helps_is_told(text: str, by: str, hint: str) -> None:
    """The message has the refuser and its own words, the hint what helps; nobody's name."""
    for body in (
        {"__type": "AccessDeniedException", "Message": text},
        {"__type": "MetadataException", "Message": f"{text} (Service: Glue, Status Code: 400)"},
    ):
        error = await error_of(body, operation="glue:GetTables")
        assert isinstance(error, AccessDeniedError)
        assert by in error.message
        assert hint in error.hint
        assert "delacroix" not in str(error)
        if by:
            assert text[-30:] in error.message


async def test_a_status_without_an_error_of_aws_is_named_as_such() -> None:
    """A proxy's 403 is no missing right; it is asked again, and its page is not told."""
    error = await error_of(b"<html>blocked by s3cr3t</html>", status=403)
    assert isinstance(error, UnavailableError)
    assert error.attempts == FOREIGN_ATTEMPTS
    assert error.message == "athena:ListTableMetadata: HTTP status 403 without an error of AWS"
    assert "check the proxy" in error.hint
    assert type(await error_of(b"<html>", status=502)) is UnavailableError


async def test_a_denial_without_a_code_is_known_by_its_words() -> None:
    """As a VPC endpoint answers it; and as AWS's front end does, in XML."""
    words = "User: x is not authorized to perform: athena:X with an explicit deny in a VPC endpoint"
    xml = b"<AccessDeniedException>\n <Message>odd</Message>\n</AccessDeniedException>"
    nested = b"<?xml version='1.0'?><ErrorResponse><Error><Code>Throttling</Code>"
    assert isinstance(await error_of({"Message": words}, status=403), AccessDeniedError)
    assert isinstance(await error_of(xml, status=403), AccessDeniedError)
    assert isinstance(await error_of(nested), ThrottledError)
    assert isinstance(await error_of({"message": "Forbidden"}, status=403), UnavailableError)


async def test_an_error_that_comes_with_the_status_of_success_is_that_error() -> None:
    """It is throttled, and asked again for as long as throttles last."""
    response = {
        "status_code": 200,
        "headers": {},
        "body": b'{"__type": "aws.x#ThrottlingException", "message": "Rate exceeded"}',
        "context": {"operation_name": "ListQueryExecutions"},
    }
    with pytest.raises(ClientError) as caught:
        await JsonAnswerParser().parse(response, None)

    error = map_error(caught.value, operation="athena:ListQueryExecutions", scope="")
    assert isinstance(error, ThrottledError)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-amz-retry-after": "1500"}, 1.5),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "999999"}, 20.0),
        ({"x-amz-retry-after": "9" * 400}, 0.0),
        ({"retry-after": "²"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
async def test_a_wait_that_is_junk_is_none(headers: dict[str, str], wait_s: float) -> None:
    """The service may ask for a wait of up to 20 s; what is no number ends no run."""
    error = await error_of({"__type": "ThrottlingException"}, headers)
    assert isinstance(error, ThrottledError)
    assert error.retry_after_s == wait_s


async def test_a_clock_and_a_region_have_remedies_of_their_own() -> None:
    """The hint says what to do, not to renew keys that are right."""
    clock = await error_of({"__type": "RequestTimeTooSkewed"})
    region = await error_of({"__type": "OptInRequired"})
    assert "set the clock" in clock.hint
    assert "enable the service and the Region" in region.hint


@pytest.mark.parametrize("code", [None, 5, {}, "", "#", ":"])
def test_what_is_no_code_is_none(code: object) -> None:
    """A type that is null, a number or a structure names nothing."""
    assert bare_code(code) == ""


@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda code: code[0].lower() + code[1:]])
async def test_a_code_in_another_case_is_the_code(spell: Callable[[str], str]) -> None:
    """In the body, in the header and inside the text of a wrapper."""
    for code, error_type in (
        ("ThrottlingException", ThrottledError),
        ("AccessDeniedException", AccessDeniedError),
        ("ExpiredTokenException", CredentialsError),
        ("EntityNotFoundException", NotFoundError),
    ):
        spelt = spell(code)
        wrapped = f"no answer (Service: AmazonDataCatalog; Error Code: {spelt}; Request ID: 1)"
        in_header = {"x-amzn-errortype": f"{spelt}:http://internal.amazon.com/"}
        assert bare_code(f"com.amazon#{spelt}") == code
        assert type(await error_of({"__type": spelt})) is error_type
        assert type(await error_of({}, headers=in_header)) is error_type
        assert type(await error_of({"__type": spell("MetadataException"), "Message": wrapped})) is (
            error_type
        )
