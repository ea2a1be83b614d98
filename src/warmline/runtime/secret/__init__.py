"""
A connection string that AWS keeps: found by its reference, read, and read again after a rotation.

Only loaded when ``connect()`` is given such a reference.
"""
