"""Permissions on the landing and on the store of the HWM, and to assume a role. Pure."""

from __future__ import annotations

from kada_athena_async.config import Config
from kada_athena_async.permissions.permission import Permission, Target
from kada_athena_async.permissions.requirements import (
    Requirements,
    assumed_roles,
    principal_of,
)

_NOT_DELIVERED = "nothing is delivered; the run ends with exit code 4"


def landing_permissions(needs: Requirements) -> list[Permission]:
    place = needs.place("landing")
    if place is None:
        return []

    bucket, objects, has_marks = Target.LANDING_BUCKET, Target.LANDING, needs.keeps_marks_in_landing
    # fmt: off
    rows = [
        ("s3:PutObject", objects, "deliver the extracts", _NOT_DELIVERED, True),
        ("s3:GetObject", objects, "see what was delivered already, and confirm it",
         "files may be sent that are there already, and the high-water mark cannot be kept there",
         has_marks),
        ("s3:ListBucket", bucket, "distinguish a missing object from a denied one",
         "a missing object looks like a denied one", has_marks),
        ("s3:AbortMultipartUpload", objects, "give up a half-sent file",
         "parts of files that failed stay in the bucket, unseen, and cost money", False),
        ("s3:ListBucketMultipartUploads", bucket, "find half-sent files of a run that was killed",
         "parts that a killed run left stay in the bucket, unseen, and cost money", False),
    ]
    # fmt: on
    # S3 asks for these with each file that is written.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, "Permissions"
    key = Target.LANDING_KEY
    if place.acl:
        rows.append(("s3:PutObjectAcl", objects, "send acl with each file", _NOT_DELIVERED, True))

    if place.sse_kms_key_id:
        rows += [
            ("kms:GenerateDataKey", key, "encrypt each file", _NOT_DELIVERED, True),
            ("kms:Decrypt", key, "send a large file in parts", _NOT_DELIVERED, True),
        ]

    principal = principal_of(place, "landing")
    return [Permission(*row, principal) for row in rows]


def hwm_permissions(needs: Requirements) -> list[Permission]:
    place = needs.place("hwm_store")
    if place is None:
        return []

    lost = "the high-water mark cannot be kept there; the run does not start"
    looking = "distinguish a first run from a denied high-water mark"
    rows = (
        ("s3:GetObject", Target.MARKS, "read the high-water mark", lost),
        ("s3:PutObject", Target.MARKS, "move the high-water mark", lost),
        ("s3:ListBucket", Target.MARKS_BUCKET, looking, lost),
    )
    principal = principal_of(place, "hwm_store")
    return [Permission(*row, principal=principal) for row in rows]


def assume_permissions(config: Config) -> list[Permission]:
    if not assumed_roles(config):
        return []

    return [
        Permission(
            "sts:AssumeRole",
            Target.ROLES,
            "become the role",
            "nothing works as the role",
            principal="caller" if config.role else "run",
        )
    ]
