"""Reading: `mprof peak` against upstream's, and against the plain loop in C."""

from measure import BUILD, MPROF, UPSTREAM, samples_file


def measure(table):
    million = samples_file(table.folder, 1_000_000)
    ours = [MPROF, "peak", million]
    table.compare("read 1e6 samples, getline + strtod", ours,
                  [BUILD / "bench-strtod-loop", million], goal=6, runs=15)
    table.compare("read 1e6 samples, upstream", ours, [*UPSTREAM, "peak", million], goal=30)
    table.compare("read 1e6 samples, upstream, peak RSS", ours, [*UPSTREAM, "peak", million],
                  goal=30, what="rss", runs=3)
    many = samples_file(table.folder, 10_000_000)
    table.limit("read 1e7 samples, peak RSS", [MPROF, "peak", many], 8, "MiB")
    table.ratio("read 1e7 against 1e6 samples, peak RSS", [MPROF, "peak", many], ours, 1.1,
                what="rss", runs=3)
