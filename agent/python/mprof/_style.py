"""Style files, whose lines are options of a picture, and colours."""

import os

from . import _options

# What a picture is of is not part of a style.
_NOT_IN_FILES = ("window", "xlim", "run", "label", "embed", "style")
_SWITCH = {"no": False, "off": False, "false": False, "0": False,
           "yes": True, "on": True, "true": True, "1": True, "": True}


def _path_of_user():
    for folder, rest in ((os.environ.get("XDG_CONFIG_HOME"), ()), (os.environ.get("HOME"), (".config",))):
        if folder and os.path.isabs(folder):
            return os.path.join(folder, *rest, "mprof", "style.ini")
    return None


def _value_of(name, text):
    option = _options.OPTIONS.get(name.replace("-", "_"))
    if option is None or name.replace("-", "_") in _NOT_IN_FILES:
        raise ValueError(f"a style has no '{name}'; it has the options of `mprof plot' that say how a picture "
                         "looks")
    if option.takes is None:
        if text not in _SWITCH:
            raise ValueError(f"{name} must be yes or no, not '{text}'")
        return _SWITCH[text]
    try:
        return option.check(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}, not '{text}'") from None


def _read(path, into):
    """Adds the options of a file."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line[0] in "#;" or line == "[plot]":
                continue
            name, sign, text = (part.strip() for part in line.partition("="))
            try:
                if not sign or not name:
                    raise ValueError(f"expected an option, as in `theme = dark', not '{line}'")
                value = _value_of(name, text)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
            add(into, name.replace("-", "_"), value)


def add(options, name, value):
    """Options that may be repeated add up; of others the last one counts."""
    if name in options and _options.OPTIONS[name].repeats:
        value = (*options[name], *value)
    options[name] = value


def with_files(given):
    """The options of the user's style file, then of the given one, then the given options."""
    options = {}
    style = given.get("style")
    if style != "none":
        own = _path_of_user()
        if own is not None and os.path.exists(own):
            _read(own, options)
        if style is not None:
            _read(style, options)
    for name, value in given.items():
        add(options, name, value)
    return options


def colours(library, items):
    """(style, names of the eight hues, whether the first ones are in order), as the command makes them.
    items: [(name or None, colour), ...]."""
    style = library.new_style()
    names = [None] * library.HUES
    ordered, named = 0, 0
    for name, colour in items:
        rgb = library.colour(colour)
        if rgb is None:
            raise ValueError(f"colors: {colour!r} is no colour; use #rrggbb or a name such as steelblue")
        if name in library.STYLE_COLOURS:
            style.colours[library.STYLE_COLOURS.index(name)] = rgb
            continue
        if name is not None and name in names:
            style.hues[names.index(name)] = rgb
            continue
        if ordered + named == library.HUES:
            raise ValueError(f"colors: a picture has {library.HUES} hues; give fewer")
        place = ordered if name is None else library.HUES - 1 - named
        names[place] = name
        style.hues[place] = rgb
        ordered += name is None
        named += name is not None
    return style, names, ordered > 0
