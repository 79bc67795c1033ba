"""Writes the results of a line profiler as text, JSON or HTML."""

import html
import json
import linecache
import os
import sys
import tokenize  # noqa: F401  used by linecache, which imports it late

from ._stdlib import late_imports

# name in --columns: (heading, format of the value)
_COLUMNS = {
    "mem": ("Mem usage", "mib"),
    "inc": ("Increment", "mib"),
    "hits": ("Occurrences", "count"),
    "peak": ("Peak", "mib"),
    "time": ("Time", "seconds"),
}
DEFAULT_COLUMNS = ("mem", "inc", "hits")
SORTS = ("line", "mem", "inc", "hits", "peak", "time")


def shown_columns(columns, sort):
    """The columns of a report; the one it is sorted by is added if missing."""
    columns = tuple(columns or DEFAULT_COLUMNS)
    return columns if sort in (None, "line", *columns) or sort not in _COLUMNS else (*columns, sort)


class Line:
    """A line of a report; `values` is None if it never ran."""

    __slots__ = ("number", "text", "values")

    def __init__(self, number, text, measured):
        self.number = number
        self.text = text
        self.values = None
        if measured is not None:
            _, increment, memory, hits, peak, seconds = measured
            self.values = {"mem": memory, "inc": increment, "hits": hits, "peak": peak,
                           "time": seconds}


def _name(code):
    return getattr(code, "co_qualname", code.co_name)


class _CodeStandIn:
    """Replaces the code object of a report that has none."""

    def __init__(self, filename, numbers):
        self.co_name = os.path.basename(filename)
        self.co_firstlineno = min(numbers, default=0)


def _measured(number, values):
    if not values:
        return None
    increment, memory, hits = (*values, 1)[:3]  # old versions have no occurrences
    return number, increment, memory, hits, None, None


def _foreign_reports(code_map):
    """_reports() for a code map of another class, or a subclass with its own items(): (file, ((line,
    (increment, memory, occurrences) or None), ...))."""
    for filename, rows in code_map.items():
        rows = list(rows)
        with late_imports():
            source = linecache.getlines(filename)
        yield filename, _CodeStandIn(filename, [number for number, _ in rows]), [
            Line(number, source[number - 1] if 0 < number <= len(source) else "\n",
                 _measured(number, values)) for number, values in rows]


def _is_ours(code_map):
    from ._lines import CodeMap
    return isinstance(code_map, CodeMap) and type(code_map).items is CodeMap.items


def _reports(profiler):
    """(file, code object, lines) of each function that ran."""
    if not _is_ours(profiler.code_map):
        yield from _foreign_reports(profiler.code_map)
        return
    for filename, code, numbers in profiler.code_map.reports():
        measured = {row[0]: row for row in profiler.code_map.measures(code)}
        with late_imports():
            source = linecache.getlines(filename)
        lines = [Line(number, source[number - 1] if 0 < number <= len(source) else "\n",
                      measured.get(number)) for number in numbers]
        yield filename, code, lines


def _selected(lines, sort, threshold):
    """The lines to show, in order."""
    if threshold is not None:
        lines = [line for line in lines
                 if line.values and abs(line.values["inc"]) >= threshold]
    if sort is None or sort == "line":
        return lines
    if sort not in SORTS:
        raise ValueError(f"cannot sort by {sort!r}; use one of {', '.join(SORTS)}")
    return sorted((line for line in lines if line.values),
                  key=lambda line: line.values[sort], reverse=True)


def _hottest_increment(lines):
    """The highest increment of the lines shown: the scale of the colours."""
    return max([line.values["inc"] for line in lines if line.values], default=0)


def _level(line, hottest):
    """0 (no increment) to 3 (more than half of the highest)."""
    increment = line.values["inc"] if line.values else 0
    if increment <= 0 or hottest <= 0:
        return 0
    share = increment / hottest
    return 3 if share > 0.5 else 2 if share > 0.1 else 1 if share > 0.01 else 0


# ---- text ----

_ESCAPES = ("", "\x1b[32m", "\x1b[33m", "\x1b[31m")
# Control characters in source lines: a terminal would interpret them.
_CONTROL_CHARACTERS = {code: "?" for code in list(range(32)) + list(range(127, 160)) if code not in (9, 10)}


def _is_coloured(stream, color):
    if color is None or color == "never":
        return False
    if color == "auto":
        return ("NO_COLOR" not in os.environ and getattr(stream, "isatty", bool)()
                and os.environ.get("TERM") != "dumb")
    return True


def _cell(kind, value, precision):
    if kind == "mib":
        return "{0:{1}.{2}f} MiB".format(value, precision + 4, precision)
    if kind == "seconds":
        return f"{value:.6f} s"
    return value


