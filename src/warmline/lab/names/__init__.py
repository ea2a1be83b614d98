"""
The lab's host names: an authoritative DNS server, and child processes that ask it.
"""

# Nothing is imported here: the process that forks environments imports `child`, and must not get dnspython with it.
