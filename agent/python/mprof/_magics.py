"""The IPython magic %%mprof: records a cell and shows its picture below it."""

import argparse
import ast
import os
import re
import shlex
import shutil
import sys
import tempfile

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.display import display

from ._program import program
from ._options import OPTIONS
from ._options import check as check_options
from ._recording import Recording

# The decorator that a cell's own functions get.
_MARK = "__mprof_record__"
_BEGIN = "mprof_cell"

# Ends of names of recordings; -o with another one is a picture.
_RECORDINGS = (".dat", ".dat.gz", ".dat.zst")

_DESCRIPTION = """Record this cell, with its functions, threads and child processes, and show its memory.

  %%mprof [options]
  code

  %mprof [options] statement
  %mprof [options]             the rest of this cell

Recorded are the functions that the notebook defines, and those that are decorated with @profile."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(f"%%{self.prog}: {message}")

    def exit(self, status=0, message=None):
        raise UsageError(message or "")


def _parser():
    parser = _Parser(prog="mprof", description=_DESCRIPTION, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False)
    add = parser.add_argument
    add("-o", "--output", metavar="FILE", action="append", default=[],
        help="also write the picture to FILE (.svg, .png, .pdf ...), or the recording to FILE.dat")
    add("-r", "--name", metavar="NAME", help="keep the picture in the variable NAME")
    add("-q", "--quiet", action="store_true", help="do not show the picture")
    add("-T", "--interval", metavar="SECONDS", type=float, default=0.01,
        help="time between samples (0.01)")
    add("-C", "--include-children", action="store_true",
        help="MEM is the sum over this process and its descendants")
    add("--functions", metavar="PATTERN", action="append", default=[],
        help="also record these functions: module:name, both with wildcards")
    add("-n", "--no-function-ts", action="store_true", help="record and draw no functions")
    add("--backend", metavar="NAME", help="what is measured: psutil, psutil_pss, psutil_uss")
    for name, option in OPTIONS.items():
        if name == "no_function_ts" or not option.of_cells:
            continue
        flags = [*option.short, "--" + name.replace("_", "-")]
        if option.takes is None:
            add(*flags, dest=name, action="store_true", default=None, help=option.help)
        else:
            add(*flags, dest=name, metavar=option.takes, help=option.help,
                action="append" if option.repeats else "store")
    return parser


class _Marker(ast.NodeTransformer):
    """Decorates the functions of a cell that begins with a recording."""

    _PLAIN = {"staticmethod", "classmethod", "property"}

    def visit_Module(self, node):
        if node.body and _begins_recording(node.body[0]):
            self.generic_visit(node)
        return node

    def _visit_function(self, node):
        # Another decorator may need the plain function: then @profile is the user's choice.
        plain = all(isinstance(decorator, ast.Name) and decorator.id in self._PLAIN
                    for decorator in node.decorator_list)
        if plain:
            mark = ast.copy_location(ast.Name(_MARK, ast.Load()), node)
            node.decorator_list.append(mark)
        return node  # without the functions inside

    visit_FunctionDef = visit_AsyncFunctionDef = _visit_function

    def visit_Lambda(self, node):
        return node


def _begins_recording(statement):
    call = getattr(statement, "value", None)
    return (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
            and call.func.attr == "run_line_magic" and call.args
            and getattr(call.args[0], "value", getattr(call.args[0], "s", None)) in ("mprof", _BEGIN))


def _transform(lines):
    """Turns the line %%mprof into the beginning of a recording: the rest of the cell then runs as it
    would without that line, with its own line numbers, errors, results and awaits."""
    if len(lines) < 2 or not lines[0].startswith("%%"):
        return lines
    name, _, options = lines[0][2:].strip().partition(" ")
    if name != "mprof" or not "".join(lines[1:]).strip():
        return lines
    return [f"get_ipython().run_line_magic({_BEGIN!r}, {options.strip()!r})\n", *lines[1:]]


# The terminal still waits for an empty line, as after any cell magic.
setattr(_transform, "has_side_effects", True)


class _Cell:
    """A cell that is being recorded."""

    def __init__(self, options, title, namespace):
        self.options = options
        self.title = title
        self.depth = 0  # of cells that this one runs
        kept = [name for name in options.output if name.endswith(_RECORDINGS)]
        # It is left behind if the kernel dies: then the recording is wanted.
        self.folder = None if kept else tempfile.mkdtemp(prefix="mprof-cell-")
        path = os.path.abspath(kept[0]) if kept else os.path.join(self.folder, "cell.dat")
        functions = None if options.no_function_ts else options.functions
        extra = ["--multiprocess"]
        if options.include_children:
            extra.append("--include-children")
        if options.backend:
            extra += ["--backend", options.backend]
        if options.memory:
            extra += ["--memory", options.memory]
        self.recording = Recording(program(), path, options.interval, extra, functions, _MARK, names_children=True,
                                   namespace=namespace)

    def drop(self):
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def draw(self):
        """The picture, which needs the file no longer."""
        from . import plot
        options = _plot_options(self.options)
        options.setdefault("title", self.title)
        picture = plot(self.recording.path, **options)
        if self.folder is not None:
            picture.forget_files()
        return picture


def _plot_options(options):
    names = {name for name, option in OPTIONS.items() if option.of_cells}
    return {name: value for name, value in vars(options).items() if name in names and value is not None}


@magics_class
class MprofMagics(Magics):
    """Registered by load_ipython_extension."""

    def __init__(self, shell):
        super().__init__(shell)
        self._cell = None

    def register_hooks(self):
        manager = self.shell.input_transformer_manager
        before = [i for i, transform in enumerate(manager.cleanup_transforms)
                  if getattr(transform, "__name__", "") == "cell_magic"]
        manager.cleanup_transforms.insert(before[0] if before else 0, _transform)
        self.shell.ast_transformers.append(_Marker())
        self.shell.events.register("pre_execute", self._enter)
        self.shell.events.register("post_execute", self._leave)

    def unregister_hooks(self):
        manager = self.shell.input_transformer_manager
        manager.cleanup_transforms[:] = [transform for transform in manager.cleanup_transforms
                                         if transform is not _transform]
        self.shell.ast_transformers[:] = [transformer for transformer in self.shell.ast_transformers
                                          if not isinstance(transformer, _Marker)]
        self.shell.events.unregister("pre_execute", self._enter)
        self.shell.events.unregister("post_execute", self._leave)

    def _enter(self):
        if self._cell is not None:
            self._cell.depth += 1

    def _leave(self):
        if self._cell is not None:
            self._cell.depth -= 1
            if self._cell.depth < 0:
                self._end()

    # --- one recording ---

    def _begin(self, options):
        """Whatever goes wrong with the recording, the cell runs."""
        if self._cell is not None:
            self._say("a cell that is being recorded cannot record another")
            return
        cell = None
        try:
            cell = _Cell(options, f"In [{self.shell.execution_count}]", self.shell.user_ns)
            cell.recording.start()
        except (OSError, RuntimeError) as error:
            self._say(f"the cell is not recorded: {error}")
        else:
            self._cell = cell
        finally:
            if cell is not None and self._cell is not cell:
                cell.drop()

    def _end(self):
        """Ends the recording; returns its picture, or None."""
        cell, self._cell = self._cell, None
        try:
            cell.recording.stop()
            for note in cell.recording.notes:
                self._say(note)
            return self._show(cell)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            self._say(f"there is no picture: {error}")
            return None
        finally:
            cell.drop()

    def _show(self, cell):
        options = cell.options
        picture = cell.draw()
        if options.name:
            self.shell.user_ns[options.name] = picture
        if not options.quiet:
            # the page shows the living picture; readers without scripts show the PNG
            display(picture, exclude=["image/svg+xml"])
        for name in options.output:
            if not name.endswith(_RECORDINGS):
                try:
                    picture.save(name)
                except (OSError, RuntimeError, ValueError) as error:
                    self._say(f"the picture is not saved: {error}")
        return picture

    @staticmethod
    def _say(text):
        print(text if text.startswith("mprof: ") else f"mprof: {text}", file=sys.stderr)

    # --- magics ---

    def _parse(self, line):
        try:
            options = _parser().parse_args(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"%%mprof: {error}") from None
        if options.name and not options.name.isidentifier():
            raise UsageError(f"%%mprof: --name must be the name of a variable, not {options.name!r}")
        try:
            check_options(_plot_options(options))  # before anything runs
        except ValueError as error:
            raise UsageError(f"%%mprof: --{str(error).replace('_', '-', 1)}") from None
        return options

    @line_magic(_BEGIN)
    def begin(self, line):
        """The beginning of a cell %%mprof."""
        self._begin(self._parse(line))

    @line_cell_magic
    def mprof(self, line="", cell=None):
        if cell is not None:  # of a cell this is the way of programs: _transform is that of users
            self._begin(self._parse(line))
            try:
                self.shell.run_cell(cell)
            finally:
                self._end()
            return None
        options, statement = _split(line)
        options = self._parse(options)
        if not statement:
            self._begin(options)  # the rest of this cell
            return None
        code = compile(self.shell.transform_cell(statement), "<mprof>", "exec")
        picture = None
        self._begin(options)
        try:
            exec(code, self.shell.user_ns)
        finally:
            picture = self._end()
        return picture if options.quiet else None


_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""")


def _split(line):
    """Options, and the statement behind them."""
    takes = {flag for action in _parser()._actions if action.nargs is None for flag in action.option_strings}
    at = 0
    while True:
        at += len(line[at:]) - len(line[at:].lstrip())
        word = _WORD.match(line, at)
        if not word or not word[0].startswith("-"):
            break
        at = word.end()
        if word[0] == "--":
            return line[:word.start()], line[at:].strip()
        if word[0] in takes:
            value = _WORD.match(line, at + len(line[at:]) - len(line[at:].lstrip()))
            at = value.end() if value else len(line)
    return line[:at], line[at:].strip()


def load(shell):
    magics = MprofMagics(shell)
    shell.register_magics(magics)
    magics.register_hooks()
    shell.mprof_magics = magics


def unload(shell):
    magics = getattr(shell, "mprof_magics", None)
    if magics is not None:
        magics.unregister_hooks()
        for kind, name in (("line", "mprof"), ("cell", "mprof"), ("line", _BEGIN)):
            shell.magics_manager.magics[kind].pop(name, None)
        del shell.mprof_magics


# What %mprof? shows.
MprofMagics.mprof.__doc__ = _parser().format_help().partition("\n\n")[2]
