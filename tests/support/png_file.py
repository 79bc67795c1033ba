"""Reads and writes PNG files of the kind that mprof writes: 8 bits, palette or RGB, no filters. Pixels are
rows of consecutive r, g, b bytes."""

import struct
import zlib


def chunks(data):
    """(kind, body) of each chunk; a wrong checksum is an error."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG signature"
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        (check,) = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert check == zlib.crc32(kind + body), f"{kind}: checksum"
        yield kind, body
        at += 12 + length


def read(path):
    """(width, height, rows)"""
    with open(path, "rb") as file:
        found = list(chunks(file.read()))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", dict(found)[b"IHDR"])
    assert depth == 8 and colour in (2, 3) and not interlace, (depth, colour, interlace)
    data = zlib.decompress(b"".join(body for kind, body in found if kind == b"IDAT"))
    stride = width * (3 if colour == 2 else 1) + 1
    rows = []
    for y in range(height):
        row = data[y * stride:(y + 1) * stride]
        assert row[0] == 0, f"filter {row[0]}"
        rows.append(row[1:])
    if colour == 3:
        palette = dict(found)[b"PLTE"]
        colours = [palette[i:i + 3] for i in range(0, len(palette), 3)]
        rows = [b"".join(colours[index] for index in row) for row in rows]
    return width, height, rows


def write(path, width, height, rows):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))))
        file.write(chunk(b"IEND", b""))
