"""The page of mprof report in a real browser: sorting, filtering, zooming, keys, colours, paper, and a policy that forbids
scripts and style sheets. It fetches nothing, prints no message, and names stay text."""

import functools
import http.server
import pathlib
import re
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from browser_case import BrowserCase  # noqa: E402
from mprof_test import FIXTURES, own_line  # noqa: E402

NESTED = FIXTURES / "dat" / "nested.dat"
# What Jenkins sends with files of a build.
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"

HOSTILE = ["<script>window.hacked=1</script>", "</script><script>window.hacked=2</script>", "\"><img src=x onerror=window.hacked=3>",
           "' onmouseover='window.hacked=4", "\u202egnp.exe", "\x1b[31mred", "__proto__", "constructor", "{{name}}", "a" * 100000]

# Rows of a table that are shown: name and cells.
ROWS = """
return [...document.querySelectorAll(arguments[0] + ' tbody tr')].filter(row => row.getClientRects().length)
    .map(row => [...row.cells].map(cell => cell.textContent));
"""


class Page(BrowserCase):
    def tearDown(self):
        self.assertEqual(self.browser.messages(), [])
        self.assertFalse(self.browser.run("return 'hacked' in window"))
        super().tearDown()

    def show(self, *arguments):
        """Opens the page of these recordings; nothing but it is requested."""
        path = self.directory / "report.html"
        self.run_mprof("report", "-o", path, *arguments)
        self.browser.open(path)
        self.browser.settle()
        self.assertEqual([url for url in self.browser.requests() if not url.startswith("data:")], [path.as_uri()])
        return path

    def rows(self, table):
        return self.browser.run(ROWS, table)

    def click(self, selector, text="", exact=False):
        """Clicks the first shown element of a selector with that text."""
        box = self.browser.run("""
            const node = [...document.querySelectorAll(arguments[0])].find(node => node.getClientRects().length && (node.textContent.replace(/,.*/, '') === arguments[1] || !arguments[2] && node.textContent.includes(arguments[1])));
            node.scrollIntoView({ block: 'center' });
            const { x, y, width, height } = node.getBoundingClientRect();
            return { x: x + width / 2, y: y + height / 2 };""", selector, text, exact)
        self.browser.click(box["x"], box["y"])

    def job(self, name, peak, processes=0):
        lines = ["CMDLINE job"] + [f"MEM {peak if i == 20 else peak / 2} {1000 + i / 10:.2f}" for i in range(50)]
        text = "\n".join(lines) + "\n"
        for i in range(processes):
            text += own_line("PROC", 100 + i, 1, f"{1000 + i / 10:.6f}", f"worker-{i}")
            text += "".join(f"CHLD {100 + i} {10 + i} {1000 + k / 10:.2f}\n" for k in range(i, 50))
        return self.write(name, text)

    def test_columns_are_sorted_in_both_directions(self):
        self.show(NESTED)
        table = "table[data-filtered=functions]"
        names = [row[0] for row in self.rows(table)]
        self.assertEqual(names, ["fit", "branch", "leaf", "predict"])
        for head, column in (("calls", 4), ("longest", 7)):
            self.click(f"{table} th button", head, exact=True)
            values = [float(row[column]) for row in self.rows(table)]
            self.assertEqual(values, sorted(values, reverse=True))
            self.click(f"{table} th button", head, exact=True)
            self.assertEqual([float(row[column]) for row in self.rows(table)], sorted(values))
            sorted_by = self.browser.run("return [...document.querySelectorAll('#x, [aria-sort]')].map(n => [n.textContent.trim(), n.ariaSort])")
            self.assertIn(["ascending"], [pair[1:] for pair in sorted_by if pair[0].startswith(head)])
        self.assertIn("ascending", self.browser.run("return document.getElementById('said').textContent"))
        self.click(f"{table} th button", "name")
        self.assertEqual([row[0] for row in self.rows(table)], sorted(names))

    def test_long_tables_are_folded_and_filtered(self):
        self.show(self.job("job.dat", 100, processes=30))
        table = "table[data-filtered=processes]"
        self.assertEqual(len(self.rows(table)), 10)
        self.click("button.show", "show all 31")
        self.assertEqual(len(self.rows(table)), 31)
        self.click("button.show", "show fewer")
        self.click("input[data-filter=processes]")
        self.browser.type("WORKER-2")
        self.assertEqual({row[0] for row in self.rows(table)}, {"worker-2", *(f"worker-2{i}" for i in range(10))})
        self.browser.type("zz")
        self.assertEqual(self.rows(table), [])
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('.none-left')].filter(n => !n.hidden).length"), 1)
        self.browser.press("Escape")
        self.assertEqual(len(self.rows(table)), 10)

    def test_unknown_values_come_last(self):
        text = self.job("job.dat", 100, processes=3).read_text() + own_line("PEAK", 101, "55.000000", "1005.000000")
        self.show(self.write("peaks.dat", text))
        table = "table[data-filtered=processes]"
        for _ in range(2):
            self.click(f"{table} th button", "exact peak")
            self.assertEqual([row[2] == "\u2013" for row in self.rows(table)], [False, True, True, True])

    def test_pictures_zoom(self):
        self.show(NESTED, self.job("job.dat", 100))
        self.assertEqual(self.browser.run("return document.querySelectorAll('details[open]').length"), 0)
        for index in range(2):
            self.click("details > summary", ["nested", "job"][index])
            box = self.browser.run("""
                const svg = document.querySelectorAll('figure .wide > svg')[arguments[0]];
                svg.scrollIntoView({ block: 'center' });
                const { x, y, width, height } = svg.getBoundingClientRect();
                return { x, y, width, height, living: svg.classList.contains('living') };""", index)
            self.assertTrue(box["living"])
            self.zoom(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4,
                      box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
            zoomed = self.browser.run("return [...document.querySelectorAll('figure .wide > svg')].map(n => n.classList.contains('zoomed'))")
            self.assertEqual(zoomed, [True, index == 1])

    def test_colours_follow_the_reader_and_the_buttons(self):
        self.show(NESTED)
        colour = """
            const of = (node, name) => getComputedStyle(node)[name];
            return [of(document.documentElement, 'backgroundColor'), of(document.querySelector('svg .curve'), 'stroke'),
                of(document.querySelector('svg.sw rect'), 'fill'), of(document.querySelector('svg.mprof .rug, svg.mprof .lane-bar, svg.mprof .bracket'), 'stroke')];"""
        light = self.browser.run(colour)
        self.browser.prefer("dark")
        dark = self.browser.run(colour)
        self.assertEqual((light[0], dark[0]), ("rgb(255, 255, 255)", "rgb(20, 24, 31)"))
        self.assertTrue(all(a != b for a, b in list(zip(light, dark))[:3]), (light, dark))
        self.click("button[data-theme]", "light")
        self.assertEqual(self.browser.run(colour), light)
        self.browser.prefer("light")
        self.click("button[data-theme]", "dark")
        self.assertEqual(self.browser.run(colour), dark)
        self.browser.devtools("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(self.browser.run(colour)[0], light[0])
        self.browser.devtools("Emulation.setEmulatedMedia", media="")

    def test_a_function_has_the_colour_of_the_picture(self):
        self.show(NESTED)
        self.assertTrue(self.browser.run("""
            const fills = new Map();
            for (const row of document.querySelectorAll('table[data-filtered=functions] tbody tr'))
                fills.set(row.cells[0].textContent, row.querySelector('.sw').getAttribute('class').match(/c\\d/)[0]);
            const named = [...document.querySelectorAll('figure .wide svg [class~=rug], figure .wide svg [class~=bracket], figure .wide svg [class~=lane-bar]')]
                .map(n => [n.getAttribute('aria-label') || (n.querySelector('title') || {}).textContent || '', n.getAttribute('class')]);
            const known = named.filter(([label]) => /^\\S*(fit|branch|leaf|predict)\\b/.test(label));
            return known.length > 3 && known.every(([label, name]) => name.includes(fills.get(label.match(/^\\S*?(fit|branch|leaf|predict)\\b/)[1])));
        """))

    def test_the_overview_by_keys(self):
        paths = [self.job(f"job{i}.dat", 50 + 10 * i) for i in range(20)]
        self.show(*paths)
        tiles = "return [...document.querySelectorAll('.tiles li')].filter(n => n.getClientRects().length).map(n => n.dataset.name)"
        self.assertEqual(self.browser.run(tiles), [f"job{i}" for i in reversed(range(20))])
        self.assertEqual(self.browser.run("return document.querySelectorAll('.tiles a[tabindex=\"0\"]').length"), 1)
        self.browser.run("document.querySelector('.tiles a').focus()")
        self.browser.press("ArrowRight", "ArrowDown", "ArrowLeft")
        current = "return document.activeElement.closest('li').dataset.name"
        columns = self.browser.run("const all = [...document.querySelectorAll('.tiles a')]; const top = n => n.getBoundingClientRect().top; return all.filter(n => top(n) === top(all[0])).length")
        self.assertEqual(self.browser.run(current), f"job{19 - columns}")
        self.browser.press("Enter")
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('details[open]')].map(n => n.id)"), [f"r{20 - columns}"])
        self.click("input[data-filter=all]")
        self.browser.type("job1")
        self.assertEqual(len(self.browser.run(tiles)), 11)
        self.click("button[data-show]", "table")
        self.assertEqual(len(self.rows(".rows")), 11)
        self.click(".rows th button", "peak")
        self.click(".rows th button", "peak")
        self.assertEqual(self.rows(".rows")[0][0], "job1")

    def test_an_index_leads_to_its_pages_and_back(self):
        self.show("--pages=yes", *[self.job(f"job{i}.dat", 50 + 10 * i) for i in range(3)])
        self.click(".tiles a", "job1")
        self.assertIn("Peak 60.0", self.browser.run("return document.querySelector('h1').textContent").replace("\u00a0", " "))
        self.assertTrue(self.browser.run("return document.querySelector('figure .wide > svg').classList.contains('living')"))
        self.click("header a", "all recordings")
        self.assertEqual(self.browser.run("return document.querySelectorAll('.tiles li').length"), 3)

    def test_hostile_names_are_text(self):
        text = "CMDLINE " + HOSTILE[0] + "\n" + "".join(f"MEM {50 + i} {1000 + i}\n" for i in range(30))
        for i, name in enumerate(HOSTILE):
            text += own_line("PROC", 100 + i, 1, "1000.000000", name) + f"CHLD {100 + i} 20 1003\n"
            text += f"FUNC {name.replace(' ', '_').replace(chr(27), '?')} 50 {1001 + i} 60 {1001.5 + i} 0\n"
        path = self.write("<img src=x onerror=window.hacked=5>.dat", text)
        self.show("-t", HOSTILE[1], path)
        self.assertEqual(self.browser.run("return document.querySelectorAll('img, main script, iframe').length"), 0)
        shown = self.browser.run("return document.querySelector('main').textContent")
        self.assertIn(HOSTILE[0], shown)
        self.click("table[data-filtered=functions] th button", "name")
        self.click("input[data-filter=functions]")
        self.browser.type("hacked=2</script")
        self.assertEqual(len(self.rows("table[data-filtered=functions]")), 1)
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth - innerWidth"), 0)

    def test_phones_have_a_picture_of_their_own(self):
        self.show(NESTED)
        self.browser.devtools("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
        try:
            self.assertEqual(self.browser.run("return ['.wide', '.narrow'].map(n => document.querySelector('figure ' + n).getClientRects().length)"), [0, 1])
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth - innerWidth"), 0)
        finally:
            self.browser.devtools("Emulation.clearDeviceMetricsOverride")

    def test_readable_where_scripts_and_style_sheets_are_forbidden(self):
        path = self.show(NESTED)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def end_headers(self):
                self.send_header("Content-Security-Policy", JENKINS)
                super().end_headers()

            def log_message(self, *arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(self.directory)))
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.browser.open(f"http://127.0.0.1:{server.server_port}/{path.name}")
        looks = self.browser.run("""
            const of = (node, name) => getComputedStyle(node)[name];
            const svg = document.querySelector('svg.mprof');
            return [of(svg.querySelector('.area'), 'fillOpacity'), of(svg.querySelector('.curve'), 'fill'), of(svg.querySelector('.curve'), 'stroke'),
                of(svg.querySelector('.tick'), 'fill'), of(svg.querySelector('.tick'), 'fontSize'), of(document.querySelector('svg.sw rect'), 'fill'),
                document.querySelectorAll('[hidden]').length > 0 ];""")
        self.assertEqual(looks[:5], ["0.06", "none", "rgb(22, 27, 38)", "rgb(90, 100, 114)", "11px"])
        self.assertNotEqual(looks[5], "rgb(0, 0, 0)")
        self.assertIn("fit", self.browser.run("return document.querySelector('main').innerText"))
        # the browser reports what the policy blocked, and nothing else
        for message in self.browser.messages():
            self.assertRegex(message, re.compile("Content.Security.Policy|sandbox|favicon", re.I))
        self.assertEqual({url for url in self.browser.requests() if not url.startswith("data:")},
                         {f"http://127.0.0.1:{server.server_port}/{path.name}"})


if __name__ == "__main__":
    unittest.main()
