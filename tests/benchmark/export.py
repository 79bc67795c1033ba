"""Exporting: any number of samples and calls in little memory, in every format."""

import random

from measure import MPROF, samples_file

FORMATS = ("perfetto", "chrome", "openmetrics", "csv", "json")


def many_calls(folder, count):
    """A recording with that many calls, written at their ends, as they are recorded: out of order by entry."""
    path = folder / f"calls-{count}.dat"
    if not path.exists():
        generator = random.Random(1)
        with path.open("w") as stream:
            stream.write("CMDLINE calls\nMEM 100.000000 1700000000.0000\n")
            for i in range(count):
                end = 1700000000 + i / 1000
                stream.write(f"FUNC app.f{i % 50} 100.0000 {end - generator.random() * 0.01:.6f} 101.0000 {end:.6f} 0\n")
    return path


def measure(table):
    many = samples_file(table.folder, 10_000_000)
    million = samples_file(table.folder, 1_000_000)
    for form in FORMATS:
        export = [MPROF, "export", "--to", form, "-o", table.folder / f"export.{form}"]
        table.limit(f"export 1e7 samples, {form}, peak RSS", [*export, many], 32, "MiB", runs=1)
        table.limit(f"export 1e6 samples, {form}", [*export, million], 5, "s", what="cpu")
    calls = many_calls(table.folder, 1_000_000)
    for form in ("perfetto", "speedscope", "collapsed"):
        export = [MPROF, "export", "--to", form, "-o", table.folder / f"export.{form}"]
        table.limit(f"export 1e6 calls, {form}, peak RSS", [*export, calls], 32, "MiB", runs=1)
    for form in (*FORMATS, "speedscope", "collapsed"):
        (table.folder / f"export.{form}").unlink(missing_ok=True)
