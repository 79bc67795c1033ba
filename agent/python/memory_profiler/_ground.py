"""Modules and path, as Python's library has them for us, and as the program is to find them.

`python -m` puts the working directory first in the path, so a json.py that lies there would be read in
place of Python's by whatever we import. It is the program's: our own parts are imported without that
directory, the program runs with it and without our copies, and the report is written as we began.
"""

import os
import sys


class Ground:
    def __init__(self):
        self._known = set(sys.modules)
        self._here = None if getattr(sys.flags, "safe_path", False) else sys.path.pop(0)
        self._path = list(sys.path)
        self._ours = {}
        self._theirs = {}

    def _is_beside(self, name):
        place = os.path.join(self._here, name)
        return os.path.exists(place + ".py") or os.path.isdir(place)

    def leave_to_program(self):
        if self._here is not None:
            sys.path.insert(0, self._here)
            self._ours = {name: sys.modules.pop(name) for name in set(sys.modules) - self._known
                          if self._is_beside(name)}

    def __enter__(self):
        """Ours again, for a while."""
        self._theirs = {name: sys.modules.get(name) for name in self._ours}
        self._program_path = list(sys.path)
        sys.path[:] = self._path
        sys.modules.update(self._ours)

    def __exit__(self, *unused):
        sys.path[:] = self._program_path
        for name, module in self._theirs.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
