"""
Powertools for AWS Lambda: logger, metrics and a middleware around a handler of warmline's.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.middleware_factory import lambda_handler_decorator

from warmline import connect, handler

logger = Logger(service="orders")
metrics = Metrics(namespace="shop", service="orders")
orders = connect()["shop"]["powertools_orders"]


@lambda_handler_decorator
def count_calls(inner, event, context):
    metrics.add_metric(name="Calls", unit=MetricUnit.Count, value=1)
    return inner(event, context)


# Outermost: what the others do counts against the invocation's time too.
@handler
@logger.inject_lambda_context
@metrics.log_metrics
@count_calls
def lambda_handler(event, context):
    orders.insert_one({"number": event["number"]})
    found = orders.count_documents({"number": event["number"]})
    logger.info("counted", extra={"found": found})
    return found
