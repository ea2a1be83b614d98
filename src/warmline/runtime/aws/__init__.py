"""
Logging in with AWS credentials (MONGODB-AWS) by the standard library, without AWS's SDK.
"""
