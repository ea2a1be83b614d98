"""
The names of connection string options, against what PyMongo takes.
"""

from __future__ import annotations

from pymongo.common import URI_OPTIONS_VALIDATOR_MAP

from warmline.facts.uri_options import URI_OPTIONS


def test_a_name_differs_from_all_others_by_more_than_its_case() -> None:
    assert len({name.lower() for name in URI_OPTIONS}) == len(URI_OPTIONS)


# What PyMongo takes for itself, or from drafts of the specification.
OF_PYMONGO = {
    "connect",
    "datetime_conversion",
    "driver",
    "enableoverloadretargeting",
    "fsync",
    "maxadaptiveretries",
    "server_api",
    "srvallowedhostssuffix",
    "tlscrlfile",
    "tz_aware",
    "unicode_decode_error_handler",
    "uuidrepresentation",
    "waitqueuemultiple",
}


def test_pymongo_knows_no_common_option_that_is_missing_here() -> None:
    assert set(URI_OPTIONS_VALIDATOR_MAP) - OF_PYMONGO <= {name.lower() for name in URI_OPTIONS}
