"""
Results as text, JSON and HTML; findings as text, JSON, SARIF and annotations.
"""
