"""
A check's findings as text, JSON, SARIF and GitHub's annotations: one module each.
"""
