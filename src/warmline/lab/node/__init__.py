"""
Node.js functions: AWS's runtime client and MongoDB's driver, installed by npm when they are first needed.
"""

from __future__ import annotations

from .install import Node, install_node

__all__ = ["Node", "install_node"]
