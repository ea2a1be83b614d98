"""
OpenTelemetry's PyMongo instrumentation: a span for each command.
"""

from opentelemetry import trace
from opentelemetry.instrumentation.pymongo import PymongoInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from warmline import connect, handler

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: f"span {span.name}\n")))
trace.set_tracer_provider(provider)
# Before the client is made: PyMongo gives its listeners to new clients only.
PymongoInstrumentor().instrument()

orders = connect()["shop"]["opentelemetry_orders"]


@handler
def lambda_handler(event, context):
    orders.insert_one({"number": event["number"]})
    return orders.count_documents({"number": event["number"]})
