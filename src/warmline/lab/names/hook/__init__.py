"""
A folder for PYTHONPATH: Python itself runs the ``sitecustomize`` in it before a program.
"""
