"""
A real MongoDB cluster on loopback, started and stopped by one object.
"""
