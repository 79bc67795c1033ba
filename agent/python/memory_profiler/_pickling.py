"""Decorated functions that cloudpickle and dill pickle by value, in whatever package they lie.

Such a function is pickled as a call of the decorator that is in force where it arrives. No other name is
in the pickle than those of builtins: where mprof is not, the function arrives without a decorator.

The agent executes a copy of this, with its own `undecorated`: the function behind a decorated one, or None.
"""

FunctionType = type(lambda: None)


class Call:
    """Pickled as what a call returns."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __call__(self, *arguments):
        raise TypeError("this is there to be pickled")

    def __reduce__(self):
        return self.reduced


# getattr(getattr(__import__("builtins"), "profile", None), "_arrive", getattr)(None, name, function):
# getattr gives the function back, for None has no such attribute.
ARRIVE = Call(getattr, Call(getattr, Call(__import__, "builtins"), "profile", None), "_arrive", getattr)


def twin(function):
    """The same function once more, which nobody has decorated."""
    made = FunctionType(function.__code__, function.__globals__, function.__name__,
                        function.__defaults__, function.__closure__)
    for name in "__kwdefaults__", "__doc__", "__module__", "__qualname__", "__type_params__":
        if hasattr(function, name):
            setattr(made, name, getattr(function, name))
    # annotations are evaluated when they are asked for, from 3.14 on
    name = "__annotate__" if getattr(function, "__annotate__", None) else "__annotations__"
    setattr(made, name, getattr(function, name))
    made.__dict__.update(function.__dict__)
    return made


def full_name(function):
    """As it is recorded."""
    module, name = function.__module__, function.__qualname__
    return f"{module}.{name}" if isinstance(module, str) else name


def reduced(pickler, function):
    """What a decorated function is pickled as; None: as it is. In one pickle each is met once more
    inside of itself, if it calls itself: the same has to be found there."""
    known = pickler.__dict__.setdefault("_mprof_functions", {})
    if id(function) not in known:
        inner = undecorated(function)
        if inner is function:
            inner = twin(function)
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
    """Of cloudpickle from 1.3 on."""
    def method(self, func):
        return reduced(self, func) or before(self, func)
    return method


def saving(before):
    """Of cloudpickle before 1.3."""
    def method(self, func):
        found = reduced(self, func)
        return before(self, func) if found is None else self.save_reduce(*found, obj=func)
    return method


def hook_cloudpickle(pickler):
    for cls in pickler.__mro__:
        replace(cls, "_dynamic_function_reduce", reducing)
        replace(cls, "save_function_tuple", saving)


def is_found_by_name(locate, function, pickler):
    """As dill itself decides, whose versions want to know different things."""
    names = locate.__code__.co_varnames[1:locate.__code__.co_argcount]
    if "pickler" in names:
        return locate(function, pickler)
    return locate(function, getattr(pickler, "_session", False)) if names else locate(function)


def hook_dill(pickler, locate):
    before = pickler.dispatch.get(FunctionType)
    if before is None or before.__code__.co_filename == __file__:
        return

    def save_function(pickler, obj, *arguments, **options):
        found = None if is_found_by_name(locate, obj, pickler) else reduced(pickler, obj)
        if found is None:
            return before(pickler, obj, *arguments, **options)
        return pickler.save_reduce(*found, obj=obj)

    pickler.dispatch[FunctionType] = save_function


def hook_canning(module):
    """ipyparallel finds what to do by the very type, before it pickles."""
    before = module.istype

    def istype(obj, check):
        return before(obj, check) or (check is FunctionType and type(obj) == FunctionType)

    if type(before) is FunctionType and before.__code__.co_filename != __file__:
        module.istype = istype


def hook(modules, name):
    """A module is loaded whose name is that of a pickler's, here or in a package that brings its own."""
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
