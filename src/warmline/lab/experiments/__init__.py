"""
One experiment a module: what breaking a practice costs, measured.
"""
