"""
unified-access: Atlas's own access to AWS.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="unified-access",
    title="Set up unified AWS access where Atlas itself uses AWS",
    why=(
        "Unified access lets Atlas assume a role in your account, for data federation or encryption keys. "
        "Logging in to the database with MONGODB-AWS goes the other way round and does not need it. "
        "The external id in the role's trust policy keeps Atlas "
        "from using the role on another customer's behalf."
    ),
    sources=(sources.ATLAS_UNIFIED_ACCESS, sources.ATLAS_LAMBDA, sources.AWS_EXTERNAL_ID),
    runtime=DoesNotApply(
        "It lets Atlas assume a role in your account; a function that logs in to the database has no part in it."
    ),
    rules=DoesNotApply("Set up in Atlas and in IAM, once; a database login by a role does not need it."),
    experiment=DoesNotApply("No database operation depends on it."),
    page=Filled(("docs/practices/unified-access.md",)),
)
