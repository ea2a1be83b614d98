"""
Run by Python when it starts with this folder on PYTHONPATH: the lab's names, then the machine's own sitecustomize.
"""

from __future__ import annotations

import os
import sys

# By the name it has from here: nothing of warmline's needs to be installed for the program.
from warmline_hook import activate  # type: ignore[import-not-found]

activate(os.environ)

# There is one module of this name for Python, so the one behind this folder would not be run.
_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  pathlib costs milliseconds
_path = sys.path[:]
_own = sys.modules.pop(__name__)
sys.path[:] = [entry for entry in _path if os.path.abspath(entry) != _here]  # noqa: PTH100
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401  another one
except ModuleNotFoundError as error:
    if error.name != __name__:
        raise
finally:
    sys.path[:] = _path
    # Python takes the module that it has just run from here.
    sys.modules.setdefault(__name__, _own)
