"""
What runs inside the Lambda function: PyMongo and the standard library only.
"""
