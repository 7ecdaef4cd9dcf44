"""Places: what may be written for them, what is refused, and that no secret is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from kada_athena_async.config.landing import (
    AzurePlace,
    HwmStoreField,
    LandingField,
    LocalPlace,
    S3Place,
    parse_place,
    place_secrets,
    plain_place,
    shown_place,
)

SAS = "sv=2026-10-06&se=2027-01-01T00%3A00%3A00Z&sr=c&sp=rcw&sig=s3cr3t%2Bsignature%3D"
AZURE_URL = f"https://kadalanding.blob.core.windows.net/landing/lz/athena/?{SAS}"


class Both(BaseModel):
    """The two fields as the configuration has them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    landing: LandingField | None = None
    hwm_store: Annotated[HwmStoreField | None, "field"] = None


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("file:///mnt/landing", LocalPlace(path=Path("/mnt/landing"))),
        ({"path": "/mnt/landing"}, LocalPlace(path=Path("/mnt/landing"))),
        ("s3://kada-landing", S3Place(bucket="kada-landing")),
        ("s3://kada-landing/lz/athena/", S3Place(bucket="kada-landing", prefix="lz/athena")),
        (
            {"bucket": "kada-landing", "region": "eu-west-1", "key": "k", "secret": "s"},
            S3Place(bucket="kada-landing", region="eu-west-1", key="k", secret="s"),
        ),
        (
            AZURE_URL,
            AzurePlace(
                account="kadalanding", container="landing", prefix="lz/athena", sas_token=SAS
            ),
        ),
        (
            {
                "account": "kadalanding",
                "container": "landing",
                "prefix": "/lz/athena",
                "sas_token": f"?{SAS}",
            },
            AzurePlace(
                account="kadalanding", container="landing", prefix="lz/athena", sas_token=SAS
            ),
        ),
    ],
)
def test_a_place_can_be_written_as_url_or_object(written: object, place: object) -> None:
    """Both mean the same, with slashes and question marks where people leave them."""
    found = Both(landing=written, hwm_store=written)

    assert found.landing == found.hwm_store == place
    assert Both(landing=found.landing).landing == place


def test_a_place_has_a_url_without_secrets() -> None:
    """Its name in messages and journals."""
    urls = [parse_place(u).url for u in ("file:///mnt/l", "s3://kada-landing/lz", AZURE_URL)]  # type: ignore[attr-defined]

    assert urls == [
        "file:///mnt/l",
        "s3://kada-landing/lz",
        "https://kadalanding.blob.core.windows.net/landing/lz/athena",
    ]


def test_other_azure_clouds_are_reached() -> None:
    """The host of the URL is where the account answers."""
    place = parse_place(f"https://acc.blob.core.chinacloudapi.cn/c0ntainer?{SAS}")

    assert isinstance(place, AzurePlace)
    assert place.account_url == "https://acc.blob.core.chinacloudapi.cn"


