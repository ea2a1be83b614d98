"""
Counts what the driver does with connections. Loaded only when metrics are on.
"""
