"""Pictures of recordings, by the C library."""

import base64
import collections
import ctypes
import errno
import html
import math
import os
import pathlib
import re
import shlex
import sys
import threading
import uuid
import warnings
from ctypes import byref, c_char_p, c_size_t, c_void_p

from . import _library, _options, _style
from ._library import make, text

# A text engine serves one thread at a time.
_lock = threading.Lock()
_engines = {}

Function = collections.namedtuple(
    "Function", "name label calls total_s own_s longest_s change_mib peak_mib")
Process = collections.namedtuple(
    "Process", "pid ppid name mean_mib peak_mib kernel_peak_mib start_s end_s")


def _encoded(value):
    return None if value is None else value.encode("utf-8", "surrogateescape")


def _kinds(options):
    return sum({1 << _library.KINDS.index(kind) for kind in options.get("memory", ()) if kind != "group"})


def _set_form(figure, options):
    """How many are shown, and what they are; ValueError: options that make no sense together."""
    forms = [name for name in _library.FORMS if name and options.get(name)]
    by = options.get("by")
    others = [name for name in ("flame", "stack", "slope", "memory", "group", "func", "min_duration") if options.get(name)]
    if forms == ["tree"]:
        others += [name for name in ("log", "ylim", "as_one", "no_function_ts") if options.get(name)]
    if forms and forms != ["band"]:
        others += [name for name in ("limit", "line", "mark") if options.get(name)]
    if len(forms) > 1:
        raise ValueError(f"{' and '.join(forms)} are different pictures: choose one")
    if forms and others:
        raise ValueError(f"{forms[0]} does not show what {others[0]} asks for: leave one out")
    if by in _library.TREE_MEASURES or by and forms == ["tree"]:
        if forms != ["tree"] or by not in _library.TREE_MEASURES:
            raise ValueError(f"by={by!r} is for {'other pictures' if forms == ['tree'] else 'tree'}")
        figure.tree, by = _library.TREE_MEASURES.index(by), None
    if by == "function" and forms or by not in (None, "process", "function") and not forms:
        raise ValueError(f"by={by!r} is for {'flame' if forms else 'band, small_multiples and heat'}")
    figure.order = by == "function"
    figure.form = _library.FORMS.index(forms[0] if forms else None)
    figure.members = _library.MEMBERS.index(None if by == "function" else by)


def _figure_options(options):
    """The struct, and the style of its colours, or None."""
    figure = _library.FigureOptions()
    _library.load().figure_options_init(byref(figure), ctypes.sizeof(figure))
    if "size" in options:
        figure.width_px, figure.height_px = options["size"]
        figure.grow = 0
    figure.unit = _library.UNITS.index(options.get("unit", "auto"))
    for name in ("flame", "slope", "stack", "as_one", "log"):
        setattr(figure, name, bool(options.get(name)))
    figure.title = _encoded(options.get("title"))
    figure.functions = not options.get("no_function_ts")
    figure.function = _encoded(options.get("func"))
    figure.min_duration_s = options.get("min_duration", 0)
    figure.window_s[:] = options.get("window", (0, 0))
    figure.range = _encoded(options.get("xlim"))
    figure.memory_mib[:] = options.get("ylim", (0, 0))
    _set_form(figure, options)
    figure.processes = _library.GROUPINGS.index(options.get("group", "auto"))
    figure.kinds = _kinds(options)
    figure.group = "group" in options.get("memory", ())
    if options.get("theme") == "paper":
        figure.colours_most = _library.PAPER_PATTERNS
    for bit, part in enumerate(_library.PARTS):
        if options.get("bare") or options.get("no_" + part):
            figure.without |= 1 << bit
    notes = [_library.Note(_library.NOTES.index(kind), at, _encoded(label))
             for kind in _library.NOTES for at, label in options.get(kind, ())]
    figure.notes = (_library.Note * len(notes))(*notes)
    figure.note_count = len(notes)
    labels = [_library.Label(os.fsencode(file), _encoded(name)) for file, name in options.get("label", ())]
    figure.labels = (_library.Label * len(labels))(*labels)
    figure.label_count = len(labels)
    style = None
    if "colors" in options:
        style, names, figure.hues_in_order = _style.colours(_library, options["colors"])
        figure.hue_names = (c_char_p * len(names))(*map(_encoded, names))
    return figure, style


def _engine(font):
    """Fonts are found once for each family."""
    if font not in _engines:
        library = _library.load()
        _engines[font] = make(library.text_engine_new, library.text_engine_free, _encoded(font))
    return _engines[font].pointer


