"""Access: signatures, sessions, policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Estate
from tests.sandbox_server.support import (
    NOW,
    Client,
    ClientMaker,
    connect_to,
    error_of,
    make_estate,
    run_query,
    session_keys,
)

FORGED = "InvalidSignatureException"
DEFAULT = {"CatalogName": "AwsDataCatalog"}


@pytest.fixture
def seed(estate: Estate) -> Iterator[Sandbox]:
    """A sandbox whose collector has the documented policy."""
    with Sandbox(estate, policy="seed", now=lambda: NOW) as running:
        running.create_bucket("own")
        yield running


@pytest.mark.parametrize(
    ("service", "name", "given", "unknown", "forged"),
    [
        ("athena", "list_work_groups", {}, "UnrecognizedClientException", FORGED),
        ("glue", "get_databases", {}, "UnrecognizedClientException", FORGED),
        ("s3", "list_objects_v2", {"Bucket": "own"}, "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        ("sts", "get_caller_identity", {}, "InvalidClientTokenId", FORGED),
    ],
)
def test_wrong_keys_are_refused(
    connect: ClientMaker, service: str, name: str, given: dict[str, Any], unknown: str, forged: str
) -> None:
    """An unknown key and a wrong secret have each service's own codes."""
    stranger = connect(service, aws_access_key_id="AKIASTRANGER")
    forger = connect(service, aws_secret_access_key="wrong")

    assert error_of(getattr(stranger, name), **given)[0] == unknown
    assert error_of(getattr(forger, name), **given)[0] == forged


@pytest.mark.parametrize("key", ["plain", "a b/é=1+2&c", "x//y/../z", "%2F~*'()"])
def test_awkward_keys_of_objects_pass_the_signature(s3: Client, key: str) -> None:
    """Whatever the name, what was put is what is got."""
    s3.put_object(Bucket="own", Key=key, Body=b"hello")

    assert s3.get_object(Bucket="own", Key=key, Range="bytes=1-2")["Body"].read() == b"el"
    assert s3.head_object(Bucket="own", Key=key)["ContentLength"] == 5
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="own")["Contents"]] == [key]


@pytest.mark.parametrize(("skew_min", "is_refused"), [(-20, True), (-10, False), (20, True)])
def test_a_skewed_clock_is_refused_if_wanted(
    estate: Estate, skew_min: int, is_refused: bool
) -> None:
    """More than 15 minutes off is too much; the check is a knob, as most tests have own clocks."""
    skew = timedelta(minutes=skew_min)
    with Sandbox(estate, now=lambda: datetime.now(timezone.utc) + skew) as sandbox:
        athena, s3 = connect_to(sandbox, "athena"), connect_to(sandbox, "s3")
        athena.list_work_groups()
        sandbox.behaviour.checks_clock = True

        if is_refused:
            assert error_of(athena.list_work_groups)[0] == "InvalidSignatureException"
            assert error_of(s3.list_buckets)[0] == "RequestTimeTooSkewed"
        else:
            athena.list_work_groups()


def test_the_collector_may_assume_its_role(sandbox: Sandbox, connect: ClientMaker) -> None:
    """The session is the role's, and works for each service."""
    credentials = connect("sts").assume_role(
        RoleArn=sandbox.role_arn, RoleSessionName="run", DurationSeconds=900
    )["Credentials"]

    keys = session_keys(credentials)

    arn = connect("sts", **keys).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{sandbox.account_id}:assumed-role/KadaAthenaRole/run"
    assert credentials["Expiration"] == NOW + timedelta(seconds=900)
    assert connect("athena", **keys).list_work_groups()["WorkGroups"]
    assert connect("s3", **keys).list_objects_v2(Bucket="own")["KeyCount"] == 0
    del keys["aws_session_token"]
    code, _ = error_of(connect("athena", **keys).list_work_groups)
    assert code == "UnrecognizedClientException"


