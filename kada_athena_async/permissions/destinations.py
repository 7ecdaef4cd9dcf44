"""Permissions on the landing and on the store of the HWM, and to assume a role. Pure."""

from __future__ import annotations

from kada_athena_async.config import Config
from kada_athena_async.config.landing import S3Place
from kada_athena_async.permissions.permission import Permission, Target
from kada_athena_async.permissions.requirements import (
    Principal,
    Requirements,
    assumed_roles,
    principal_of,
)


def landing_permissions(needs: Requirements) -> list[Permission]:
    place = needs.place("landing")
    if place is None:
        return []

    principal = principal_of(place, "landing")
    bucket, objects = Target.LANDING_BUCKET, Target.LANDING
    return [
        Permission(
            action="s3:PutObject",
            target=objects,
            used_for="deliver the extracts",
            lost="nothing is delivered; the run ends with exit code 4",
            principal=principal,
        ),
        Permission(
            action="s3:GetObject",
            target=objects,
            used_for="see what was delivered already, and confirm it",
            lost="files may be sent that are there already, and the high-water "
            "mark cannot be kept there",
            is_needed=needs.keeps_marks_in_landing,
            principal=principal,
        ),
        Permission(
            action="s3:ListBucket",
            target=bucket,
            used_for="distinguish a missing object from a denied one",
            lost="a missing object looks like a denied one",
            is_needed=needs.keeps_marks_in_landing,
            principal=principal,
        ),
        Permission(
            action="s3:AbortMultipartUpload",
            target=objects,
            used_for="give up a half-sent file",
            lost="parts of files that failed stay in the bucket, unseen, and cost money",
            is_needed=False,
            principal=principal,
        ),
        Permission(
            action="s3:ListBucketMultipartUploads",
            target=bucket,
            used_for="find half-sent files of a run that was killed",
            lost="parts that a killed run left stay in the bucket, unseen, and cost money",
            is_needed=False,
            principal=principal,
        ),
        *_header_permissions(place, principal),
    ]


def _header_permissions(place: S3Place, principal: Principal) -> list[Permission]:
    """For ``acl`` and ``sse_kms_key_id``: S3 asks for them with each file that is written.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, "Permissions"
    """
    rows = []
    if place.acl:
        rows.append(("s3:PutObjectAcl", Target.LANDING, "send acl with each file"))

    if place.sse_kms_key_id:
        rows.append(("kms:GenerateDataKey", Target.LANDING_KEY, "encrypt each file"))
        rows.append(("kms:Decrypt", Target.LANDING_KEY, "send a large file in parts"))

    lost = "nothing is delivered; the run ends with exit code 4"
    return [
        Permission(action=action, target=target, used_for=used_for, lost=lost, principal=principal)
        for action, target, used_for in rows
    ]


def hwm_permissions(needs: Requirements) -> list[Permission]:
    place = needs.place("hwm_store")
    if place is None:
        return []

    principal = principal_of(place, "hwm_store")
    lost = "the high-water mark cannot be kept there; the run does not start"
    rows = (
        ("s3:GetObject", Target.MARKS, "read the high-water mark"),
        ("s3:PutObject", Target.MARKS, "move the high-water mark"),
        (
            "s3:ListBucket",
            Target.MARKS_BUCKET,
            "distinguish a first run from a denied high-water mark",
        ),
    )
    return [
        Permission(action=action, target=target, used_for=used_for, lost=lost, principal=principal)
        for action, target, used_for in rows
    ]


def assume_permissions(config: Config) -> list[Permission]:
    if not assumed_roles(config):
        return []

    return [
        Permission(
            action="sts:AssumeRole",
            target=Target.ROLES,
            used_for="become the role",
            lost="nothing works as the role",
            principal="caller" if config.role else "run",
        )
    ]
