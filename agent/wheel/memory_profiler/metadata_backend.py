"""Builds a wheel named memory_profiler that has metadata and no module: the modules are those of the wheel mprof. It
satisfies requirements such as memory_profiler>=0.58, for pip and for importlib.metadata."""

import base64
import hashlib
import os
import zipfile

_VERSION = "0.61"
_STEM = "memory_profiler-" + _VERSION
_INFO = _STEM + ".dist-info"
_FILES = {
    "METADATA": f"""Metadata-Version: 2.1
Name: memory-profiler
Version: {_VERSION}
Summary: The interface of memory_profiler {_VERSION}, by the modules of mprof
License: BSD-3-Clause
Requires-Python: >=3.8
Requires-Dist: mprof
""",
    "WHEEL": """Wheel-Version: 1.0
Generator: mprof
Root-Is-Purelib: true
Tag: py3-none-any
""",
}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = _STEM + "-py3-none-any.whl"
    record = ""
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, text in _FILES.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{_INFO}/{file},sha256={digest},{len(text)}\n"
            wheel.writestr(_entry(file), text)
        wheel.writestr(_entry("RECORD"), record + f"{_INFO}/RECORD,,\n")
    return name


def _entry(file):
    entry = zipfile.ZipInfo(f"{_INFO}/{file}", (1980, 1, 1, 0, 0, 0))  # the same bytes each time
    entry.external_attr = 0o100644 << 16
    return entry


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    os.makedirs(os.path.join(metadata_directory, _INFO))
    for file, text in _FILES.items():
        with open(os.path.join(metadata_directory, _INFO, file), "w", encoding="utf-8") as out:
            out.write(text)
    return _INFO


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("this folder is a part of mprof's source distribution: build its wheel with pip wheel")