def test_an_ended_session_is_refused(sandbox: Sandbox, connect: ClientMaker) -> None:
    """JSON services and S3 each have their code for it."""
    credentials = connect("sts").assume_role(RoleArn=sandbox.role_arn, RoleSessionName="run")
    keys = session_keys(credentials["Credentials"])

    assert sandbox.expire_sessions() == 1

    assert error_of(connect("athena", **keys).list_work_groups)[0] == "ExpiredTokenException"
    assert error_of(connect("s3", **keys).get_object, Bucket="own", Key="x")[0] == "ExpiredToken"


def test_a_role_says_who_may_assume_it_and_how_long(sandbox: Sandbox, connect: ClientMaker) -> None:
    """External id, trust, duration and chaining are checked."""
    sts = connect("sts")
    arn = sandbox.add_role("guarded", external_id="secret", max_session_s=3600)
    closed = sandbox.add_role("closed", trusted=("arn:aws:iam::999999999999:root",))
    request = {"RoleArn": arn, "RoleSessionName": "run"}

    assert error_of(sts.assume_role, **request)[0] == "AccessDenied"
    assert error_of(sts.assume_role, **{**request, "RoleArn": closed})[0] == "AccessDenied"
    assert error_of(sts.assume_role, **{**request, "RoleArn": arn + "x"})[0] == "AccessDenied"
    request["ExternalId"] = "secret"
    assert error_of(sts.assume_role, **request, DurationSeconds=7200)[0] == "ValidationError"
    keys = session_keys(sts.assume_role(**request)["Credentials"])
    chained = connect("sts", **keys)
    again = {"RoleArn": sandbox.role_arn, "RoleSessionName": "run", "DurationSeconds": 3601}
    assert error_of(chained.assume_role, **again)[0] == "ValidationError"


GRANTED: list[tuple[str, str, dict[str, Any]]] = [
    ("athena", "list_work_groups", {}),
    ("athena", "list_query_executions", {"WorkGroup": "off"}),
    ("athena", "list_data_catalogs", {}),
    ("athena", "list_databases", DEFAULT),
    ("athena", "list_databases", {"CatalogName": "dynamo"}),
    ("athena", "list_table_metadata", {**DEFAULT, "DatabaseName": "s"}),
    ("glue", "get_databases", {}),
    ("glue", "get_database", {"Name": "s"}),
    ("glue", "get_tables", {"DatabaseName": "s"}),
    ("glue", "get_table", {"DatabaseName": "s", "Name": "v"}),
    ("glue", "get_partitions", {"DatabaseName": "s", "TableName": "t000"}),
    ("sts", "get_caller_identity", {}),
]
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("athena", "get_work_group", {"WorkGroup": "primary"}),
    ("athena", "get_data_catalog", {"Name": "dynamo"}),
    ("athena", "get_database", {**DEFAULT, "DatabaseName": "s"}),
    ("athena", "get_table_metadata", {**DEFAULT, "DatabaseName": "s", "TableName": "v"}),
    ("athena", "stop_query_execution", {"QueryExecutionId": str(UUID(int=1))}),
    ("glue", "get_table_versions", {"DatabaseName": "s", "TableName": "v"}),
]


@pytest.mark.parametrize("as_role", [False, True])
def test_the_documented_policy_grants_what_it_names_and_nothing_else(
    seed: Sandbox, as_role: bool
) -> None:
    """Both for the user and for the role that it assumes."""
    keys: dict[str, Any] = {}
    if as_role:
        sts = connect_to(seed, "sts")
        session = sts.assume_role(RoleArn=seed.role_arn, RoleSessionName="run")
        keys = session_keys(session["Credentials"])

    for service, name, given in GRANTED:
        getattr(connect_to(seed, service, **keys), name)(**given)

    for service, name, given in REFUSED:
        code, message = error_of(getattr(connect_to(seed, service, **keys), name), **given)

        action = "".join(word.title() for word in name.split("_"))
        assert code == "AccessDeniedException", name
        assert message.startswith(f"You are not authorized to perform: {service}:{action}")


