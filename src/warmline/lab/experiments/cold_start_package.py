"""
What is deployed in the experiment cold-start: a package with MongoDB's driver, and one with warmline.
"""

from __future__ import annotations

import compileall
import shutil
import ssl
from dataclasses import dataclass
from pathlib import Path

import warmline
from warmline.runtime import trust

from ..aws.package import make_package
from ..errors import UnusableFunction
from ..names.zone import LAB_DOMAIN

_FUNCTIONS = Path(__file__).with_name("functions") / "cold_start"

_DRIVER = ("pymongo", "bson", "dns")

# What Lambda brings with it.
_RUNTIME = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")

# pymongo-auth-aws and what it needs, which is AWS's SDK.
_AWS = ("pymongo_auth_aws", "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


@dataclass(frozen=True, slots=True)
class Packages:
    """
    The packages, the runtime's folder, and a file with the system's root certificates and the lab's: so many ``roots``.
    """

    documented: Path
    warmline: Path
    runtime: Path
    system_roots: Path
    roots: int


def make_packages(directory: Path, authority: Path) -> Packages:
    """
    Make them below the directory.

    The lab's servers have certificates of the lab's own authority, for names that are not Atlas's. So that both stores
    hold for them, the authority is added to the system's as to warmline's few roots, and the copy of warmline in its
    package takes the lab's domain for Atlas's. Nothing else of it is changed.
    """
    documented = make_package(directory / "documented", (*_DRIVER, *_AWS))
    ours = make_package(directory / "with-warmline", _DRIVER)
    for package in (documented, ours):
        for handler in _FUNCTIONS.glob("*.py"):
            shutil.copy(handler, package)
    _copy_warmline(ours / "warmline", authority)
    for package in (documented, ours):
        # Links to what is installed are not followed into the folders: that is compiled already.
        compileall.compile_dir(package, quiet=2)
    system_roots = directory / "system-roots.pem"
    text = _system_roots() + authority.read_text()
    system_roots.write_text(text)
    runtime = make_package(directory / "runtime", _RUNTIME)
    return Packages(documented, ours, runtime, system_roots, text.count("BEGIN CERTIFICATE"))


def _copy_warmline(target: Path, authority: Path) -> None:
    source = Path(warmline.__file__).parent
    target.mkdir()
    shutil.copy(source / "__init__.py", target)
    shutil.copytree(source / "runtime", target / "runtime", ignore=shutil.ignore_patterns("__pycache__"))
    with (target / "runtime" / Path(trust.ROOTS).name).open("a") as roots:
        roots.write(authority.read_text())
    module = target / "runtime" / "trust.py"
    text = module.read_text()
    assert text.count(f'"{trust.ATLAS}"') == 1, "trust.py names Atlas's domain once"  # noqa: S101
    module.write_text(text.replace(f'"{trust.ATLAS}"', f'".{LAB_DOMAIN}"'))


def _system_roots() -> str:
    path = ssl.get_default_verify_paths().cafile
    if path is None:
        raise UnusableFunction(
            "this machine has no file with root certificates, which MongoDB's example reads: "
            "apt-get install ca-certificates"
        )
    return Path(path).read_text()