def _paths(recordings):
    """The files to draw: paths, numbers as of `mprof list`, or the newest recording here."""
    from . import get_profile_filenames
    if len(recordings) == 1 and isinstance(recordings[0], (list, tuple)):
        recordings = recordings[0]
    if not recordings:
        every = get_profile_filenames("all")
        if not every:
            raise FileNotFoundError(
                errno.ENOENT, "no recording mprofile_*.dat here; name one, or record with `mprof run`",
                os.getcwd())
        recordings = [max(every)]
    paths = []
    for recording in recordings:
        if isinstance(recording, int) and not isinstance(recording, bool):
            try:
                paths += get_profile_filenames([recording])[:1]
            except ValueError:
                raise FileNotFoundError(errno.ENOENT, "no recording has this number here",
                                        str(recording)) from None
        else:
            paths.append(os.fspath(recording))
    return paths


def plot(*recordings, title=None, no_function_ts=None, window=None, flame=None, slope=None, stack=None,
         band=None, small_multiples=None, heat=None, tree=None, run=None, as_one=None, group=None, memory=None, func=None, min_duration=None, by=None,
         theme=None, size=None, no_title=None, no_facts=None, no_legend=None, no_peak=None, bare=None,
         xlim=None, ylim=None, log=None, unit=None, limit=None, line=None, mark=None, label=None,
         colors=None, style=None, transparent=None, dpi=None, font=None, no_script=None, embed=None):
    """Draws recordings; returns a Picture, which notebooks show.

    recordings: paths, or numbers as of `mprof list`; several are laid over each other; none: the newest
    recording of this directory. The keywords are the options of `mprof plot`, with the same defaults:

    title="text", no_function_ts=True, window=(from, to) in seconds, flame=True, slope=True,
    stack=True, band=True, small_multiples=True, heat=True, tree=True, run=2, as_one=True, group="command", memory=["pss"], func="module.*", min_duration=0.1,
    by="function", theme="dark", size=(800, 400) or "14x6in", no_title, no_facts, no_legend, no_peak,
    bare, xlim="14:05,14:30" or (from, to) in seconds, ylim=(low, high) in MiB, log=True, unit="GB",
    limit=512 or "2GiB:quota", line=, mark={3.5: "text"}, label={"a.dat": "before"},
    colors=["#1f77b4", "orange"] or {"main": "red"}, style="slides.ini", transparent, dpi=180,
    font="Inter", no_script, embed: an SVG to put into a page that contains svg_script() once.

    FileNotFoundError, or another OSError: a file cannot be read. ValueError: it is no recording, with
    "file:line: reason"; or an option cannot be used.
    """
    given = dict(locals())
    paths = _paths(given.pop("recordings"))
    return Picture(paths, _options.check(given))


