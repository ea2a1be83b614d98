"""
Keeps the MongoDB connections of AWS Lambda functions few, warm and safe.
"""

__version__ = "0.1.0.dev0"
