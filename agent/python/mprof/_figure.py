"""Draws recordings into a script's own matplotlib figure. The command `mprof plot` does not use this."""

import itertools
import sys
import time

# matplotlib interrupts a line here.
_GAP = float("nan")
_CURVES = ("black", "tab:blue", "tab:red", "tab:green", "tab:cyan", "tab:olive", "tab:purple")
_FUNCTIONS = ("tab:cyan", "tab:olive", "tab:green", "tab:red", "tab:blue")
_PEAK = {"color": "red", "linestyle": "dashed", "linewidth": 1}


def _pyplot():
    try:
        from matplotlib import pyplot
    except ImportError as error:
        sys.exit(f"mprof: drawing into a figure needs matplotlib ({error}); "
                 "install it, or use `mprof plot`")
    return pyplot


def _points(recording):
    """[(seconds since the start, MiB), ...] in time order, and the start. Adds the measurements at entry
    and exit of calls to the samples of the recording."""
    moments, memory = recording["timestamp"], recording["mem_usage"]
    for spans in recording["func_timestamp"].values():
        for span in spans:
            moments.extend(span[:2])
            memory.extend(span[2:4])
    pairs = sorted(zip(moments, memory), key=lambda pair: pair[0])
    start = pairs[0][0]
    return [(moment - start, mib) for moment, mib in pairs], start


def _slope(points):
    """(MiB per second, MiB at 0) of the least-squares line."""
    count = len(points)
    middle = sum(moment for moment, _ in points) / count
    mean = sum(mib for _, mib in points) / count
    spread = sum((moment - middle) ** 2 for moment, _ in points)
    rise = sum((moment - middle) * (mib - mean) for moment, mib in points)
    slope = rise / spread if spread > 0 else 0.0
    return slope, mean - slope * middle


def _draw_curve(axes, points, label, color, options, marker="+"):
    trend = _slope(points) if getattr(options, "slope", False) else None
    if trend:
        label += f" slope {trend[0]:.5f}"
    axes.plot(*zip(*points), color=color, marker=marker, label=label)
    if trend:
        ends = (points[0][0], points[-1][0])
        axes.plot(ends, [trend[0] * end + trend[1] for end in ends], "--", color=color,
                  linewidth=0.5)


def _draw_peak(axes, point):
    axes.axvline(point[0], **_PEAK)
    axes.axhline(point[1], **_PEAK)


def _draw_curves(axes, recording, index, children, options, marker):
    """Draws the curves of the program and its children; returns (highest point, start)."""
    points, start = _points(recording)
    when = time.strftime("%d / %m / %Y - start at %H:%M:%S", time.localtime(start))
    _draw_curve(axes, points, f"{when}.{min(999, round(start % 1 * 1000)):03d}",
                _CURVES[index % len(_CURVES)], options, marker)
    if children and recording["children"]:
        colors = itertools.cycle(_CURVES[1:] + _CURVES[:1])
        highest = (0, 0)
        for (pid, pairs), color in zip(recording["children"].items(), colors):
            curve = [(moment - start, mib) for mib, moment in pairs]
            _draw_curve(axes, curve, f"child {pid}", color, options)
            highest = max(highest, *curve, key=lambda point: point[1])
        _draw_peak(axes, highest)
    return max(points, key=lambda point: point[1]), start


def _is_shown(moment, options):
    window = getattr(options, "xlim", None)
    return window is None or window[0] <= moment <= window[1]


def _draw_functions(axes, recording, labels, start, options):
    """Draws a bracket at the entry and exit of each call."""
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    arm, height = (right - left) / 60, (top - bottom) / 20
    colors = itertools.cycle(_FUNCTIONS)
    for (name, spans), color in zip(recording["func_timestamp"].items(), colors):
        x, y = [], []
        for span in spans:
            for side, moment, mib in ((arm, span[0], span[2]), (-arm, span[1], span[3])):
                if _is_shown(moment - start, options):
                    at = moment - start
                    x += [at + side, at, at, at + side, _GAP]
                    y += [mib + height, mib + height, mib - height, mib - height, _GAP]
        seconds = sum(span[1] - span[0] for span in spans)
        calls = f" {len(spans)} calls," if len(spans) > 1 else ""
        # matplotlib hides labels that begin with an underscore
        label = f"{labels[name]}{calls} {seconds:.3f}s"
        axes.plot(x, y, color=color, linewidth=2, label=" " * (label[0] == "_") + label)


def draw_brackets(recording, labels, index, timestamps, children, options):
    axes = _pyplot().gca()
    highest, start = _draw_curves(axes, recording, index, children, options, "+")
    if timestamps:
        _draw_functions(axes, recording, labels, start, options)
        _draw_peak(axes, highest)
    return recording


def draw_flame(recording, labels, index, timestamps, children, options):
    """Draws calls as bars over the curve, one row per level."""
    axes = _pyplot().gca()
    highest, start = _draw_curves(axes, recording, index, children, options, "")
    axes.grid(True)
    rows = axes.twinx()
    rows.set_yticks([])
    width = max(1e-9, axes.get_xlim()[1] - axes.get_xlim()[0])
    levels = 0
    colors = itertools.cycle(_FUNCTIONS)
    for (name, spans), color in zip(recording["func_timestamp"].items(), colors):
        for span in spans if timestamps else ():
            level = span[4] if len(span) > 4 else 0
            levels = max(levels, level + 1)
            rows.broken_barh([(span[0] - start, span[1] - span[0])], (level, 1), facecolor=color,
                             edgecolor="white", alpha=0.5)
            if span[1] - span[0] > width / 20:
                rows.text((span[0] + span[1]) / 2 - start, level + 0.5, labels[name], ha="center",
                          va="center", clip_on=True)
    rows.set_ylim(0, levels + 1)
    rows.grid(False)
    if timestamps:
        _draw_peak(axes, highest)
    return recording
