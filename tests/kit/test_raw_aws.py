"""The server whose answers a test writes does what its docstrings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import ClientError

from kada_athena_async import Extractor
from kada_athena_async.sandbox.server import Broken
from tests.conftest import FastClock
from tests.kit.raw_aws import RawAws


async def ask(aws: RawAws, service: str, operation: str, **parameters: Any) -> Any:
    """One call by the SDK alone, without retries."""
    made = AioSession().create_client(
        service,
        region_name=aws.sandbox.region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=aws.sandbox.access_key_id,
        aws_secret_access_key=aws.sandbox.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    async with made as client:
        return await getattr(client, operation)(**parameters)


async def test_what_no_test_wrote_is_the_sandboxs_own_answer(
    aws: RawAws, tmp_path: Path, fast_clock: FastClock
) -> None:
    """A whole run through it, S3 and STS included, commits as one against the sandbox does."""
    fields = {"catalogs": ["*"], "metadata_source": "auto", "results": "s3", "quota_share": 1.0}
    made = Extractor(
        clock=fast_clock, hwm_path=tmp_path / "hwm.txt", **aws.config(tmp_path / "out", **fields)
    )
    async with made as extractor:
        report = await extractor.run()

    assert report.committed, report.failed
    assert sum(aws.calls.values()) == sum(aws.sandbox.calls.values())
    assert aws.calls["glue:GetTables"] > 0 < aws.calls["*"]


async def test_an_answer_is_sent_byte_for_byte_by_call_number(aws: RawAws) -> None:
    """The second call alone gets the body, status and headers that the test wrote."""
    rule = aws.answer("athena:ListWorkGroups", b'{"WorkGroups": [ ]}', calls=(2,))
    sizes = [len((await ask(aws, "athena", "list_work_groups"))["WorkGroups"]) for _ in range(3)]
    assert sizes[0] == sizes[2] > sizes[1] == 0
    assert (rule.matched, rule.answered) == (3, 1)


async def test_an_error_may_stand_in_a_header_alone(aws: RawAws) -> None:
    """Headers are sent as written, so what only a header says reaches the client."""
    aws.answer(
        "athena:ListWorkGroups",
        b"{}",
        status=400,
        headers=[("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/")],
    )
    with pytest.raises(ClientError) as caught:
        await ask(aws, "athena", "list_work_groups")

    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-errortype"].startswith("ThrottlingException")


async def test_a_rule_asks_for_members_of_the_request(aws: RawAws) -> None:
    """Only the schema that the rule names is refused."""
    aws.error("glue:GetTables", "AccessDeniedException", "no", where={"DatabaseName": "sales"})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await ask(aws, "glue", "get_tables", DatabaseName="sales")

    others = [d["Name"] for d in (await ask(aws, "glue", "get_databases"))["DatabaseList"]]
    for name in set(others) - {"sales"}:
        await ask(aws, "glue", "get_tables", DatabaseName=name)


async def test_the_sandboxs_answer_can_be_edited(aws: RawAws) -> None:
    """A change sees the whole JSON; the length of the body follows it."""

    def note(page: dict[str, Any]) -> None:
        page["WorkGroups"] = [{"Name": "edited", "State": "ENABLED"}]

    aws.alter("athena:ListWorkGroups", note)
    groups = (await ask(aws, "athena", "list_work_groups"))["WorkGroups"]
    assert [group["Name"] for group in groups] == ["edited"]


async def test_a_connection_can_be_broken(aws: RawAws) -> None:
    """A rule may break the connection in place of an answer."""
    aws.respond("athena:ListWorkGroups", lambda _request, _forward: Broken(), calls=(1,))
    with pytest.raises(Exception, match=r"(?i)connection|disconnected"):
        await ask(aws, "athena", "list_work_groups")

    assert (await ask(aws, "athena", "list_work_groups"))["WorkGroups"]
