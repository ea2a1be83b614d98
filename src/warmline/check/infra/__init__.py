"""
Infrastructure templates, read into facts: one reader per kind of template.
"""
