"""Places outside this machine's output directory: where extracts are pushed and HWMs are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from kada_athena_async.config import rules
from kada_athena_async.config.endpoint import shown_url
from kada_athena_async.config.secrets import SecretField, SecretReference, known_only

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
_KMS_KEY = re.compile(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?((key/)?[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})"
)

# Also of the sovereign clouds: <account>.blob.core.chinacloudapi.cn.
_BLOB_HOST = re.compile(r"([a-z0-9]{3,24})\.blob\.([a-z0-9.-]+)")
_PUBLIC_CLOUD = "core.windows.net"

_FORMS = (
    "write file:///directory, s3://bucket/prefix or "
    "https://<account>.blob.core.windows.net/<container>/<prefix>?<SAS token>; or an object with "
    "path, with bucket, or with account"
)
_REMEDIES = {
    "missing": "is required",
    "extra_forbidden": "is no such key; remove it",
    "string_type": "must be a string, in quotes",
    "path_type": "must be a string, in quotes",
}
_CHOICES = {
    "acl": "write private, bucket-owner-read or bucket-owner-full-control, or leave it out",
    "sse": "write AES256, aws:kms or aws:kms:dsse, or leave it out",
}


# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_account = rules.of_form(
    re.compile(r"[a-z0-9]{3,24}"),
    "write the storage account's name: 3 to 24 lower-case letters and digits",
)
_container = rules.of_form(
    re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"),
    "write the container's name: 3 to 63 lower-case letters, digits, hyphens",
)
_kms_key = rules.of_form(_KMS_KEY, "write a KMS key's id, its ARN, or an alias ARN", or_empty=True)


def _bucket(value: str) -> str:
    if "/" in value:
        raise ValueError("write the bucket's name alone, the rest of the path as prefix")

    rules.bucket_url(f"s3://{value}")
    return value


def _prefix(value: str) -> str:
    rules.bucket_url(f"s3://any-bucket/{value.strip('/')}")
    if any(part in (".", "..") for part in value.split("/")):
        raise ValueError("must not hold . or .. as a part")

    return value.strip("/")


def _sas_token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value().strip().removeprefix("?")
    if "sig" not in parse_qs(token):
        raise ValueError("write the whole SAS token; it holds sig=")

    return SecretStr(token)


# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl: those that
# open an object to others than owners are left out.
CannedAcl = Literal["", "private", "bucket-owner-read", "bucket-owner-full-control"]
ServerSideEncryption = Literal["", "AES256", "aws:kms", "aws:kms:dsse"]
Prefix = Annotated[str, AfterValidator(_prefix)]
Endpoint = Annotated[str, AfterValidator(rules.endpoint)] | None


class _Place(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        defer_build=True,  # most configurations name no place
    )


class LocalPlace(_Place):
    """A directory of this machine or of a mounted share."""

    path: Annotated[Path, BeforeValidator(rules.directory)] = Field(
        description="absolute directory", examples=["/mnt/landing"]
    )

    @property
    def url(self) -> str:
        """The place in one line, without secrets."""
        return self.path.as_uri()


class S3Place(_Place):
    """A prefix in a bucket, in an account that may be another than Athena's."""

    bucket: Annotated[str, AfterValidator(_bucket)] = Field(
        description="the bucket's name; K: storage_root_folder", examples=["kada-landing"]
    )
    prefix: Prefix = Field("", description="path in it", examples=["lz/athena/landing"])
    region: Annotated[str, AfterValidator(lambda value: value and rules.region(value))] = Field(
        "", description="the bucket's region; K: storage_aws_region; empty: Athena's"
    )
    key: SecretField = Field(SecretStr(""), description="access key id for the bucket")
    secret: SecretField = Field(SecretStr(""), description="secret access key that belongs to key")
    role: Annotated[str, AfterValidator(rules.role_arn)] = Field(
        "", description="role to assume for the bucket; without key, role and profile the run's own"
    )
    external_id: Annotated[str, AfterValidator(rules.external_id)] = ""
    profile: str = ""
    endpoint_url: Endpoint = None
    acl: CannedAcl = Field(
        "",
        description="canned ACL of what is stored (x-amz-acl), where the bucket's policy asks for "
        "one; empty: none is sent",
        examples=["bucket-owner-full-control"],
    )
    sse: ServerSideEncryption = Field(
        "",
        description="server-side encryption of what is stored (x-amz-server-side-encryption); "
        "empty: the bucket's default",
        examples=["aws:kms"],
    )
    sse_kms_key_id: Annotated[str, AfterValidator(_kms_key)] = Field(
        "",
        description="KMS key: id, ARN or alias ARN (x-amz-server-side-encryption-aws-kms-key-id); "
        "needs sse aws:kms or aws:kms:dsse; empty: the account's own key for S3",
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> S3Place:
        if bool(self.key.get_secret_value()) != bool(self.secret.get_secret_value()):
            raise ValueError("key and secret belong together; fill both or none")

        if self.key.get_secret_value() and self.profile:
            raise ValueError("key and profile are both given; keep one")

        if self.external_id and not self.role:
            raise ValueError("external_id needs role")

        if self.sse_kms_key_id and not self.sse.startswith("aws:kms"):
            raise ValueError("sse_kms_key_id needs sse: write aws:kms or aws:kms:dsse there")

        return self

    @property
    def put_parameters(self) -> dict[str, str]:
        """Parameters of PutObject and CreateMultipartUpload, as the SDK names them."""
        given = {
            "ACL": self.acl,
            "ServerSideEncryption": self.sse,
            "SSEKMSKeyId": self.sse_kms_key_id,
        }
        return {name: value for name, value in given.items() if value}

    @property
    def url(self) -> str:
        """The place in one line, without secrets."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


class AzurePlace(_Place):
    """A prefix in a container of a storage account, opened by a SAS token."""

    account: Annotated[str, AfterValidator(_account)] = Field(
        description="the account's name; K: storage_azure_storage_account", examples=["kadalanding"]
    )
    container: Annotated[str, AfterValidator(_container)] = Field(examples=["landing"])
    prefix: Prefix = Field("", description="path in it", examples=["lz/athena/landing"])
    sas_token: Annotated[SecretField, known_only(_sas_token)] = Field(
        description="SAS token with the rights read, create and write"
    )
    endpoint_url: Endpoint = None

    @property
    def account_url(self) -> str:
        """URL of the storage account."""
        return self.endpoint_url or f"https://{self.account}.blob.{_PUBLIC_CLOUD}"

    @property
    def url(self) -> str:
        """The place in one line, without secrets."""
        return f"{self.account_url}/{self.container}/{self.prefix}".rstrip("/")


Place: TypeAlias = LocalPlace | S3Place | AzurePlace


def parse_place(value: object) -> object:
    """The place that *value* (a URL, or an object of the configuration file) names.

    None and a place come back as they are.

    Raises:
        ValueError: With the remedy, which quotes no value: it may be a secret.
    """
    if isinstance(value, str):
        value = _fields_of(value)

    if value is None or isinstance(value, _Place):
        return value

    if not isinstance(value, Mapping):
        raise ValueError(_FORMS)

    kinds: dict[str, type[_Place]] = {
        "path": LocalPlace,
        "bucket": S3Place,
        "account": AzurePlace,
    }
    wanted = [kind for key, kind in kinds.items() if key in value]
    if len(wanted) != 1:
        raise ValueError(_FORMS)

    try:
        return wanted[0].model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    # Raised outside the handler, so that no traceback shows what pydantic saw.
    raise ValueError("; ".join(_remedy(detail) for detail in map(dict, details)))


def _fields_of(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.scheme == "file" and not parts.netloc:
        return {"path": path}

    if parts.scheme == "s3":
        return {"bucket": parts.netloc, "prefix": path}

    host = _BLOB_HOST.fullmatch(parts.netloc)
    if parts.scheme == "https" and host:
        container, _, prefix = path.strip("/").partition("/")
        fields = {
            "account": host[1],
            "container": container,
            "prefix": prefix,
            "sas_token": parts.query,
        }
        if host[2] != _PUBLIC_CLOUD:
            fields["endpoint_url"] = f"https://{parts.netloc}"

        return dict(fields)

    raise ValueError(_FORMS)


def _remedy(detail: Mapping[str, object]) -> str:
    location = detail.get("loc")
    key = ".".join(str(part) for part in location) if isinstance(location, tuple) else ""
    if not re.fullmatch(r"[a-z_.]*", key):
        key = ascii(key[:40])

    if (choice := _CHOICES.get(key)) is not None:
        return f"{key}: {choice}"

    if (remedy := _REMEDIES.get(str(detail["type"]))) is not None:
        return f"{key} {remedy}"

    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def shown_place(value: object) -> str:
    """A place as it was written, without secrets, for a message."""
    if isinstance(value, str):
        # A bare token is no URL, and so is an object whose JSON has a mistake.
        is_plain = "://" in value[:16] or re.fullmatch(r"[a-z_-]{0,20}", value)
        return shown_url(value) if is_plain else "(hidden)"

    if isinstance(value, Mapping):
        keys = ", ".join(ascii(str(key)[:40]) for key in list(value)[:12])
        return f"(an object with {keys or 'nothing in it'})"

    return kind_of(value)


def kind_of(value: object) -> str:
    """The kind of *value* in JSON's words, such as ``(a list)``, where it must not be shown."""
    match value:
        case bool():
            return "(true or false)"
        case None:
            return "(null)"
        case str():
            return "(a text)"
        case int() | float():
            return "(a number)"
        case Mapping():
            return "(an object)"
        case _:
            return "(a list)"


def place_secrets(place: object) -> tuple[str, ...]:
    """Every secret value that a place holds, for redaction."""
    if isinstance(place, S3Place):
        given = [s for s in (place.key, place.secret) if not isinstance(s, SecretReference)]
        return tuple(filter(None, (secret.get_secret_value() for secret in given)))

    if isinstance(place, AzurePlace) and not isinstance(place.sas_token, SecretReference):
        token = place.sas_token.get_secret_value()
        return (token, *parse_qs(token)["sig"])

    return ()


def plain_place(place: object) -> object:
    """A place as the plain values that it can be written with, its secrets among them."""
    if not isinstance(place, _Place):
        return place

    return {
        name: plain_value(value)
        for name in type(place).model_fields
        if (value := getattr(place, name)) not in (None, "")
    }


def plain_value(value: object) -> object:
    """A field's value as it can be written in a configuration, a secret in the open."""
    if isinstance(value, SecretReference):
        return {value.kind: value.name}

    if isinstance(value, SecretStr):
        return value.get_secret_value()

    return str(value) if isinstance(value, Path) else value


LandingField = Annotated[
    Place,
    BeforeValidator(parse_place, json_schema_input_type=str | LocalPlace | S3Place | AzurePlace),
]
"""Type of the field ``landing``."""

HwmStoreField: TypeAlias = LandingField | Literal["landing"]
"""Type of the field ``hwm_store``: a place, or the landing's own."""
