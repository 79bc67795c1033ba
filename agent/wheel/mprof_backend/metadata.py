"""What the wheel says of itself."""

import os
import re

from . import build

_METADATA = """Metadata-Version: 2.1
Name: mprof
Version: {version}
Summary: Memory over time, of any program, recorded and drawn natively
License: BSD-3-Clause
Classifier: Environment :: Console
Classifier: Intended Audience :: Developers
Classifier: License :: OSI Approved :: BSD License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: C
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: Python :: Implementation :: CPython
Classifier: Topic :: Software Development :: Debuggers
Classifier: Framework :: IPython
Classifier: Framework :: Pytest
Classifier: Typing :: Typed
Keywords: memory,profiler,rss,memory_profiler,flame
Requires-Python: >=3.8
Description-Content-Type: text/markdown

{description}"""

_WHEEL = """Wheel-Version: 1.0
Generator: mprof {version}
Root-Is-Purelib: false
Tag: {tag}
"""


def _read(name):
    with open(os.path.join(build.SOURCE, name), encoding="utf-8") as file:
        return file.read()


def _number(name):
    return re.search(rf"^#define MPROF_{name} (\d+)", _read("parse/include/mprof/version.h"), re.M)[1]


def version():
    """The public header is where the version is written."""
    return ".".join(_number(f"VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH"))


def soversion():
    """The number in the names of shared libraries, and of the component that has them."""
    return _number("SOVERSION")


def dist_info():
    return f"mprof-{version()}.dist-info"


def files(tag=None):
    """{name in .dist-info: text}; WHEEL needs the tag."""
    texts = {"METADATA": _METADATA.format(version=version(), description=_read("README.md")),
             "entry_points.txt": _read("agent/python/entry_points.txt")}
    if tag:
        texts["WHEEL"] = _WHEEL.format(version=version(), tag=tag)
    return texts