class _Table:
    """The report of one function, in memory_profiler's layout."""

    def __init__(self, columns, precision):
        self._columns = columns
        self._precision = precision
        if tuple(columns) == DEFAULT_COLUMNS:
            self._template = "{0:>6} {1:>12} {2:>12}  {3:>10}   {4:<}"
        else:
            self._template = "{0:>6} " + " ".join(
                "{%d:>12}" % (i + 1) for i in range(len(columns))) + "   {%d:<}" % (len(columns) + 1)

    def header(self):
        headings = [_COLUMNS[name][0] for name in self._columns]
        return self._template.format("Line #", *headings, "Line Contents")

    def row(self, line):
        cells = [_cell(_COLUMNS[name][1], line.values[name], self._precision)
                 if line.values else "" for name in self._columns]
        return self._template.format(line.number, *cells, line.text)


def _write_text(profiler, stream, precision, columns, sort, threshold, color):
    table = _Table(columns, precision)
    coloured = _is_coloured(stream, color)
    for filename, _, lines in _reports(profiler):
        header = table.header()
        stream.write("Filename: " + filename + "\n\n")
        stream.write(header + "\n")
        stream.write("=" * len(header) + "\n")
        lines = _selected(lines, sort, threshold)
        hottest = _hottest_increment(lines)
        for line in lines:
            row = table.row(line)
            escape = _ESCAPES[_level(line, hottest)] if coloured else ""
            if coloured:
                row = row.translate(_CONTROL_CHARACTERS)
            stream.write(escape + row.rstrip("\n") + "\x1b[0m\n" if escape else row)
        stream.write("\n\n")


# ---- JSON ----

def _values(line, columns):
    return {name: line.values[name] for name in columns} if line.values else {}


def _write_json(profiler, stream, columns, sort, threshold):
    functions = []
    for filename, code, lines in _reports(profiler):
        functions.append({
            "filename": filename,
            "function": _name(code),
            "first_line": code.co_firstlineno,
            "lines": [{"line": line.number, "source": line.text.rstrip("\n"),
                       **_values(line, columns)}
                      for line in _selected(lines, sort, threshold)],
        })
    json.dump({"unit": "MiB", "functions": functions}, stream, indent=1)
    stream.write("\n")


# ---- HTML ----

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Memory line by line</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 2em }}
table {{ border-collapse: collapse; font: 13px/1.5 ui-monospace, monospace }}
th, td {{ padding: 0 .8em; text-align: right; white-space: pre }}
th {{ border-bottom: 1px solid; font-weight: 600 }}
td:last-child, th:last-child {{ text-align: left }}
.off {{ opacity: .55 }}
</style></head><body>
{body}</body></html>
"""


def _shade(line, hottest):
    """The background of a line: red for memory taken, blue for memory released."""
    increment = line.values["inc"] if line.values else 0
    if hottest <= 0 or increment == 0:
        return ""
    share = min(1.0, abs(increment) / hottest)
    rgb = "214,39,40" if increment > 0 else "31,119,180"
    return f' style="background:rgba({rgb},{share * 0.5:.3f})"' if share > 0.002 else ""


def _html_row(line, columns, precision, hottest):
    cells = [str(line.number)]
    cells += [str(_cell(_COLUMNS[name][1], line.values[name], precision)).strip()
              if line.values else "" for name in columns]
    cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    text = html.escape(line.text.rstrip("\n").translate(_CONTROL_CHARACTERS))
    kind = "" if line.values else ' class="off"'
    return f"<tr{kind}{_shade(line, hottest)}>{cells}<td>{text}</td></tr>\n"


def _write_html(profiler, stream, precision, columns, sort, threshold):
    body = []
    for filename, code, lines in _reports(profiler):
        lines = _selected(lines, sort, threshold)
        hottest = max([abs(line.values["inc"]) for line in lines if line.values], default=0)
        headings = ["Line", *(_COLUMNS[name][0] for name in columns), "Contents"]
        body.append(f"<h2>{html.escape(_name(code))}</h2>\n<p>{html.escape(filename)}</p>\n<table>"
                    "<tr>" + "".join(f"<th>{heading}</th>" for heading in headings) + "</tr>\n")
        body += [_html_row(line, columns, precision, hottest) for line in lines]
        body.append("</table>\n")
    stream.write(_PAGE.format(body="".join(body)))


def show_results(prof, stream=None, precision=1, *, columns=None, sort=None, threshold=None,
                 color=None, format="text"):
    """Writes the report of each function that ran to `stream` (default: standard output).

    columns: of mem, inc, hits, peak, time. sort: one of them (highest first), or "line". threshold: only
    lines that took or released at least this many MiB. color: "auto" (on a terminal), "always", "never".
    format: "text", "json", "html".
    """
    stream = sys.stdout if stream is None else stream
    columns = shown_columns(columns, sort)
    for name in {"peak", "time"}.intersection(columns).difference(getattr(prof, "columns", ()) or ()):
        raise ValueError(f"{name} was not measured: pass it to LineProfiler(columns=...)")
    if format == "json":
        _write_json(prof, stream, columns, sort, threshold)
    elif format == "html":
        _write_html(prof, stream, precision, columns, sort, threshold)
    else:
        _write_text(prof, stream, precision, columns, sort, threshold, color)


def discard_output(stream):
    """Redirects a stream that cannot be written to /dev/null: otherwise Python fails to flush it at exit
    and reports that."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (AttributeError, OSError, ValueError):
        pass  # not a file
