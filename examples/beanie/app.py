"""
Beanie: documents on the environment's one asynchronous client.
"""

from beanie import Document, init_beanie

from warmline import connect_async, event_loop, handler


class Order(Document):
    number: int
    total: float = 0.0

    class Settings:
        name = "beanie_orders"


# Init: in the same loop that the handler runs in.
event_loop().run_until_complete(init_beanie(database=connect_async()["shop"], document_models=[Order]))


@handler
async def lambda_handler(event, context):
    await Order(number=event["number"], total=9.5).insert()
    return await Order.find(Order.number == event["number"]).count()
