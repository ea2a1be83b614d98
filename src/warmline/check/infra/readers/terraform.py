"""
Terraform's HCL, its JSON form, and the values that variables are given.
"""

from __future__ import annotations

from ..facts import InfraFacts
from ..reader import Reader
from ..terraform.read import read_terraform


def read(path: str, data: bytes) -> InfraFacts | None:
    """
    Read one file, as if it were a module's only one.
    """
    return next(iter(read_terraform({path: data})), None)


READER = Reader(
    name="Terraform",
    kinds=("terraform",),
    suffixes=(".tf", ".tfvars", ".tf.json", ".tfvars.json"),
    # What a resource needs may stand in a file that names neither Lambda nor MongoDB.
    mentions=(b"=", b"{"),
    comment="#",
    read=read,
    together=read_terraform,
)