def test_the_mark_may_be_kept_in_the_landing() -> None:
    """The vendor's option, by one word."""
    assert Both(hwm_store="landing").hwm_store == "landing"


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("ftp://host/path", "write file:///directory, s3://bucket/prefix or https://"),
        ("https://example.com/x?sig=s3cr3t", "write file:///directory"),
        ("file://host/path", "write file:///directory"),
        ("s3://", "bucket: the bucket's name has 3 to 63"),
        ({"bucket": "kada-landing/lz"}, "bucket: write the bucket's name alone"),
        ("s3://Bad_Bucket/x", "bucket: the bucket's name"),
        ("s3://kada-landing/a/../b", "prefix: must not hold"),
        ("https://kadalanding.blob.core.windows.net/landing/lz", "sas_token: write the whole SAS"),
        (f"https://kadalanding.blob.core.windows.net/?{SAS}", "container: write the container's"),
        ({"path": "relative"}, "path: write an absolute directory"),
        ({}, "write file:///directory"),
        ({"bucket": "kada-landing", "account": "kadalanding"}, "write file:///directory"),
        ({"bucket": "kada-landing", "sercet": "s3cr3t"}, "sercet is no such key; remove it"),
        ({"bucket": "kada-landing", "key": "k"}, "key and secret belong together"),
        (
            {"bucket": "kada-landing", "key": "k", "secret": "s3cr3t", "profile": "p"},
            "key and profile are both given",
        ),
        ({"bucket": "kada-landing", "region": "Sydney"}, "region: write the code of an AWS region"),
        ({"bucket": "kada-landing", "external_id": "of-k"}, "external_id needs role"),
        ({"bucket": 3}, "bucket must be a string"),
        ({"bucket": "kada-landing", "endpoint_url": "http://10.0.0.1"}, "plain http is for loop"),
        ({"account": "kadalanding", "sas_token": SAS}, "container is required"),
        ({"account": "kadalanding", "container": "landing", "sas_token": "s3cr3t"}, "sas_token"),
        ({"account": "Kada", "container": "landing", "sas_token": SAS}, "account: write the"),
        (
            {"bucket": "x", "region": "Sydney", "key": "k"},
            r"bucket: .*; region: ",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_remedy(written: object, remedy: str) -> None:
    """Every problem is named by its key, and no value that may be a secret is quoted."""
    with pytest.raises(ValidationError) as caught:
        Both(landing=written)

    detail = caught.value.errors(include_url=False)[0]
    assert detail["loc"][0] == "landing"
    assert re.search(remedy, detail["msg"]), detail["msg"]
    assert "s3cr3t" not in detail["msg"]
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in shown_place(written)


def test_secrets_are_hidden_and_known() -> None:
    """Neither repr nor str shows them; who hides them elsewhere is told them, in all forms."""
    s3 = S3Place(bucket="kada-landing", key="AKIAEXAMPLE", secret="s3cr3t")
    azure = parse_place(AZURE_URL)

    shown = f"{s3!r}{s3}{azure!r}{azure}{shown_place(AZURE_URL)}"
    assert "s3cr3t" not in shown
    assert "AKIA" not in shown
    assert place_secrets(s3) == ("AKIAEXAMPLE", "s3cr3t")
    assert place_secrets(azure) == (SAS, "s3cr3t+signature=")
    assert place_secrets(None) == place_secrets("landing") == ()


@pytest.mark.parametrize(
    "place",
    [
        LocalPlace(path=Path("/mnt/l")),
        S3Place(bucket="kada-landing", key="k", secret="s3cr3t", region="eu-west-1"),
        parse_place(AZURE_URL),
        None,
        "landing",
    ],
)
def test_a_place_can_be_written_out_and_read_again(place: object) -> None:
    """Secrets and all: the vendor's wrapper hands the fields of a file on."""
    written = json.loads(json.dumps(plain_place(place)))

    assert Both(hwm_store=written).hwm_store == place


def test_the_schema_tells_both_ways_to_write_it() -> None:
    """An editor that checks the file accepts a URL and an object."""
    kinds = Both.model_json_schema()["properties"]["landing"]["anyOf"]

    assert {"type": "string"} in kinds
    assert len([kind for kind in kinds if "$ref" in kind]) == 3


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"acl": "public-read"},
            "acl: write private, bucket-owner-read or bucket-owner-full-control",
        ),
        ({"sse": "kms"}, "sse: write AES256, aws:kms or aws:kms:dsse"),
        ({"sse_kms_key_id": "alias/k"}, "sse_kms_key_id needs sse: write aws:kms or aws:kms:dsse"),
        ({"sse": "AES256", "sse_kms_key_id": "alias/k"}, "sse_kms_key_id needs sse"),
        ({"sse": "aws:kms", "sse_kms_key_id": "a key"}, "sse_kms_key_id: write a KMS key's id"),
    ],
)
def test_what_goes_with_each_file_is_checked(fields: dict[str, str], told: str) -> None:
    """ACL and encryption of a landing in S3, before anything is called."""
    with pytest.raises(ValidationError, match=re.escape(told)):
        Both(landing={"bucket": "kada-landing", **fields})


def test_what_goes_with_each_file_has_the_sdks_names() -> None:
    """As PutObject and CreateMultipartUpload take it; what is not asked for is not sent."""
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    place = S3Place(
        bucket="kada-landing", acl="bucket-owner-full-control", sse="aws:kms", sse_kms_key_id=key
    )

    assert S3Place(bucket="kada-landing").put_parameters == {}
    assert place.put_parameters == {
        "ACL": "bucket-owner-full-control",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": key,
    }
