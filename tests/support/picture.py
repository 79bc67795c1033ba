"""Reads an SVG of mprof plot: its texts, and the numbers that its script works with."""

import json
import pathlib
import re
import types
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
UNITS = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "TiB": 1048576.0}
MEMORY = re.compile(r"(?<![\d.,])(\d+(?:\.\d+)?)\s+(KiB|MiB|GiB|TiB)")
LETTERS = [chr(code) for code in range(33, 127) if chr(code) not in "\"&'<>\\"]
COMMAND = 3  # a track of the processes of a command
DIGITS = {letter: digit for digit, letter in enumerate(LETTERS)}


def memories(text):
    """(MiB, half a unit of the last place) of each amount of memory in a text."""
    found = []
    for number, unit in MEMORY.findall(text.replace("\u2212", "-")):
        places = len(number.partition(".")[2])
        found.append((float(number) * UNITS[unit], 0.5 * 10 ** -places * UNITS[unit]))
    return found


class Stream:
    """Numbers in base 44; see svg_data.c."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def count(self):
        value, scale = 0, 1
        while True:
            digit = DIGITS[self.text[self.at]]
            self.at += 1
            if digit < 44:
                return value + digit * scale
            value += (digit - 44) * scale
            scale *= 44

    def signed(self):
        value = self.count()
        return -(value + 1) // 2 if value % 2 else value // 2


class Picture:
    """`texts` by class; `facts` in pieces; `legend` in pieces; `titles` of elements; `ticks`."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.root = ElementTree.parse(path).getroot()
        self.texts = {}
        for node in self.root.iter(SVG + "text"):
            for name in (node.get("class") or "").split():
                self.texts.setdefault(name, []).append(node.text or "")
        # the line below the title may be cut, the description is not
        self.facts = [fact.strip() for fact in self.root.find(SVG + "desc").text.split("\u00b7")]
        self.titles = [node.text or "" for node in self.root.iter(SVG + "title")][1:]
        metadata = self.root.find(SVG + "metadata")
        self.data = json.loads(metadata.text) if metadata is not None else {}
        self.ticks, self.tracks = self._read_ticks() if "ticks" in self.data else ([], [])

    def _read_ticks(self):
        from_s, _, step_s = self.data["time"]
        low, _, step = self.data["memory"]
        stream = Stream(self.data["ticks"])
        ticks, time, total = [], 0, 0
        for _ in range(stream.count()):
            number = stream.count()
            time += number // 12
            total += stream.signed()
            ticks.append(types.SimpleNamespace(seconds=from_s + time * step_s, rest=number % 3,
                                               total=low + total * step, values={}, counts={}))
        for track, (kind, *_) in enumerate(self.data["tracks"]):
            at = value = 0
            for _ in range(stream.count() if kind else 0):
                at += stream.count()
                for _ in range(stream.count()):
                    value += stream.signed()
                    ticks[at].values[track] = low + value * step
                    if self.data["tracks"][track][0] == COMMAND:
                        ticks[at].counts[track] = stream.count()
                    at += 1
        assert stream.at == len(stream.text)
        return ticks, [(track[0], track[1]) for track in self.data["tracks"]]

    def peak(self, of=""):
        """The highest memory that the heading admits: MiB, with half a unit of its last place."""
        for fact in self.facts:
            if fact.startswith(f"{of}peak "):
                return memories(fact)[0]
        return None

    def texts_of(self, group):
        """All texts of a group, in drawing order."""
        return [node.text or "" for one in self.root.iter(SVG + "g") if one.get("class") == group
                for node in one.iter(SVG + "text")]

    def legend(self):
        """Rows of the tables, as lists of texts, each with the head of its table in front."""
        group = next((node for node in self.root.iter(SVG + "g") if node.get("class") == "legend"), None)
        rows, heads = [], []
        for node in group if group is not None else ():
            if node.tag != SVG + "text":
                continue
            kind = node.get("class").split()[0]
            if kind == "legend-head":
                if heads and rows and rows[-1][0] is heads:
                    heads = []
                heads.append(node.text)
            elif kind == "legend-name":
                rows.append((heads, [node.text]))
            elif kind == "legend-cell":
                rows[-1][1].append(node.text)
        return rows


