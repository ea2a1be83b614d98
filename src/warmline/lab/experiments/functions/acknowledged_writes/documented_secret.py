"""
The same with a connection string that is a secret, which is read once when the environment starts.
"""

from __future__ import annotations

import os
from typing import Any

import boto3
from numbered import insert
from pymongo import MongoClient

secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET_NAME"])
client: MongoClient[dict[str, Any]] = MongoClient(host=secret["SecretString"])


def lambda_handler(event: dict[str, Any], context: Any) -> None:
    insert(client["shop"][event["collection"]], event["numbers"], context)
