"""The options of `mprof plot` as keywords: values of Python, or the text that the command takes."""

import math
import os
import shlex

_UNITS_MIB = {"": 1.0, "B": 1 / 1048576, "KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "TiB": 1048576.0,
              "kB": 1e3 / 1048576, "MB": 1e6 / 1048576, "GB": 1e9 / 1048576, "TB": 1e12 / 1048576}
_PX_PER_INCH = 90
_KINDS = ("rss", "pss", "uss", "swap", "anon", "file", "shmem", "lazyfree", "hugetlb", "group")


def _number(value, text=None):
    """A finite number, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _plain(number):
    """As short as possible: 5, not 5.0."""
    return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _flag(value):
    if value not in (True, False, 0, 1):
        raise ValueError("must be True or False")
    return bool(value)


def _text(value):
    if not isinstance(value, str):
        raise ValueError("must be a str")
    return value


def _numbers(value):
    parts = value.split(",") if isinstance(value, str) else value
    try:
        numbers = [_number(part) for part in parts]
    except TypeError:
        return None
    return tuple(numbers) if len(numbers) == 2 and None not in numbers else None


def _window(value):
    numbers = _numbers(value)
    if numbers is None or numbers[1] <= numbers[0]:
        raise ValueError("must be (FROM, TO) in seconds with FROM before TO")
    return numbers


def _xlim(value):
    """As text: the library reads it."""
    if isinstance(value, str) and value.count(",") == 1:
        return value
    numbers = None if isinstance(value, str) else _numbers(value)
    if numbers is None or numbers[1] <= numbers[0]:
        raise ValueError("must be (FROM, TO) in seconds, or a str of two times: '14:05,14:30'")
    return ",".join(map(_plain, numbers))


def _ylim(value):
    numbers = _numbers(value)
    if isinstance(value, str):
        parts = [_at(part, True) for part in value.split(",")]
        numbers = tuple(part[0] for part in parts) if len(parts) == 2 and None not in parts else None
    if numbers is None or not 0 <= numbers[0] < numbers[1] <= 1e12:
        raise ValueError("must be (LOW, HIGH) in MiB with LOW below HIGH")
    return numbers


def _choice(*names):
    def check(value):
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return value
    return check


def _whole(value):
    number = _number(value)
    if number is None or number != int(number) or not 1 <= number <= 1e9:
        raise ValueError("must be the number of a run, 1 or more")
    return int(number)


def _seconds(value):
    number = _number(value)
    if number is None or number < 0:
        raise ValueError("must be a number of seconds, 0 or more")
    return number


def _dpi(value):
    number = _number(value)
    if number is None or not 20 <= number <= 1200:
        raise ValueError("must be between 20 and 1200")
    return number


def _size(value):
    unit = 1
    if isinstance(value, str):
        for ending, px in (("in", _PX_PER_INCH), ("px", 1)):
            if value.endswith(ending):
                value, unit = value[:-2], px
                break
        value = value.split("x")
    try:
        numbers = [_number(part) for part in value]
    except TypeError:
        numbers = []
    if len(numbers) != 2 or None in numbers:
        raise ValueError("must be (WIDTH, HEIGHT) in pixels, or a str like '800x400' or '14x6in'")
    width, height = (number * unit for number in numbers)
    if not (90 <= width <= 20000 and 60 <= height <= 20000):
        raise ValueError("must be between 90x60 and 20000x20000 pixels (an inch is 90)")
    return width, height


def _memory(value):
    kinds = tuple(value.split(",")) if isinstance(value, str) else tuple(value)
    for kind in kinds:
        if kind not in _KINDS:
            raise ValueError(f"must name kinds of {', '.join(_KINDS)}")
    return kinds


def _at(value, units):
    """(number, label or None) of 512, "512MiB", "1.5GiB:the quota" or (512, "the quota"); or None."""
    label = None
    if isinstance(value, (tuple, list)):
        if len(value) != 2 or not isinstance(value[1], str):
            return None
        value, label = value
    if isinstance(value, str):
        value, colon, rest = value.partition(":")
        label = rest if colon else label
        digits = value.rstrip("kKMGTiB ") if units else value
        unit = value[len(digits):].strip()
        number = _number(digits)
        if number is None or unit not in _UNITS_MIB:
            return None
        number *= _UNITS_MIB[unit]
    else:
        number = _number(value)
    return None if number is None or not 0 <= number < 1e12 else (number, label)


def _notes(units, message):
    def check(value):
        # one note, or several
        several = isinstance(value, (list, set, frozenset)) or (
            isinstance(value, tuple) and not (len(value) == 2 and isinstance(value[1], str)))
        if isinstance(value, dict):
            value, several = list(value.items()), True
        notes = tuple(_at(one, units) for one in (value if several else [value]))
        if None in notes:
            raise ValueError(message)
        return notes
    return check


def _labels(value):
    if isinstance(value, str):
        value = [value]
    pairs = value.items() if hasattr(value, "items") else [
        one.rpartition("=")[::2] if isinstance(one, str) else one for one in value]
    labels = tuple((os.fspath(file), name) for file, name in pairs)
    if not all(file and name for file, name in labels):
        raise ValueError("must be {FILE: NAME}")
    return labels


def _colors(value):
    """[(name or None, colour), ...]"""
    if isinstance(value, str):
        value = [value]
    items = []
    for one in value.items() if hasattr(value, "items") else value:
        if isinstance(one, str):
            for part in one.split(","):
                name, sign, colour = part.rpartition("=")
                items.append((name.strip() if sign else None, colour.strip()))
        else:
            items.append(tuple(one))
    if not all(len(one) == 2 and isinstance(one[1], str) and one[1] and one[0] != "" for one in items):
        raise ValueError("must be colours, or {NAME: COLOUR}")
    return tuple(items)


def _style(value):
    return os.fspath(value)


def _color_words(items):
    return [",".join(colour if name is None else f"{name}={colour}" for name, colour in items)]


def _note_words(notes):
    return [_plain(at) + (f":{label}" if label is not None else "") for at, label in notes]


class Option:
    """check: returns the value to use, or raises ValueError. takes: what the command line shows for
    the value; None: a flag. words: the value as texts of the command line. of_cells: %%mprof has it."""

    def __init__(self, check, help, takes=None, short=(), words=None, repeats=False, of_cells=True):
        self.check = check
        self.help = help
        self.takes = takes
        self.short = short
        self.words = words or (lambda value: [str(value)])
        self.repeats = repeats
        self.of_cells = of_cells


def _pair_words(pair):
    return [",".join(map(_plain, pair))]


def _number_words(number):
    return [_plain(number)]


_MEMORY = "must be a number of MiB, or a str with KiB, MiB, GiB or TiB, with a label behind a colon"

OPTIONS = {
    "title": Option(_text, "title in place of the command line", "TEXT", ("-t",)),
    "no_function_ts": Option(_flag, "do not draw calls of functions", short=("-n",)),
    "window": Option(_window, "draw only this range, in seconds from the start", "FROM,TO", ("-w",),
                     _pair_words),
    "flame": Option(_flag, "draw calls as a flame chart below the memory", short=("-f",)),
    "slope": Option(_flag, "draw the trend line and its slope", short=("-s",)),
    "stack": Option(_flag, "stack the processes on top of each other"),
    "band": Option(_flag, "of many processes or recordings: from the lowest to the highest, mean, and the worst by name"),
    "small_multiples": Option(_flag, "a small panel for each process or recording, on common axes"),
    "heat": Option(_flag, "a row for each process or recording, with its memory as colour"),
    "tree": Option(_flag, "who made memory grow: calls by path, growth to the right, release to the left"),
    "run": Option(_whole, "of a file with several runs draw only this one", "N", of_cells=False),
    "as_one": Option(_flag, "put several recordings, or the runs of a file, on one time axis",
                     of_cells=False),
    "group": Option(_choice("command", "pid", "none"),
                    "draw the processes of a command as one, each by itself, or only their sum",
                    "command|pid|none"),
    "memory": Option(_memory, "also these kinds of memory", "KIND,...",
                     words=lambda kinds: [",".join(kinds)]),
    "func": Option(_text, "draw only functions whose name matches", "PATTERN"),
    "min_duration": Option(_seconds, "do not draw shorter calls", "SECONDS", words=_number_words),
    "by": Option(_choice("process", "function", "rank", "host", "recording", "command", "growth", "time",
                         "memory-time"),
                 "one lane of the flame chart for each process or function; what band, small multiples and heat compare; "
                 "what the width of a tree is",
                 "process|function|rank|host|recording|command|growth|time|memory-time"),
    "theme": Option(_choice("light", "dark", "paper", "auto"), "colours", "light|dark|paper|auto"),
    "size": Option(_size, "size in pixels, or inches with 'in'", "WIDTHxHEIGHT",
                   words=lambda size: ["x".join(map(_plain, size))]),
    "no_title": Option(_flag, "without the title"),
    "no_facts": Option(_flag, "without the line below the title"),
    "no_legend": Option(_flag, "without the legend"),
    "no_peak": Option(_flag, "without cross, dot and label of the peak"),
    "bare": Option(_flag, "nothing but axes and data"),
    "xlim": Option(_xlim, "draw only this range: seconds, clock times or dates", "FROM,TO"),
    "ylim": Option(_ylim, "the range of the memory axis, in MiB", "LOW,HIGH", words=_pair_words),
    "log": Option(_flag, "a logarithmic memory axis"),
    "unit": Option(_choice("auto", "B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB"),
                   "write all memory in this unit", "UNIT"),
    "limit": Option(_notes(True, _MEMORY), "a dashed line at this memory, and a tint above it", "MIB",
                    words=_note_words, repeats=True),
    "line": Option(_notes(True, _MEMORY), "a line at this memory, with a label", "MIB[:TEXT]",
                   words=_note_words, repeats=True),
    "mark": Option(_notes(False, "must be a number of seconds, with a label behind a colon"),
                   "a line at this moment, with a label", "SECONDS[:TEXT]", words=_note_words,
                   repeats=True),
    "label": Option(_labels, "a name for a recording, in place of its file's", "FILE=NAME",
                    words=lambda labels: [f"{file}={name}" for file, name in labels], repeats=True,
                    of_cells=False),
    "colors": Option(_colors, "colours in place of the theme's: in order (#1f77b4,orange), or by name "
                     "(main=red,paper=ivory)", "COLOUR,...", words=_color_words, repeats=True),
    "style": Option(_style, "a file with options, a line each; none: also not ~/.config/mprof/style.ini",
                    "FILE"),
    "transparent": Option(_flag, "nothing behind the picture, in place of paper"),
    "dpi": Option(_dpi, "resolution of a PNG (90)", "N", words=_number_words),
    "font": Option(_text, "font family, or several separated by commas", "FAMILY"),
    "no_script": Option(_flag, "a small SVG without script and tooltips"),
    "embed": Option(_flag, "an SVG to put into HTML; the page contains the script of all its pictures once",
                    of_cells=False),
}


def check(options):
    """{name: value to use} of the options that are given. TypeError, ValueError."""
    checked = {}
    for name, value in options.items():
        if value is None:
            continue
        if name not in OPTIONS:
            raise TypeError(f"plot() got an unexpected keyword argument {name!r}")
        try:
            checked[name] = OPTIONS[name].check(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}, not {value!r}") from None
    return checked


def command(checked):
    """The command that draws the same, for a shell, without a window and where the picture goes."""
    words = ["mprof", "plot"]
    for name, value in checked.items():
        flag = "--" + name.replace("_", "-")
        if name in ("window", "xlim", "embed") or value is False:
            continue
        if OPTIONS[name].takes is None:
            words.append(flag)
        else:
            words += [f"{flag}={shlex.quote(word)}" for word in OPTIONS[name].words(value)]
    return " ".join(words)
