"""AWS operation of a request, its resource, and the rights that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import msgspec

from kada_athena_async.sandbox.wire import AwsError, Json, Request

# X-Amz-Target prefixes of the JSON services (botocore's service models, metadata.targetPrefix).
TARGETS: Mapping[str, str] = {
    "AmazonAthena": "athena",
    "AWSGlue": "glue",
    "AmazonSSM": "ssm",
    "secretsmanager": "secretsmanager",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
}

# Resource types of Athena's actions (Service Authorization Reference, Amazon Athena); an action
# that is in neither has no resource type: its resource is "*".
WORKGROUP_ACTIONS = frozenset({"ListQueryExecutions", "StartQueryExecution", "GetWorkGroup"})
CATALOG_ACTIONS = frozenset(
    {"ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata", "GetDataCatalog"}
)
# Actions whose workgroup is known only once the execution is: checked where it is looked up.
EXECUTION_ACTIONS = frozenset(
    {"GetQueryExecution", "BatchGetQueryExecution", "GetQueryResults", "StopQueryExecution"}
)

# Members that a request may carry, and the fact that each states.
_FACTS: Mapping[str, str] = {
    "WorkGroup": "workgroup",
    "CatalogName": "catalog",
    "DatabaseName": "schema",
    "TableName": "table",
    "QueryExecutionId": "query_execution_id",
    "QueryString": "query",
    "RoleArn": "role",
}

# S3 subresources, by method, and the action that they need (Service Authorization Reference, S3).
_S3_ACTIONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", "location"): ("GetBucketLocation", "s3:GetBucketLocation"),
    ("GET", "uploads"): ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("GET", "uploadId"): ("ListParts", "s3:ListMultipartUploadParts"),
    ("POST", "uploads"): ("CreateMultipartUpload", "s3:PutObject"),
    ("POST", "uploadId"): ("CompleteMultipartUpload", "s3:PutObject"),
    ("PUT", "uploadId"): ("UploadPart", "s3:PutObject"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", "s3:AbortMultipartUpload"),
    ("POST", "delete"): ("DeleteObjects", "s3:DeleteObject"),
    ("PUT", "publicAccessBlock"): ("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
}
_S3_OBJECT: Mapping[str, tuple[str, str]] = {
    "GET": ("GetObject", "s3:GetObject"),
    "HEAD": ("HeadObject", "s3:GetObject"),
    "PUT": ("PutObject", "s3:PutObject"),
    "DELETE": ("DeleteObject", "s3:DeleteObject"),
}
_S3_BUCKET: Mapping[str, tuple[str, str]] = {
    "GET": ("ListObjectsV2", "s3:ListBucket"),
    "HEAD": ("HeadBucket", "s3:ListBucket"),
    "PUT": ("CreateBucket", "s3:CreateBucket"),
    "DELETE": ("DeleteBucket", "s3:DeleteBucket"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The operation that a request asks for.

    Attributes:
        action: The IAM action, where it is not the operation's own name.
        parameters: A JSON request's members.
        form: A query-protocol request's members.
    """

    service: str
    name: str
    action: str
    parameters: Json = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.service}:{self.name}"


def identify(request: Request, signed_service: str) -> Operation:
    """The operation that *request* asks for.

    Raises:
        AwsError: It asks for none that can be read.
    """
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, name = target.rpartition(".")
        service = TARGETS.get(prefix)
        if service is None:
            raise AwsError("UnknownOperationException", f"the sandbox has no {target}")

        return _json_operation(request, service, name)

    if signed_service == "lakeformation":
        return _json_operation(request, signed_service, request.path.lstrip("/"))

    if signed_service == "s3":
        return _s3_operation(request)

    form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    name = form.get("Action", "")
    return Operation(
        service=signed_service,
        name=name,
        action=f"{signed_service}:{name}",
        form=form,
        facts=_facts_of(form),
    )


def resources(operation: Operation, account_id: str, region: str) -> list[str]:
    """The ARNs on each of which the caller needs the operation's action; empty: checked later."""
    if operation.service == "s3":
        bucket, key = operation.facts.get("bucket"), operation.facts.get("key")
        if not bucket:
            return ["*"]

        return [f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"]

    prefix = f"arn:aws:{operation.service}:{region}:{account_id}"
    if operation.service == "glue":
        return _glue_resources(operation, prefix)

    if operation.service != "athena" or operation.name in EXECUTION_ACTIONS:
        # STS looks after itself: GetCallerIdentity needs no right, AssumeRole a role's trust too.
        return [] if operation.service in ("athena", "sts") else ["*"]

    if operation.name in WORKGROUP_ACTIONS:
        return [f"{prefix}:workgroup/{operation.facts.get('workgroup') or 'primary'}"]

    if operation.name in CATALOG_ACTIONS:
        name = operation.facts.get("catalog") or operation.parameters.get("Name") or "*"
        return [f"{prefix}:datacatalog/{name}"]

    return ["*"]


def _glue_resources(operation: Operation, prefix: str) -> list[str]:
    """Glue needs the right on every ancestor too (AWS Glue Developer Guide, resource ARNs)."""
    is_table = "Table" in operation.name or "Partition" in operation.name
    name = str(operation.parameters.get("Name") or "*")
    database = operation.facts.get("schema") or ("*" if is_table else name)
    if operation.name == "GetCatalogs":
        return [f"{prefix}:catalog"]

    arns = [f"{prefix}:catalog", f"{prefix}:database/{database}"]
    if is_table:
        table = operation.facts.get("table") or name
        arns.append(f"{prefix}:table/{database}/{table}")

    return arns


def _json_operation(request: Request, service: str, name: str) -> Operation:
    try:
        parameters = msgspec.json.decode(request.body or b"{}", type=dict[str, object])
    except msgspec.DecodeError as error:
        raise AwsError("SerializationException", str(error)) from error

    facts = _facts_of(parameters)
    if service == "glue" and "Name" in parameters:
        facts.setdefault("schema" if "Database" in name else "table", str(parameters["Name"]))

    return Operation(
        service=service,
        name=name,
        action=f"{service}:{name}",
        parameters=parameters,
        facts=facts,
    )


def _facts_of(parameters: Mapping[str, object]) -> dict[str, str]:
    facts = {
        fact: value
        for member, fact in _FACTS.items()
        if isinstance(value := parameters.get(member), str)
    }
    context = parameters.get("QueryExecutionContext")
    if isinstance(context, Mapping):
        facts["catalog"] = str(context.get("Catalog") or "AwsDataCatalog")

    return facts


def _s3_operation(request: Request) -> Operation:
    path = unquote(request.path).lstrip("/")
    bucket, _, key = path.partition("/")
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if not bucket:
        return Operation(service="s3", name="ListBuckets", action="s3:ListAllMyBuckets")

    by_method = _S3_OBJECT if key else _S3_BUCKET
    name, action = next(
        (
            _S3_ACTIONS[request.method, subresource]
            for subresource in query
            if (request.method, subresource) in _S3_ACTIONS
        ),
        by_method.get(request.method, ("Unknown", "s3:*")),
    )

    facts = {"bucket": bucket, "key": key}
    # DeleteObjects names its keys in the body: the right is asked for all objects of the bucket.
    if name == "DeleteObjects":
        facts["key"] = "*"

    return Operation(service="s3", name=name, action=action, facts=facts)
