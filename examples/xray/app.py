"""
AWS X-Ray's SDK: a subsegment for each command.
"""

from aws_xray_sdk.core import patch

from warmline import connect, handler

# Before the client is made: PyMongo gives its listeners to new clients only.
patch(["pymongo"])

orders = connect()["shop"]["xray_orders"]


@handler
def lambda_handler(event, context):
    orders.insert_one({"number": event["number"]})
    return orders.count_documents({"number": event["number"]})
