"""The configuration: each field, its type, its default and what it means."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from kada_athena_async.choices import (
    HistorySourceName,
    MetadataSourceName,
    OnError,
    ResultSource,
    UserSourceName,
)
from kada_athena_async.config import rules
from kada_athena_async.config.contradictions import RETENTION_DAYS, contradictions
from kada_athena_async.config.landing import HwmStoreField, LandingField, Place
from kada_athena_async.config.secrets import SecretField, SecretReference, known_only

Texts: TypeAlias = tuple[str, ...]


class Config(BaseModel):
    """Configuration of an extraction: its source, its content, its identity, its pace.

    A value of this class is usable as it stands: every rule and contradiction was checked. It is
    frozen, and its secrets are hidden in ``repr``. Make one with `load_config` or `make_config`,
    which raise ConfigError with all problems at once.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # What was found may be a secret, so pydantic's own messages never quote it.
        hide_input_in_errors=True,
        str_strip_whitespace=True,  # a blank copied along with a name, an ARN or a secret
        title="kada_athena_async configuration",
    )

    key: SecretField = Field(
        SecretStr(""),
        description="AWS access key id; with `secret` empty too, the default credential chain "
        "is used (environment, profile, SSO, web identity, instance role)",
        examples=[""],
    )
    secret: SecretField = Field(
        SecretStr(""), description="AWS secret access key that belongs to `key`", examples=[""]
    )
    server: Annotated[str, AfterValidator(rules.plain_text)] = Field(
        description="host onboarded in K; the first column of every extract",
        examples=["athena"],
    )
    bucket: Annotated[str, AfterValidator(rules.bucket_url)] = Field(
        "",
        description="where Athena puts the results of our queries, unless the workgroup keeps or "
        "places them itself; needed unless `metadata_source` is `api`",
        examples=["s3://examplebucket/examplefolder"],
    )
    catalogs: Annotated[Texts, AfterValidator(rules.names)] = Field(
        ("AwsDataCatalog",),
        description='catalogs to extract; `["*"]`: all that Athena and glue:GetCatalogs list',
        examples=[["AwsDataCatalog"]],
    )
    region: Annotated[str, AfterValidator(rules.region)] = Field(
        "",
        validate_default=True,
        description="AWS region of Athena; empty: that of AWS_REGION, AWS_DEFAULT_REGION or the "
        "profile",
        examples=["ap-southeast-2"],
    )
    role: Annotated[str, AfterValidator(rules.role_arn)] = Field(
        "",
        description="ARN of a role to assume; renewed before it expires",
        examples=["arn:aws:iam::123456789012:role/KadaAthenaRole"],
    )
    external_id: Annotated[str, AfterValidator(rules.external_id)] = Field(
        "", description="external id that the trust policy of `role` demands", examples=[""]
    )
    session_name: Annotated[str, AfterValidator(rules.session_name)] = Field(
        "kada-athena-async",
        description="name under which the assumed `role` appears in CloudTrail",
        examples=["kada-athena-async"],
    )
    profile: str = Field(
        "", description="profile of the AWS configuration files to use", examples=["production"]
    )
    output_path: Annotated[Path, BeforeValidator(rules.directory)] = Field(
        description="absolute directory for the extracts", examples=["/tmp/output"]
    )
    mask: StrictBool = Field(True, description="mask the literals of all SQL text", examples=[True])
    keep_s3_locations: StrictBool = Field(
        False,
        description="with `mask`: leave the S3 locations that statements name after LOCATION, TO "
        "or external_location, and show them in linkages and events",
        examples=[False],
    )
    include_failed_events: StrictBool = Field(
        False,
        description="events also of executions that failed or were cancelled, as far as their "
        "statements show; they have no linkages",
        examples=[False],
    )
    history_source: HistorySourceName = Field(
        "api",
        description="`api`: executions by ListQueryExecutions and BatchGetQueryExecution; "
        "`system_table`: by SQL from Athena's system table; `auto`: from the system table where "
        "it is on, readable and reaches back far enough, else by the API",
        examples=["api"],
    )
    attribute_users: UserSourceName = Field(
        "off",
        description="find out who ran each query; `cloudtrail`: and with which tool, in "
        "CloudTrail's event history; `system_table`: in Athena's system table; `auto`: in "
        "CloudTrail if that is allowed, else in the system table; what is missing is reported, "
        "never fatal",
        examples=["off"],
    )
    hash_users: StrictBool = Field(
        False,
        description="replace persons by pseudonyms, made with `hash_key`, in all extracts",
        examples=[False],
    )
    hash_key: Annotated[SecretField, known_only(rules.hash_key)] = Field(
        SecretStr(""),
        description="secret that makes the pseudonyms of `hash_users`, 16 characters or more, "
        "best kept in KADA_ATHENA_HASH_KEY; with another key everybody has another pseudonym",
        examples=[""],
    )
    usd_per_tb: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = Field(
        None,
        description="Athena's price of a terabyte (2^40 bytes) scanned, in US dollars; null: the "
        "Region's list price where it is known here, else that of us-east-1",
        examples=[5.0],
    )
    usd_per_dpu_hour: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = (
        Field(
            None,
            description="Athena's price of a DPU hour of capacity reservations, in US dollars; "
            "null: as for `usd_per_tb`",
            examples=[0.3],
        )
    )
    lake_formation_tags: StrictBool = Field(
        False,
        description="extract the LF-tags of databases, tables and columns; without the rights the "
        "run goes on and says so",
        examples=[False],
    )
    compress: StrictBool = Field(True, description="gzip the extracts", examples=[True])
    workgroup: Annotated[str, AfterValidator(rules.workgroup)] = Field(
        "primary", description="workgroup in which our own queries run", examples=["primary"]
    )
    workgroups: Annotated[Texts, AfterValidator(rules.some_patterns)] = Field(
        ("*",),
        description="glob patterns of the workgroups whose history is read",
        examples=[["*"]],
    )
    exclude_workgroups: Annotated[Texts, AfterValidator(rules.patterns)] = Field(
        (), description="glob patterns of workgroups left out", examples=[["sandbox-*"]]
    )
    include_schemas: Annotated[Texts, AfterValidator(rules.some_schema_patterns)] = Field(
        ("*",),
        description="glob patterns `catalog.schema` of what is extracted",
        examples=[["AwsDataCatalog.*"]],
    )
    exclude_schemas: Annotated[Texts, AfterValidator(rules.schema_patterns)] = Field(
        (),
        description="glob patterns `catalog.schema` of what is left out",
        examples=[["*.tmp_*"]],
    )
    metadata_source: MetadataSourceName = Field(
        "auto",
        description="`sql`: information_schema only; `api`: ListTableMetadata and Glue only, no "
        "query; `auto`: SQL with the API's details joined to it, each replaces the other",
        examples=["auto"],
    )
    results: ResultSource = Field(
        "auto",
        description="`api`: results by GetQueryResults; `s3`: the result object; `auto`: small "
        "ones by GetQueryResults, large ones from S3 where that is allowed",
        examples=["auto"],
    )
    max_concurrent_queries: Annotated[StrictInt, Field(ge=1, le=1000)] = Field(
        20,
        description="our own active queries at most; fewer when Athena refuses more",
        examples=[20],
    )
    quota_share: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(
        0.8,
        description="part of AWS's published per-account rates that we allow ourselves",
        examples=[0.8],
    )
    on_error: OnError = Field(
        "fail",
        description="`skip`: a catalog or workgroup that is denied or broken is reported and "
        "left out, the run still commits",
        examples=["fail"],
    )
    initial_lookback_days: Annotated[StrictInt, Field(ge=1, le=3650)] = Field(
        RETENTION_DAYS,
        description="window of the first run; Athena keeps 45 days, its system table may keep more",
        examples=[RETENTION_DAYS],
    )
    settle_seconds: Annotated[StrictInt, Field(ge=0, le=86_400)] = Field(
        60, description="how far behind now the window ends", examples=[60]
    )
    resume_hours: Annotated[float, Field(strict=True, ge=0, le=1080)] = Field(
        12, description="an interrupted run younger than this is continued", examples=[12]
    )
    landing: LandingField | None = Field(
        None,
        description="where the extracts are pushed before the high-water mark "
        "moves: a URL or an object",
        examples=[None],
    )
    keep_delivered_days: Annotated[StrictInt, Field(ge=0, le=36_500)] = Field(
        0,
        description="remove extracts here this many days after their delivery; 0 keeps all",
        examples=[0],
    )
    hwm_store: HwmStoreField | None = Field(
        None,
        description="where the high-water mark is kept: a URL or an object, or `landing`; "
        "null: a file here, see `--hwm-path`",
        examples=[None],
    )
    on_finish: Annotated[Texts, AfterValidator(rules.command)] = Field(
        (),
        description="command that is started after each run with its summary as JSON on stdin; "
        "one that fails is only warned of",
        examples=[["/usr/local/bin/notify"]],
    )
    on_finish_url: Annotated[SecretField, known_only(rules.webhook)] = Field(
        SecretStr(""),
        description="URL that receives the same JSON by POST; https, or http on this machine",
        examples=[""],
    )
    endpoint_url: Annotated[str, AfterValidator(rules.endpoint)] | None = Field(
        None,
        description="a local AWS emulator; the standard AWS_ENDPOINT_URL variables work too; "
        "plain http to loopback only",
        examples=["http://127.0.0.1:4566"],
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Config:
        found = contradictions({name: getattr(self, name) for name in type(self).model_fields})
        if found:
            raise PydanticCustomError("contradiction", "{text}", {"text": found[0].remedy})

        return self


SECRET_FIELDS = frozenset(
    name
    for model in (Config, *get_args(Place))
    for name, field in model.model_fields.items()
    if field.annotation is SecretStr
)
"""The names of the fields that hold a secret, in a configuration or in a place."""

PLACE_FIELDS = ("landing", "hwm_store")
"""The fields that hold a place, which may hold secrets."""

DIGESTED = frozenset(
    {
        "server",
        "catalogs",
        "region",
        "role",
        "profile",
        "mask",
        "keep_s3_locations",
        "include_failed_events",
        "history_source",
        "attribute_users",
        "hash_users",
        "lake_formation_tags",
        "compress",
        "workgroups",
        "exclude_workgroups",
        "include_schemas",
        "exclude_schemas",
        "metadata_source",
        "endpoint_url",
    }
)
"""The fields that change what an extract holds, none of them secret."""


def config_digest(config: Config) -> str:
    """SHA-256 of what changes the extracts: equal for two configurations that may share a run."""
    facts = config.model_dump(mode="json", include=set(DIGESTED))
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def references_of(config: Config) -> dict[str, SecretReference]:
    """Field -> reference, for the secrets that AWS holds; of a place ``landing.sas_token``."""
    places = {f"{name}.": getattr(config, name) for name in PLACE_FIELDS}
    return {
        f"{prefix}{name}": value
        for prefix, model in {"": config, **places}.items()
        for name in (type(model).model_fields if isinstance(model, BaseModel) else ())
        if isinstance(value := getattr(model, name), SecretReference)
    }
