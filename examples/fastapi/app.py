"""
FastAPI behind Mangum: an asynchronous client in the loop that Mangum runs the application in.
"""

from fastapi import FastAPI
from mangum import Mangum

from warmline import connect_async, handler

orders = connect_async()["shop"]["fastapi_orders"]
app = FastAPI()


@app.post("/orders/{number}")
async def add(number: int) -> dict[str, int]:
    await orders.insert_one({"number": number})
    return {"found": await orders.count_documents({"number": number})}


# Mangum asks asyncio for its current loop, and connect_async() has made the environment's the current one.
lambda_handler = handler(Mangum(app, lifespan="off"))
