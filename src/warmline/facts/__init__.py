"""
The tables everything else reads: practices, limits, links. Standard library only.
"""
