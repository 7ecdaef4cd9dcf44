"""S3 keeps objects as AWS does, as far as the extractor and its users need."""

from __future__ import annotations

from tests.sandbox_server.support import Client, error_of


def test_an_object_can_be_made_of_parts(s3: Client) -> None:
    """Multipart uploads are completed or given up."""
    part = b"x" * (5 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket="own", Key="big")["UploadId"]
    given_up = s3.create_multipart_upload(Bucket="own", Key="never")["UploadId"]
    tags = [
        s3.upload_part(Bucket="own", Key="big", UploadId=upload, PartNumber=n, Body=body)["ETag"]
        for n, body in ((1, part), (2, b"end"))
    ]
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, start=1)]

    s3.complete_multipart_upload(
        Bucket="own", Key="big", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    s3.abort_multipart_upload(Bucket="own", Key="never", UploadId=given_up)

    assert s3.get_object(Bucket="own", Key="big")["Body"].read() == part + b"end"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="own")["Contents"]] == ["big"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="own")


def test_writes_can_be_conditional(s3: Client) -> None:
    """A second writer of the same key is refused if it says so."""
    tag = s3.put_object(Bucket="own", Key="k", Body=b"1")["ETag"]

    assert error_of(s3.put_object, Bucket="own", Key="k", Body=b"2", IfNoneMatch="*")[0] == (
        "PreconditionFailed"
    )
    s3.put_object(Bucket="own", Key="k", Body=b"3", IfMatch=tag)
    assert error_of(s3.put_object, Bucket="own", Key="k", Body=b"4", IfMatch=tag)[0] == (
        "PreconditionFailed"
    )
    assert s3.get_object(Bucket="own", Key="k")["Body"].read() == b"3"


def test_a_missing_object_or_bucket_is_told_apart(s3: Client) -> None:
    """By code, also where HEAD gives no body."""
    assert error_of(s3.get_object, Bucket="own", Key="no")[0] == "NoSuchKey"
    assert error_of(s3.get_object, Bucket="no-such-bucket", Key="no")[0] == "NoSuchBucket"
    assert error_of(s3.head_object, Bucket="own", Key="no")[0] == "404"
    assert error_of(s3.head_bucket, Bucket="no-such-bucket")[0] == "404"


def test_several_objects_are_deleted_at_once(s3: Client) -> None:
    """And a list of them is paged."""
    for number in range(5):
        s3.put_object(Bucket="own", Key=f"p/{number}", Body=b"x")

    first = s3.list_objects_v2(Bucket="own", Prefix="p/", MaxKeys=2)
    s3.delete_objects(Bucket="own", Delete={"Objects": [{"Key": f"p/{n}"} for n in range(4)]})

    assert (first["KeyCount"], first["IsTruncated"]) == (2, True)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="own")["Contents"]] == ["p/4"]