class Picture:
    """A picture of recordings. It does not need their files any more.

    save(path), svg(), png(), pdf() and eps() draw it. peak is the highest sample in MiB, as `mprof peak`
    prints it.
    """

    def __init__(self, paths, options):
        library = _library.load()
        self._paths = paths
        self._given = options
        self._options = options = _style.with_files(options)
        self._figures = {}
        figure, self._style = _figure_options(options)
        self._profiles = _library.load_profiles(
            paths, figure, options.get("run"), lambda line: warnings.warn(line, stacklevel=4))
        count = c_size_t()
        profiles = library.profiles_list(self._profiles.pointer, byref(count))
        library.figure_options_choose_form(byref(figure), profiles, count)
        self._layout = figure
        self._figure(False)  # an option that cannot be used fails here
        self._list = _library.items(library.profiles_list, self._profiles.pointer)

    def forget_files(self):
        """The files will be gone: an SVG does not suggest the command that draws a part of them."""
        self._paths = []

    # --- drawing ---

    def _figure(self, living):
        """Laid out, with or without what a living SVG needs."""
        if living not in self._figures:
            library = _library.load()
            with _lock:
                engine = _engine(self._options.get("font"))
                measure = library.text_engine_measure(engine)
                count = c_size_t()
                profiles = library.profiles_list(self._profiles.pointer, byref(count))
                self._layout.states = living
                self._figures[living] = make(library.figure_layout, library.figure_free, profiles, count,
                                             byref(self._layout), byref(measure))
        return self._figures[living].pointer

    def _draw_options(self, form, dpi, still, whole):
        options = _library.DrawOptions(ctypes.sizeof(_library.DrawOptions))
        options.format = _library.FORMATS.index(form)
        options.theme = _library.THEMES.index(self._options.get("theme", "auto"))
        options.dpi = _options.OPTIONS["dpi"].check(dpi) if dpi is not None else self._options.get("dpi", 90)
        options.still = still
        options.shares_script = bool(self._options.get("embed")) and not whole
        if self._style is not None:
            options.style = ctypes.pointer(self._style)
        options.transparent = bool(self._options.get("transparent"))
        if self._paths:
            options.command = _encoded(_options.command(self._given))
            options.command_files = " ".join(map(shlex.quote, self._paths)).encode("utf-8", "surrogateescape")
        return options

    def _draw(self, form, path, dpi=None, script=True, whole=False):
        """Draws into a file, or returns the bytes if path is None. whole: an SVG has its script, whatever the
        option embed says."""
        library = _library.load()
        still = bool(form != "svg" or not script or self._options.get("no_script"))
        figure = self._figure(not still)
        options = self._draw_options(form, dpi, still, whole)
        with _lock:
            engine = _engine(self._options.get("font"))
            output = (make(library.output_open_memory, library.output_free) if path is None
                      else make(library.output_open, library.output_free, os.fsencode(path)))
            error = _library.Error()
            status = library.figure_draw(figure, byref(options), engine, output.pointer, byref(error))
            if status == _library.OK:
                status = library.output_commit(output.pointer, byref(error))
        _library.check(status, error)
        if path is None:
            size = c_size_t()
            return ctypes.string_at(library.output_bytes(output.pointer, byref(size)), size.value)
        return None

    def _bytes(self, form, dpi=None, script=True, whole=False):
        return self._draw(form, None, dpi, script, whole)

    def save(self, path, format=None, dpi=None):
        """Writes a file: .png, .svg, .svg.gz, .svgz, .pdf or .eps; format is that of another name. An older
        file is replaced only when the new one is complete. Returns the path."""
        name = os.fspath(path)
        form = format
        if form is None:
            stem = name[:-3] if name.endswith(".svg.gz") else name
            ending = os.path.splitext(stem)[1][1:].lower()
            form = "svg" if ending == "svgz" else ending
            if not form:
                form, name = "png", name + ".png"  # as the command does
        if form not in _library.FORMATS:
            raise ValueError(f"{name}: format must be one of {', '.join(_library.FORMATS)}, not {form!r}")
        self._draw(form, name, dpi)
        return name

    def show(self):
        """Shows the picture: in a notebook, else in the browser, for which it is written to a temporary file.
        Returns the path of that, or None."""
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if hasattr(shell, "kernel"):
            from IPython.display import display
            display(self, exclude=["image/svg+xml"])
            return None
        import tempfile
        import webbrowser
        path = self.save(os.path.join(tempfile.mkdtemp(prefix="mprof-"), "picture.svg"))
        webbrowser.open(pathlib.Path(path).as_uri())
        return path

    def svg(self, script=True):
        """The text of an SVG. script: in a browser it shows tooltips, zooms and searches."""
        return self._bytes("svg", script=script).decode("utf-8")

    def png(self, dpi=None):
        """The bytes of a PNG; dpi: 90 makes one pixel of a px."""
        return self._bytes("png", dpi)

    def pdf(self):
        """The bytes of a PDF of one page."""
        return self._bytes("pdf")

    def eps(self):
        """The bytes of an EPS."""
        return self._bytes("eps")

    @property
    def width(self):
        """In px, of which an inch has 90."""
        return _library.load().figure_width_px(self._figure(False))

    @property
    def height(self):
        return _library.load().figure_height_px(self._figure(False))

    def text_at(self, x, y):
        """What the tooltip at this place of the page says, line by line; "" where there is no data. In px, from the
        left and the top."""
        library = _library.load()
        figure = self._figure(True)
        hit = library.figure_hit_test(figure, x, y)
        buffer = ctypes.create_string_buffer(65536)
        library.hit_text(buffer, len(buffer), figure, byref(hit))
        return text(buffer.value)

    # --- numbers ---

    @property
    def peaks(self):
        """The highest sample in MiB of each recording, in their order; of each run of a file with several."""
        library = _library.load()
        return [library.profile_samples(profile).contents.peak.mib for profile in self._list]

    @property
    def peak(self):
        """The highest of them."""
        return max(self.peaks)

    @property
    def functions(self):
        """[Function(name, label, calls, total_s, own_s, longest_s, change_mib, peak_mib), ...]: the sums of all
        calls of all recordings, as the legend has them, the longest consumer first."""
        library = _library.load()
        count = c_size_t()
        profiles = library.profiles_list(self._profiles.pointer, byref(count))
        with _library.sums(library.function_sums_make, library.function_sums_free, _library.FunctionSum, profiles,
                           count, 0) as sums:
            return [Function(text(one.name), text(one.label), one.call_count, one.total_s, one.own_s,
                             one.longest_s, one.change_mib, _known(one.peak_mib)) for one in sums]

    @property
    def processes(self):
        """[Process(pid, ppid, name, mean_mib, peak_mib, kernel_peak_mib, start_s, end_s), ...]; the first one of
        a recording is its main process. None: not recorded. Times are unix seconds."""
        library = _library.load()
        found = []
        for profile in self._list:
            processes = _library.items(library.profile_processes, profile)
            with _library.sums(library.process_sums_make, library.process_sums_free, _library.ProcessSum,
                               profile) as sums:
                for one, of in ((processes[of.process], of) for of in sums):
                    sampled = of.sample_count > 0
                    found.append(Process(
                        one.pid if one.pid > 0 else None, one.ppid if one.ppid > 0 else None, text(one.name),
                        of.mean_mib if sampled else None, of.peak.mib if sampled else None,
                        _known(one.kernel_peak_mib), _known(one.birth_s), _known(one.end_s)))
        return found

    @property
    def title(self):
        return text(_library.load().figure_title(self._figure(False)))

    # --- notebooks ---

    def __repr__(self):
        library = _library.load()
        seconds = max(library.profile_end_s(one) - library.profile_start_s(one) for one in self._list)
        names = ", ".join(os.path.basename(path) for path in self._paths) or self.title
        return f"<mprof picture of {names}: peak {self.peak:.1f} MiB, {seconds:.2f} s>"

    def _repr_svg_(self):
        return self.svg(script=False)

    def _repr_png_(self):
        return self.png()

    def _repr_html_(self):
        svg = self._bytes("svg", whole=True)
        return _page(svg, self.width, self.height, self.title, self._options)


