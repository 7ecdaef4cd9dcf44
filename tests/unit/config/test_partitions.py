"""A role of another partition than the region's is a contradiction before any call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.loaders import Loader

from kada_athena_async.config import make_config
from kada_athena_async.config.region import partition_of
from kada_athena_async.errors import ConfigError

FIELDS: dict[str, object] = {
    "server": "athena",
    "bucket": "s3://my-bucket/x",
    "output_path": "/tmp/x",
}


def regions() -> Iterator[tuple[str, str]]:
    """Each region that the SDK knows, with its partition."""
    for partition in Loader().load_data("partitions")["partitions"]:
        for region in partition["regions"]:
            if not region.endswith("-global"):
                yield region, partition["id"]


def test_each_region_lies_in_its_partition() -> None:
    """As the SDK's own table has it, isolated regions included."""
    assert {region: partition_of(region) for region, _ in regions()} == dict(regions())
    assert len({partition for _, partition in regions()}) >= 8


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws", "cn-north-1"),
        ("aws-cn", "us-east-1"),
        ("aws", "us-gov-west-1"),
        ("aws-us-gov", "eu-west-1"),
        ("aws-iso", "us-isob-east-1"),
        ("aws-iso-b", "us-iso-east-1"),
        ("aws", "eusc-de-east-1"),
    ],
)
def test_a_role_of_another_partition_is_refused(partition: str, region: str) -> None:
    """The message names both, and how the role begins."""
    role = f"arn:{partition}:iam::123456789012:role/Kada"

    with pytest.raises(ConfigError) as caught:
        make_config({**FIELDS, "region": region, "role": role})

    (problem,) = caught.value.problems
    assert problem.key == "role"
    assert f"region {region} lies in the partition {partition_of(region)}" in problem.remedy
    assert f"arn:{partition_of(region)}:" in problem.remedy


def test_a_role_of_the_same_partition_is_taken() -> None:
    """In each partition."""
    for region, partition in regions():
        role = f"arn:{partition}:iam::123456789012:role/Kada"
        assert make_config({**FIELDS, "region": region, "role": role}).role == role


def test_the_landing_s_role_is_held_to_its_own_region() -> None:
    """The landing may lie in another partition than Athena, with a role of that one."""
    landing = {"bucket": "landing", "region": "cn-north-1"}
    fields = {**FIELDS, "region": "us-east-1"}
    right = "arn:aws-cn:iam::123456789012:role/Kada"
    assert make_config({**fields, "landing": {**landing, "role": right}}).landing is not None

    wrong = "arn:aws:iam::123456789012:role/Kada"
    with pytest.raises(ConfigError, match=r"landing = .* lies in the partition aws-cn"):
        make_config({**fields, "landing": {**landing, "role": wrong}})
