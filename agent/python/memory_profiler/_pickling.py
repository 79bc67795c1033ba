"""Keeps functions decorated when cloudpickle or dill, or copies of them in other packages, pickle them by value.

Such a function is pickled as a call of the receiver's own decorator. The pickle names only builtins: without
mprof the function arrives undecorated.

The agent runs a copy of this file, with its own `undecorated(function)`: the function behind a decorated one,
or None.
"""

FunctionType: type = type(lambda: None)


class Call:
    """Unpickles as the result of a call."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __call__(self, *arguments):
        raise TypeError("a Call can be pickled, but not called")

    def __reduce__(self):
        return self.reduced


# getattr(getattr(__import__("builtins"), "profile", None), "_arrive", getattr)(None, name, function):
# Without mprof this is getattr(None, name, function): it returns the function, as None has no such attribute.
ARRIVE = Call(getattr, Call(getattr, Call(__import__, "builtins"), "profile", None), "_arrive", getattr)


def copy_function(function):
    """An undecorated copy of the function."""
    made = FunctionType(function.__code__, function.__globals__, function.__name__,
                        function.__defaults__, function.__closure__)
    for name in "__kwdefaults__", "__doc__", "__module__", "__qualname__", "__type_params__":
        if hasattr(function, name):
            setattr(made, name, getattr(function, name))
    # from 3.14 on annotations are evaluated lazily
    name = "__annotate__" if getattr(function, "__annotate__", None) else "__annotations__"
    setattr(made, name, getattr(function, name))
    made.__dict__.update(function.__dict__)
    return made


def full_name(function):
    """The name under which its calls are recorded."""
    module, name = function.__module__, function.__qualname__
    return f"{module}.{name}" if isinstance(module, str) else name


def reduce_function(pickler, function):
    """How to pickle a decorated function; None: unchanged. A recursive function refers to itself: within one
    pickle the result must be the same."""
    known = pickler.__dict__.setdefault("_mprof_functions", {})
    if id(function) not in known:
        inner = undecorated(function)
        if inner is function:
            inner = copy_function(function)
        known[id(function)] = function, inner
        known.setdefault(id(inner), (inner, None))
    inner = known[id(function)][1]
    return None if inner is None else (ARRIVE, (None, full_name(function), inner))


def replace(cls, name, make):
    before = cls.__dict__.get(name)
    if type(before) is FunctionType and before.__code__.co_filename != __file__:
        after = make(before)
        after.__name__, after.__qualname__ = before.__name__, before.__qualname__
        after.__module__ = before.__module__
        setattr(cls, name, after)


def reducing(before):
    """For cloudpickle 1.3 and later."""
    def method(self, func):
        return reduce_function(self, func) or before(self, func)
    return method


def saving(before):
    """For cloudpickle before 1.3."""
    def method(self, func):
        found = reduce_function(self, func)
        return before(self, func) if found is None else self.save_reduce(*found, obj=func)
    return method


def hook_cloudpickle(pickler):
    for cls in pickler.__mro__:
        replace(cls, "_dynamic_function_reduce", reducing)
        replace(cls, "save_function_tuple", saving)


def is_found_by_name(locate, function, pickler):
    """Calls dill's own check; its arguments depend on dill's version."""
    names = locate.__code__.co_varnames[1:locate.__code__.co_argcount]
    if "pickler" in names:
        return locate(function, pickler)
    return locate(function, getattr(pickler, "_session", False)) if names else locate(function)


def hook_dill(pickler, locate):
    before = pickler.dispatch.get(FunctionType)
    if before is None or before.__code__.co_filename == __file__:
        return

    def save_function(pickler, obj, *arguments, **options):
        found = None if is_found_by_name(locate, obj, pickler) else reduce_function(pickler, obj)
        if found is None:
            return before(pickler, obj, *arguments, **options)
        return pickler.save_reduce(*found, obj=obj)

    pickler.dispatch[FunctionType] = save_function


def hook_canning(module):
    """ipyparallel chooses how to send an object by its exact type, before it pickles."""
    before = module.istype

    def istype(obj, check):
        return before(obj, check) or (check is FunctionType and type(obj) == FunctionType)

    if type(before) is FunctionType and before.__code__.co_filename != __file__:
        module.istype = istype


def hook(modules, name):
    """Called when a module with the name of a pickler has been loaded, in any package."""
    if hasattr(modules[name], "can_map") and hasattr(modules[name], "istype"):
        hook_canning(modules[name])
    pickler = getattr(modules[name], "CloudPickler", None)
    if isinstance(pickler, type):
        hook_cloudpickle(pickler)
    pickler = getattr(modules[name], "Pickler", None)
    module = modules.get(getattr(pickler, "__module__", None))
    locate = getattr(module, "_locate_function", None)
    if isinstance(pickler, type) and type(locate) is FunctionType:
        hook_dill(pickler, locate)