def test_the_documented_policy_runs_queries_into_its_bucket_only(seed: Sandbox) -> None:
    """Results go to the named bucket; a query for another one is not taken."""
    athena = connect_to(seed, "athena")
    s3 = connect_to(seed, "s3")
    location = f"s3://{seed.results_bucket}/x"

    execution = run_query(athena, "SELECT 1", location=location)

    query_id = execution["QueryExecutionId"]
    assert athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    assert s3.list_objects_v2(Bucket=seed.results_bucket)["KeyCount"] == 2
    s3.delete_object(Bucket=seed.results_bucket, Key=f"x/{query_id}.csv")
    elsewhere = {"OutputLocation": "s3://own/x"}
    code, message = error_of(
        athena.start_query_execution, QueryString="SELECT 1", ResultConfiguration=elsewhere
    )
    assert (code, message) == (
        "InvalidRequestException",
        "Unable to verify/create output bucket own",
    )
    assert error_of(s3.get_object, Bucket="own", Key="x")[0] == "AccessDenied"
    assert error_of(s3.create_bucket, Bucket="another")[0] == "AccessDenied"


@pytest.mark.parametrize("named", [False, True])
def test_sql_on_a_registered_catalog_needs_a_right_of_its_own(seed: Sandbox, named: bool) -> None:
    """GetDataCatalog is not in the documented policy, so only the metadata API can read it."""
    athena = connect_to(seed, "athena")
    query = 'SELECT * FROM "dynamo".information_schema.tables' if named else "SELECT 1"
    context = {"Catalog": "AwsDataCatalog" if named else "dynamo"}

    code, message = error_of(
        athena.start_query_execution,
        QueryString=query,
        QueryExecutionContext=context,
        ResultConfiguration={"OutputLocation": f"s3://{seed.results_bucket}/x"},
    )

    assert (code, "athena:GetDataCatalog" in message) == ("AccessDeniedException", True)


def test_rights_end_at_their_resources(sandbox: Sandbox, connect: ClientMaker) -> None:
    """A workgroup, a catalog or a database that the policy does not name is refused."""
    arn = f"arn:aws:athena:{sandbox.region}:{sandbox.account_id}"
    glue_arn = f"arn:aws:glue:{sandbox.region}:{sandbox.account_id}"
    user = sandbox.add_user(
        "narrow",
        policy={
            "Statement": [
                {"Effect": "Allow", "Action": "athena:*Query*", "Resource": f"{arn}:workgroup/off"},
                {"Effect": "Allow", "Action": "athena:List*", "Resource": f"{arn}:datacatalog/*"},
                {
                    "Effect": "Allow",
                    "Action": "glue:Get*",
                    "Resource": [f"{glue_arn}:catalog", f"{glue_arn}:database/empty*"],
                },
            ]
        },
    )
    keys = {"aws_access_key_id": user.access_key_id, "aws_secret_access_key": user.secret}
    athena = connect("athena", **keys)
    mine, other = (str(e) for e in _ids_of(sandbox, "off", "primary"))

    batch = athena.batch_get_query_execution(QueryExecutionIds=[mine, other])

    assert athena.list_query_executions(WorkGroup="off")["QueryExecutionIds"]
    assert error_of(athena.list_query_executions)[0] == "AccessDeniedException"
    assert [e["QueryExecutionId"] for e in batch["QueryExecutions"]] == [mine]
    unprocessed = batch["UnprocessedQueryExecutionIds"]
    assert [(u["QueryExecutionId"], u["ErrorCode"]) for u in unprocessed] == [
        (other, "AccessDeniedException")
    ]
    assert error_of(athena.get_query_execution, QueryExecutionId=other)[0] == (
        "AccessDeniedException"
    )
    code, message = error_of(athena.list_databases, **DEFAULT)
    assert (code, "Error Code: AccessDeniedException" in message) == ("MetadataException", True)
    assert "glue:GetDatabases" in message
    assert athena.list_databases(CatalogName="dynamo")["DatabaseList"]
    glue = connect("glue", **keys)
    assert glue.get_database(Name="empty000")["Database"]
    assert error_of(glue.get_database, Name="s")[0] == "AccessDeniedException"


