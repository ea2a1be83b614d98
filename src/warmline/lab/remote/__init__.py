"""
Functions that are deployed already, on Lambda or behind an endpoint like it: load, a look at the cluster, a report.

Nothing is imported here: the driver's processes have only what they need.
"""
