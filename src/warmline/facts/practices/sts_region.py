"""
sts-region: two environment variables that seldom matter.
"""

from __future__ import annotations

from warmline.facts import sources
from warmline.facts.places import DoesNotApply, Filled
from warmline.facts.practice import Practice

PRACTICE = Practice(
    id="sts-region",
    title="Know when the STS region variables matter",
    why=(
        "AWS_STS_REGIONAL_ENDPOINTS and AWS_REGION decide which STS host an AWS SDK asks for credentials. "
        "On Lambda AWS_REGION is set already and reserved, and the credentials are in the environment: "
        "the STS host that MONGODB-AWS signs for is named by the server, whatever the variables say."
    ),
    sources=(
        sources.ATLAS_LAMBDA,
        sources.AWS_STS_ENDPOINTS,
        sources.AWS_ENVIRONMENT_VARIABLES,
        sources.SPEC_AUTHENTICATION,
    ),
    runtime=DoesNotApply(
        "Lambda sets AWS_REGION itself, and with its credentials neither variable changes MONGODB-AWS."
    ),
    rules=Filled(("WL211", "WL212")),
    experiment=DoesNotApply("With Lambda's credentials the variables change nothing that could be measured."),
    page=Filled(("docs/practices/sts-region.md",)),
)
