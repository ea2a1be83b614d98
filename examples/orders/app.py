"""
A function that looks up an order: the whole of what warmline asks of your code.
"""

from warmline import connect, handler

orders = connect()["shop"]["orders"]


@handler
def lambda_handler(event, context):
    return orders.find_one({"_id": event["id"]}, {"_id": 0})
