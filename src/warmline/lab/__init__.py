"""
Real Lambda environments and a real mongod on one machine, measured.
"""
