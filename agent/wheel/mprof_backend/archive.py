"""Writes archives: the same files give the same bytes, wherever and whenever."""

import base64
import gzip
import hashlib
import io
import os
import stat
import tarfile
import time
import zipfile

# A zip file has no earlier time.
_FIRST = 315532800


def _time():
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", _FIRST)), _FIRST)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _hash(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _entry(name, is_program):
    entry = zipfile.ZipInfo(name, time.gmtime(_time())[:6])
    entry.create_system = 3  # Unix: the rights count
    entry.external_attr = (stat.S_IFREG | (0o755 if is_program else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def write_wheel(path, files, texts, dist_info):
    """files: {name: path}, texts: {name: text}. .dist-info is last, as the format recommends, and in it RECORD."""
    record = io.StringIO()
    with zipfile.ZipFile(path + ".part", "w") as wheel:
        for name in sorted({*files, *texts}, key=lambda name: (name.startswith(dist_info), name)):
            data = _read(files[name]) if name in files else texts[name].encode()
            is_program = name in files and os.access(files[name], os.X_OK)
            wheel.writestr(_entry(name, is_program), data, compresslevel=9)
            record.write(f"{name},{_hash(data)},{len(data)}\n")
        record.write(f"{dist_info}/RECORD,,\n")
        wheel.writestr(_entry(f"{dist_info}/RECORD", False), record.getvalue(), compresslevel=9)
    os.replace(path + ".part", path)


def _tar_entry(name, size, is_program):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, _time(), 0o755 if is_program else 0o644
    return entry


def write_sdist(path, stem, folder, names, texts):
    """names: of files below the folder; texts: {name: text}."""
    with open(path + ".part", "wb") as raw, \
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=_time()) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted({*names, *texts}):
            source = os.path.join(folder, name)
            data = texts[name].encode() if name in texts else _read(source)
            is_program = name not in texts and os.access(source, os.X_OK)
            tar.addfile(_tar_entry(f"{stem}/{name}", len(data), is_program), io.BytesIO(data))
    os.replace(path + ".part", path)
