from __future__ import annotations

import pytest

from warmline.runtime.advice import next_step


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("MONGODB-AWS found no credentials …: pip install 'warmline[aws]'", "role whose ARN is a database user"),
        ("MONGODB-AWS authentication requires pymongo-auth-aws: install …", "role whose ARN is a database user"),
        ("temporary MONGODB-AWS credentials … (pymongo-auth-aws version 1.3.0)", "role whose ARN is a database user"),
        ("bad auth : aws sts call has response 403, full error: {}", "check the AWS credentials"),
        ("bad auth : Authentication failed., full error: {}", "check that this database user exists"),
        ("MONGODB-AWS: no credentials from 127.0.0.1:1 (…): Connection refused", "check the variable"),
        ("MONGODB-AWS: no credentials from 127.0.0.1:1 (…): no answer in 2 s", "check the variable"),
        ("127.0.0.1:1: [Errno 111] Connection refused", "check host and port"),
        ("cluster0-shard-00-00.abcde.mongodb.net:27017: timed out", "check the way from the function's subnet"),
        ("pl-0-us-east-1.abcde.mongodb.net:1024: timed out (configured timeouts: …)", "the private endpoint's VPC"),
        ("pl-0-us-east-1.abcde.mongodb.net:1024: _ssl.c:983: The handshake operation timed out", "endpoint's VPC"),
        (
            "No replica set … <ServerDescription ('pl-0-x.y.net', 1024) server_type: Unknown, …>",
            "endpoint's VPC",
        ),
    ],
)
def test_the_next_step_fits_what_went_wrong(text: str, step: str) -> None:
    assert step in next_step(Exception(text))
