"""
Terraform: text becomes a syntax tree, a module's names are resolved, and its resources become facts.
"""
