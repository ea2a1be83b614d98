"""
The public documents that the practices' facts were read in, each once.
"""

from __future__ import annotations

from .practice import Source

_ATLAS = "https://www.mongodb.com/docs/atlas"
_AWS = "https://docs.aws.amazon.com"
_LAMBDA = f"{_AWS}/lambda/latest/dg"
_SPECIFICATIONS = "https://github.com/mongodb/specifications/blob/master/source"

# MongoDB's documentation.
ATLAS_LAMBDA = Source("MongoDB: Manage Connections with AWS Lambda", f"{_ATLAS}/manage-connections-aws-lambda/")
ATLAS_LIMITS = Source("MongoDB: Atlas Service Limits", f"{_ATLAS}/reference/atlas-limits/")
ATLAS_ACCESS_LIST = Source("MongoDB: IP access list", f"{_ATLAS}/security/ip-access-list/")
ATLAS_PEERING = Source("MongoDB: network peering connections", f"{_ATLAS}/security-vpc-peering/")
ATLAS_PRIVATE_ENDPOINT = Source("MongoDB: private endpoints", f"{_ATLAS}/security-private-endpoint/")
ATLAS_USERS = Source("MongoDB: database users", f"{_ATLAS}/security-add-mongodb-users/")
ATLAS_UNIFIED_ACCESS = Source("MongoDB: Set Up Unified AWS Access", f"{_ATLAS}/security/set-up-unified-aws-access/")
PYMONGO_CLIENT = Source(
    "PyMongo: MongoClient", "https://pymongo.readthedocs.io/en/stable/api/pymongo/mongo_client.html"
)
PYMONGO_TIMEOUT = Source(
    "PyMongo: pymongo.timeout", "https://pymongo.readthedocs.io/en/stable/api/pymongo/index.html#pymongo.timeout"
)
PYMONGO_FAAS_CONNECT = Source(
    "PyMongo pull request 1844: no connection at construction on FaaS",
    "https://github.com/mongodb/mongo-python-driver/pull/1844",
)
PYMONGO_ONE_LOOP = Source(
    "PYTHON-5197: an AsyncMongoClient can't be shared across event loops",
    "https://jira.mongodb.org/browse/PYTHON-5197",
)

# The drivers' specifications.
SPEC_AUTHENTICATION = Source("Driver specification: authentication", f"{_SPECIFICATIONS}/auth/auth.md")
SPEC_BACKPRESSURE = Source(
    "Driver specification: client backpressure", f"{_SPECIFICATIONS}/client-backpressure/client-backpressure.md"
)
SPEC_HANDSHAKE = Source("Driver specification: handshake", f"{_SPECIFICATIONS}/mongodb-handshake/handshake.md")
SPEC_MONITORING = Source(
    "Driver specification: server monitoring",
    f"{_SPECIFICATIONS}/server-discovery-and-monitoring/server-monitoring.md",
)
SPEC_POOLING = Source(
    "Driver specification: connection monitoring and pooling",
    f"{_SPECIFICATIONS}/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md",
)
SPEC_RETRYABLE_WRITES = Source(
    "Driver specification: retryable writes", f"{_SPECIFICATIONS}/retryable-writes/retryable-writes.md"
)
SPEC_SRV = Source(
    "Driver specification: initial DNS seedlist discovery",
    f"{_SPECIFICATIONS}/initial-dns-seedlist-discovery/initial-dns-seedlist-discovery.md",
)
SPEC_TIMEOUT = Source(
    "Driver specification: client side operations timeout",
    f"{_SPECIFICATIONS}/client-side-operations-timeout/client-side-operations-timeout.md",
)

# AWS's documentation.
AWS_ENVIRONMENT = Source("AWS: execution environment lifecycle", f"{_LAMBDA}/lambda-runtime-environment.html")
AWS_ENVIRONMENT_VARIABLES = Source("AWS: environment variables", f"{_LAMBDA}/configuration-envvars.html")
AWS_TIMEOUT = Source("AWS: function timeout", f"{_LAMBDA}/configuration-timeout.html")
AWS_LOGS = Source(
    "AWS: log groups and log streams", f"{_AWS}/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
)
AWS_SECRETS = Source(
    "AWS: secrets in Lambda functions", f"{_AWS}/secretsmanager/latest/userguide/retrieving-secrets_lambda.html"
)
AWS_MEMORY = Source("AWS: function memory", f"{_LAMBDA}/configuration-memory.html")
AWS_COMPUTING_POWER = Source(
    "AWS: memory and computing power", f"{_AWS}/lambda/latest/operatorguide/computing-power.html"
)
AWS_NODEJS_HANDLER = Source("AWS: Node.js handlers", f"{_LAMBDA}/nodejs-handler.html")
AWS_NODEJS_24 = Source(
    "AWS: the Node.js 24 runtime",
    "https://aws.amazon.com/blogs/compute/node-js-24-runtime-now-available-in-aws-lambda/",
)
AWS_MANAGED_INSTANCES = Source(
    "AWS: Python on Lambda Managed Instances", f"{_LAMBDA}/lambda-managed-instances-python-runtime.html"
)
AWS_MANAGED_INSTANCES_SIZE = Source(
    "AWS: best practices for Lambda Managed Instances", f"{_LAMBDA}/lambda-managed-instances-best-practices.html"
)
AWS_SNAPSTART_UNIQUENESS = Source("AWS: uniqueness with SnapStart", f"{_LAMBDA}/snapstart-uniqueness.html")
AWS_SNAPSTART_CREDENTIALS = Source(
    "AWS: credentials with SnapStart", f"{_LAMBDA}/snapstart-activate.html#snapstart-credentials"
)
AWS_SHUTDOWN_SAMPLE = Source(
    "AWS sample: graceful shutdown", "https://github.com/aws-samples/graceful-shutdown-with-aws-lambda"
)
AWS_NAT_GATEWAY = Source("AWS: NAT gateways", f"{_AWS}/vpc/latest/userguide/vpc-nat-gateway.html")
AWS_IDLE_FLOWS = Source(
    "AWS: idle timeout of Network Load Balancers",
    f"{_AWS}/elasticloadbalancing/latest/network/update-idle-timeout.html",
)
AWS_VPC_TIMEOUTS = Source(
    "AWS: timeouts of Lambda functions in a VPC",
    "https://aws.amazon.com/premiumsupport/knowledge-center/lambda-vpc-timeout/",
)
AWS_ROLES = Source("AWS: IAM roles", f"{_AWS}/IAM/latest/UserGuide/id_roles_use.html")
AWS_EXTERNAL_ID = Source("AWS: external ids", f"{_AWS}/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html")
AWS_STS_ENDPOINTS = Source(
    "AWS: regional STS endpoints", f"{_AWS}/sdkref/latest/guide/feature-sts-regionalized-endpoints.html"
)
