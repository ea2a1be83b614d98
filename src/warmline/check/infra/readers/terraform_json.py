"""
What ``terraform show -json`` prints of a plan or of the state: all values that are known before a deployment.
"""

from __future__ import annotations

from ..reader import Reader
from ..terraform.read import read_shown

READER = Reader(
    name="terraform show -json",
    kinds=("terraform",),
    suffixes=(".json",),
    mentions=(b'"terraform_version"',),
    comment="",
    read=read_shown,
)
