"""
iam-auth: the function's role instead of a password.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="iam-auth",
    title="Log in with the function's IAM role",
    why=(
        "With MONGODB-AWS the function's role is the database user, and "
        "neither code, URI nor environment variables hold a password. "
        "Atlas has STS check a signed request for every new connection, and "
        "STS takes 600 such requests per second in one account and region."
    ),
    sources=(sources.ATLAS_LAMBDA, sources.SPEC_AUTHENTICATION, sources.AWS_ROLES),
    runtime=Filled(("warmline.connect",)),
    rules=Filled(("WL161", "WL162", "WL163", "WL164", "WL165", "WL166", "WL167", "WL168")),
    experiment=Filled(("iam-auth", "cold-start")),
    page=Filled(("docs/practices/iam-auth.md",)),
)
