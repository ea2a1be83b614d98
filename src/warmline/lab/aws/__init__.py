"""
A Lambda service in miniature that drives the real AWS runtime client.
"""
