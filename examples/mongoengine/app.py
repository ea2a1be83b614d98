"""
MongoEngine: documents on the environment's one client.
"""

import mongoengine

from warmline import connect, handler

# MongoEngine wants to make its client itself; it gets ours, whatever it asks for.
mongoengine.connect("shop", mongo_client_class=lambda **_settings: connect(), uuidRepresentation="standard")


class Order(mongoengine.Document):
    number = mongoengine.IntField()
    total = mongoengine.FloatField(default=0.0)
    meta = {"collection": "mongoengine_orders", "auto_create_index": False}  # noqa: RUF012  MongoEngine's way


@handler
def lambda_handler(event, context):
    Order(number=event["number"], total=9.5).save()
    return Order.objects(number=event["number"]).count()