def test_sql_needs_the_rights_of_glue(sandbox: Sandbox, connect: ClientMaker) -> None:
    """Without them a statement on the catalog fails, and one on nothing does not."""
    user = sandbox.add_user(
        "blind",
        policy={"Statement": {"Effect": "Allow", "NotAction": "glue:*", "Resource": "*"}},
    )
    athena = connect(
        "athena", aws_access_key_id=user.access_key_id, aws_secret_access_key=user.secret
    )

    blind = run_query(athena, "SELECT * FROM information_schema.tables")["Status"]

    assert (blind["State"], blind["AthenaError"]["ErrorType"]) == ("FAILED", 1501)
    assert run_query(athena, "SELECT 1")["Status"]["State"] == "SUCCEEDED"


def test_accounts_are_apart(sandbox: Sandbox, connect: ClientMaker) -> None:
    """Another account has its own estate, bucket and role; the base user assumes it."""
    other = make_estate()
    other.account_id = "999999999999"
    del other.catalogs["dynamo"]
    handle = sandbox.add_account("999999999999", sandbox.region, other, policy="seed")
    session = connect("sts").assume_role(RoleArn=handle.role_arn, RoleSessionName="run")
    theirs = connect("athena", **session_keys(session["Credentials"]))

    catalogs = [c["CatalogName"] for c in theirs.list_data_catalogs()["DataCatalogsSummary"]]
    execution = run_query(theirs, "SELECT 1", location=f"s3://{handle.results_bucket}/x")

    assert catalogs == ["AwsDataCatalog"]
    assert execution["Status"]["State"] == "SUCCEEDED"
    assert len(connect("athena").list_data_catalogs()["DataCatalogsSummary"]) == 2
    assert error_of(theirs.get_work_group, WorkGroup="primary")[0] == "AccessDeniedException"


def _ids_of(sandbox: Sandbox, *workgroups: str) -> list[str]:
    executions = sandbox.estate.executions.values()
    return [
        next(e.query_execution_id for e in executions if e.workgroup == workgroup)
        for workgroup in workgroups
    ]


@pytest.mark.parametrize(
    ("service", "method", "path", "code"),
    [
        ("athena", "POST", "/", "InvalidSignatureException"),
        ("s3", "PUT", "/own/k", "XAmzContentSHA256Mismatch"),
    ],
)
def test_a_body_changed_on_the_way_is_refused(
    sandbox: Sandbox, service: str, method: str, path: str, code: str
) -> None:
    """The signature covers the body, directly or by its declared hash."""
    signer = {"athena": SigV4Auth, "s3": S3SigV4Auth}[service]
    url = urlsplit(sandbox.endpoint_url)
    request = AWSRequest(method, f"{sandbox.endpoint_url}{path}", data=b'{"WorkGroup": "primary"}')
    request.headers["X-Amz-Target"] = "AmazonAthena.ListQueryExecutions"
    if service == "s3":
        del request.headers["X-Amz-Target"]

    keys = Credentials(sandbox.access_key_id, sandbox.secret_access_key)
    signer(keys, service, sandbox.region).add_auth(request)
    replies = []
    for body in (request.data, request.data.replace(b"primary", b"private")):
        connection = HTTPConnection(str(url.hostname), url.port, timeout=60)
        connection.request(method, path, body, dict(request.headers.items()))
        reply = connection.getresponse()
        replies.append((reply.status, reply.read().decode()))
        connection.close()

    assert replies[0][0] == 200
    assert replies[1][0] >= 400
    assert code in replies[1][1]
