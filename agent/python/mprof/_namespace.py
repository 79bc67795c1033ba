"""Decorates the functions of a notebook while it is recorded, in CPython 3.11.

There a function that a pattern marks appears twice in tracebacks; a decorated one is another object, which does
not. Only the names in the notebook refer to it.
"""

import contextlib
import types

_METHODS = frozenset((types.FunctionType, staticmethod, classmethod, property))


def _is_of_notebook(member):
    inner = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
    return getattr(inner, "__module__", None) == "__main__"


class Decorated:
    """Functions and methods of classes in the namespace are decorated until restore()."""

    def __init__(self, namespace, profile):
        self._namespace = namespace
        self._changed = []  # (class or None, name, before, after)
        for name, value in list(namespace.items()):
            if getattr(value, "__name__", None) != name or getattr(value, "__module__", None) != "__main__":
                continue  # the same under another name, as results of cells are
            if type(value) is types.FunctionType:
                self._change(None, name, value, profile)
            elif isinstance(value, type):
                for member, method in list(vars(value).items()):
                    if type(method) in _METHODS and _is_of_notebook(method):
                        self._change(value, member, method, profile)

    def _change(self, owner, name, before, profile):
        with contextlib.suppress(Exception):  # then it is not recorded
            after = profile(before)
            if after is not before:
                self._set(owner, name, after)
                self._changed.append((owner, name, before, after))

    def _set(self, owner, name, value):
        if owner is None:
            self._namespace[name] = value
        else:
            setattr(owner, name, value)

    def restore(self):
        for owner, name, before, after in self._changed:
            now = self._namespace if owner is None else vars(owner)
            if now.get(name) is after:
                with contextlib.suppress(Exception):
                    self._set(owner, name, before)
        self._changed.clear()
