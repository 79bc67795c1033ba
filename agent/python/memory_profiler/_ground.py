"""Python's own modules for us, where the program has some of the same names.

A json.py beside the program stands before Python's in the path, and it is the program's: what we import
gets Python's own all the same, and the program, before and after, its own. Only the names of the
library of Python are meant: of all else there is one.
"""

import os
import sys
from _frozen_importlib_external import PathFinder
from _thread import get_ident

# Those of Python's own that we have loaded, and those of them that the program must not find.
_loaded: dict = {}
_hidden: dict = {}


def _library():
    """The folders of Python's own modules."""
    folder = os.path.dirname(getattr(os, "__file__", None) or "")
    if not folder:
        return []
    return [folder, *(entry for entry in sys.path
                      if isinstance(entry, str) and os.path.basename(entry) == "lib-dynload")]


def _file(module):
    # Some load what they stand for when they are asked for anything.
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return None
    return file if isinstance(file, str) else None


def _whole(names):
    """The modules of these names, and all within them, taken out of the table."""
    return {name: sys.modules.pop(name) for name in list(sys.modules)
            if name.partition(".")[0] in names} if names else {}


class _Finder:
    """Looks where Python's own modules are, for the thread that made it."""

    def __init__(self, folders):
        self._folders = folders
        self._thread = get_ident()

    def find_spec(self, name, path=None, target=None):
        if path is not None or get_ident() != self._thread or not self._folders:
            return None
        spec = PathFinder.find_spec(name, self._folders)
        return spec if spec is not None and spec.has_location else None


class Ground:
    """As a context: imports get Python's own modules. Else the program's are in force."""

    def __enter__(self):
        folders = _library()
        self._finder = _Finder(folders)
        self._names = {name for name, module in list(sys.modules.items())
                       if "." not in name and self._is_theirs(name, _file(module), folders)}
        self._theirs = _whole(self._names)
        sys.modules.update(_hidden)
        self._known = set(sys.modules)
        sys.meta_path.insert(0, self._finder)

    def __exit__(self, *unused):
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _loaded.update((name, sys.modules[name]) for name in set(sys.modules) - self._known
                       if "." not in name)
        _hidden.update(_whole(self._names))
        sys.modules.update(self._theirs)
        leave_to_program()

    def _is_theirs(self, name, file, folders):
        return file is not None and os.path.dirname(file) not in folders and \
            os.path.dirname(os.path.dirname(file)) not in folders and \
            self._finder.find_spec(name) is not None


def _in_front(folders):
    """What of the path comes before Python's own modules."""
    path = list(sys.path)
    return path[:path.index(folders[0])] if folders and folders[0] in path else path


def _is_found_elsewhere(name, file, path):
    spec = PathFinder.find_spec(name, path) if file is not None else None
    return spec is not None and spec.has_location and spec.origin != file and \
        os.path.realpath(spec.origin) != os.path.realpath(file)


def leave_to_program():
    """Hides what we have loaded where the program's path leads to another."""
    path = _in_front(_library())
    _hidden.update(_whole({name for name, module in _loaded.items()
                           if sys.modules.get(name) is module
                           and _is_found_elsewhere(name, _file(module), path)}))


class _Nothing:
    def __enter__(self):
        pass

    def __exit__(self, *unused):
        pass


def again():
    """For what we load late, or Python for us: as Ground, and nothing where no name is a program's."""
    return Ground() if _hidden else _Nothing()
