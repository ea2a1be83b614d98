"""
Handler code of seven languages, read into facts: one file per language in ``languages``, and one engine for all.
"""