def svg_script():
    """The script for a page with pictures of plot(embed=True)."""
    size = c_size_t()
    script = _library.load().svg_script(byref(size))
    return ctypes.string_at(script, size.value).decode("utf-8")


def _known(number):
    return None if math.isnan(number) else number


# A frame has a document of its own: pictures of a page, and the page, do not share names or styles. A data URL's
# origin is opaque: no script in it reaches the page. Where scripts do not run, as in a notebook that is not
# trusted, the image stays. A frame follows the page's colours, as far as they are known, not the system's.
_FRAME = """<img class="mprof" data-mprof="{key}" src="data:image/svg+xml;base64,{data}" alt="{title}" \
style="width:{width:.0f}px;max-width:100%;height:auto;color-scheme:{scheme}">
<script>
for (const image of document.querySelectorAll('img[data-mprof="{key}"]')) {{
  const frame = document.createElement('iframe'), page = document.body;
  const dark = page.dataset.jpThemeLight === 'false' || page.classList.contains('vscode-dark') ||
    page.dataset.theme === 'dark' || document.documentElement.dataset.theme === 'dark';
  frame.title = image.alt;
  frame.allow = 'clipboard-write; fullscreen';
  frame.style.cssText = 'display:block;border:0;width:{width:.0f}px;max-width:100%;' +
    'aspect-ratio:{width:.0f}/{height:.0f};color-scheme:' + (dark && '{theme}' === 'auto' ? 'dark' : '{scheme}');
  frame.src = image.src;
  image.replaceWith(frame);
}}
</script>"""

_STILL = """<img class="mprof" src="data:image/svg+xml;base64,{data}" alt="{title}" \
style="width:{width:.0f}px;max-width:100%;height:auto;color-scheme:{scheme}">"""


def _page(svg, width, height, title, options):
    """HTML that shows a picture in a notebook: living where scripts run."""
    theme = options.get("theme", "auto")
    # it fills the frame, which may be narrower
    svg = re.sub(rb' width="[\d.]+" height="[\d.]+"', b' width="100%" height="100%"', svg, count=1)
    return (_STILL if options.get("no_script") else _FRAME).format(
        key=uuid.uuid4().hex, data=base64.b64encode(svg).decode("ascii"),
        title=html.escape(title), width=width, height=height, theme=theme,
        scheme="dark" if theme == "dark" else "light")
