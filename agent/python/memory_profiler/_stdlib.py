"""Imports from Python's standard library, even where the program shadows its names.

A json.py in the program's folder comes before the standard library in sys.path. Our own imports get the
standard json, those of the program get its json.py. Only names of the standard library are treated so. An interpreter
may lack some of them, such as _bz2: for our own imports such a module does not exist.
"""

import os
import sys
from _frozen_importlib_external import PathFinder
from _thread import get_ident

# Of modules that have a file, if the interpreter has them. Before Python 3.10 the names are not known.
_STANDARD_NAMES: frozenset = frozenset(getattr(sys, "stdlib_module_names", ())) - frozenset(sys.builtin_module_names)

# Standard modules that we have loaded, and those of them that are hidden from the program.
_loaded: dict = {}
_hidden: dict = {}


def _stdlib_folders():
    """The folders of the standard library."""
    folder = os.path.dirname(getattr(os, "__file__", None) or "")
    if not folder:
        return []
    return [folder, *(entry for entry in sys.path
                      if isinstance(entry, str) and os.path.basename(entry) == "lib-dynload")]


def _file_of(module):
    # Not by getattr: a lazy module would load itself.
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return None
    return file if isinstance(file, str) else None


def _pop_modules(names):
    """Removes the modules with these names, and their submodules, from sys.modules; returns them."""
    return {name: sys.modules.pop(name) for name in list(sys.modules)
            if name.partition(".")[0] in names} if names else {}


class _Finder:
    """Finds modules of the standard library, for the thread that made it."""

    def __init__(self, folders):
        self._folders = folders
        self._thread = get_ident()

    def find_spec(self, name, path=None, target=None):
        if path is not None or get_ident() != self._thread or not self._folders:
            return None
        spec = PathFinder.find_spec(name, self._folders)
        if spec is None and self._only_program_has(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec if spec is not None and spec.has_location else None

    def is_standard(self, name):
        spec = PathFinder.find_spec(name, self._folders)
        return spec.has_location if spec is not None else self._only_program_has(name)

    def _only_program_has(self, name):
        """Whether this module, which the standard library lacks, is in the program's folders."""
        if name not in _STANDARD_NAMES:
            return False
        path = _path_before(self._folders)
        return len(path) < len(sys.path) and PathFinder.find_spec(name, path) is not None


class StdlibImports:
    """A context in which imports get modules of the standard library, never the program's."""

    def __enter__(self):
        folders = _stdlib_folders()
        self._finder = _Finder(folders)
        self._shadowed = {name for name, module in list(sys.modules.items())
                          if "." not in name and self._is_programs(name, _file_of(module), folders)}
        self._program_modules = _pop_modules(self._shadowed)
        sys.modules.update(_hidden)
        self._modules_before = set(sys.modules)
        sys.meta_path.insert(0, self._finder)

    def __exit__(self, *unused):
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _loaded.update((name, sys.modules[name]) for name in set(sys.modules) - self._modules_before
                       if "." not in name)
        _hidden.update(_pop_modules(self._shadowed))
        sys.modules.update(self._program_modules)
        hide_from_program()

    def _is_programs(self, name, file, folders):
        return file is not None and os.path.dirname(file) not in folders and \
            os.path.dirname(os.path.dirname(file)) not in folders and \
            self._finder.is_standard(name)


def _path_before(folders):
    """The entries of sys.path before the standard library."""
    path = list(sys.path)
    return path[:path.index(folders[0])] if folders and folders[0] in path else path


def _is_found_elsewhere(name, file, path):
    spec = PathFinder.find_spec(name, path) if file is not None else None
    return spec is not None and spec.has_location and spec.origin != file and \
        os.path.realpath(spec.origin) != os.path.realpath(file)


def hide_from_program():
    """Hides the standard modules that we have loaded and that the program shadows."""
    path = _path_before(_stdlib_folders())
    _hidden.update(_pop_modules({name for name, module in _loaded.items()
                                 if sys.modules.get(name) is module
                                 and _is_found_elsewhere(name, _file_of(module), path)}))


class _NoChange:  # contextlib.nullcontext needs an import
    def __enter__(self):
        pass

    def __exit__(self, *unused):
        pass


def late_imports():
    """StdlibImports for imports during the program's run; does nothing if the program shadows no name."""
    return StdlibImports() if _hidden else _NoChange()
