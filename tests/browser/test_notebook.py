"""A notebook with %%mprof, executed and converted to HTML by Jupyter's own tools, in a browser: each picture
lives, in a document of its own, and stays an image where scripts do not run."""

import functools
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lines"))
import pythons  # noqa: E402
from browser import Browser  # noqa: E402
from firefox import Firefox  # noqa: E402
from mprof_test import wait_until  # noqa: E402

CELLS = [
    "%load_ext mprof\nimport time",
    "%%mprof --flame --title first -o kept.dat\ndef alpha():\n    block = b'x' * (20 << 20)\n"
    "    time.sleep(0.1)\n    beta()\n"
    "def beta():\n    time.sleep(0.1)\nalpha()",
    "%%mprof --flame --title '</script><script>window.hacked=1</script>'\ndef gamma():\n    time.sleep(0.1)\ngamma()",
    "import mprof\nmprof.plot('kept.dat', size=(600, 400))",
]

# The middle of the box of a call, and the text of the tooltip, in the frame's document.
BOX = """
const name = [...document.querySelectorAll('.box-name')].find(node => node.textContent.startsWith(arguments[0]));
const { x, y, width, height } = name.getBoundingClientRect();
return [x + width / 2, y + height / 2];
"""
TIP = "return [...document.querySelectorAll('.tip')].map(node => node.textContent).join('|')"


@functools.lru_cache(None)
def page():
    """The notebook as a page."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mprof-page-"))
    try:
        import nbformat
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        nbformat.write(notebook, str(folder / "page.ipynb"))
        done = subprocess.run(
            ["jupyter-nbconvert", "--to", "html", "--execute", "page.ipynb"], cwd=folder, capture_output=True,
            text=True, timeout=180, env=pythons.environment(
                HOME=str(folder), IPYTHONDIR=str(folder / "ipython"), PYDEVD_DISABLE_FILE_VALIDATION="1",
                PATH="/usr/bin:/bin"))
        assert done.returncode == 0, done.stderr
        return (folder / "page.html").read_text()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Page:
    """What a browser shows; for each browser a class."""

    BROWSER = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mprof-page-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.page = page()
        cls.browser = cls.BROWSER(1400, 2600)
        cls.addClassCleanup(cls.browser.close)

    def open(self, page, count=3):
        path = self.folder / f"{self.id().rpartition('.')[2]}.html"
        path.write_text(page)
        self.browser.open(path)
        frames = self.browser.ask("POST", "/elements", {"using": "css selector", "value": "iframe, img.mprof"})
        self.assertEqual(len(frames), count)
        return frames

    def within(self, frame, script, *arguments):
        """Runs a script in the document of a frame."""
        self.browser.ask("POST", "/frame", {"id": frame})
        try:
            return self.browser.run(script, *arguments)
        finally:
            self.browser.ask("POST", "/frame", {"id": None})

    def hover(self, frame, name):
        x, y = self.within(frame, BOX, name)
        left, top = self.browser.run(
            "const { x, y } = arguments[0].getBoundingClientRect(); return [x, y]", frame)
        self.browser.move(left + x, top + y)

    def test_each_picture_lives_in_its_own_document(self):
        frames = self.open(self.page)
        for frame in frames:
            wait_until(lambda: self.within(frame, "return document.documentElement.tagName") == "svg", "a picture")
        for frame, name, others in ((frames[0], "alpha", "gamma"), (frames[1], "gamma", "alpha"),
                                    (frames[0], "beta", "gamma")):
            with self.subTest(name=name):
                self.hover(frame, name)
                tip = wait_until(lambda: self.within(frame, TIP), "a tooltip")
                self.assertIn(name, tip)
                self.assertNotIn(others, tip)
        self.hover(frames[1], "gamma")
        wait_until(lambda: "beta" not in self.within(frames[0], TIP), "the other tooltip is gone")

    def test_the_frame_has_the_size_of_its_picture(self):
        frames = self.open(self.page)
        sizes = [self.browser.run("const { width, height } = arguments[0].getBoundingClientRect();"
                                  "return [width, height]", frame) for frame in frames]
        for (width, height), frame in zip(sizes, frames):
            drawn = self.within(frame, "return document.documentElement.viewBox.baseVal.width / "
                                       "document.documentElement.viewBox.baseVal.height")
            self.assertAlmostEqual(width / height, drawn, delta=0.02)
            self.assertEqual(self.within(frame, "return [document.documentElement.scrollHeight > innerHeight + 1,"
                                                "document.documentElement.scrollWidth > innerWidth + 1]"),
                             [False, False])
        self.assertEqual(sizes[2], [600, 400])

    def test_without_scripts_it_is_an_image(self):
        page = re.sub(r"<script.*?</script>", "", self.page, flags=re.S)
        images = self.open(page)
        for image in images:
            self.assertTrue(wait_until(lambda: self.browser.run(
                "return arguments[0].tagName === 'IMG' && arguments[0].complete && arguments[0].naturalWidth > 0",
                image), "an image"))

    def test_two_views_of_one_output(self):
        """JupyterLab can show an output twice."""
        output = re.search(r'<img\b[^<]*?class="mprof".*?</script>', self.page, re.S)[0]
        frames = self.open(self.page.replace("</body>", f"<div>{output}</div></body>", 1), 4)
        for frame in (frames[0], frames[3]):
            self.assertEqual(self.within(frame, "return document.documentElement.tagName"), "svg")


@unittest.skipUnless(shutil.which("jupyter-nbconvert") and importlib.util.find_spec("nbformat"),
                     "jupyter-nbconvert is not installed")
class InChromium(Page, unittest.TestCase):
    BROWSER = Browser

    def test_nothing_reaches_the_page(self):
        self.browser.messages()
        plain = self.page
        for output in re.findall(r'<img\b[^<]*?class="mprof".*?</script>', plain, re.S):
            plain = plain.replace(output, "")
        self.open(plain, 0)
        names = self.browser.run("return Object.keys(window)")
        frames = self.open(self.page)
        found = [name for name in self.browser.run("return Object.keys(window)") if not name.isdigit()]
        self.assertEqual(set(found), {name for name in names if not name.isdigit()})
        self.assertIsNone(self.browser.run("return window.hacked === undefined ? null : window.hacked"))
        for frame in frames:
            self.within(frame, "return 1")
        complaints = [line for line in self.browser.messages()
                      if "require" not in line and "MathJax" not in line and "mathjax" not in line]
        self.assertEqual(complaints, [])
        titles = self.browser.run("return [...document.querySelectorAll('iframe')].map(node => node.title)")
        self.assertEqual(titles[:2], ["first", "</script><script>window.hacked=1</script>"])

    def test_colours_are_the_pages(self):
        """Not the system's, unless the page says that it is dark."""
        dark = "return matchMedia('(prefers-color-scheme: dark)').matches"
        page = self.page.replace("<body", '<body data-jp-theme-light="false"', 1)
        self.assertEqual([self.within(frame, dark) for frame in self.open(page)], [True] * 3)
        # a real preference: an emulated one takes precedence over the page's
        of_dark_system = Browser(1400, 2600, arguments=["--blink-settings=preferredColorScheme=0"])
        self.addCleanup(of_dark_system.close)
        self.addCleanup(setattr, self, "browser", self.browser)
        self.browser = of_dark_system
        frames = self.open(self.page)
        self.assertTrue(self.browser.run(dark))
        self.assertEqual([self.within(frame, dark) for frame in frames], [False] * 3)


@unittest.skipUnless(shutil.which("jupyter-nbconvert") and importlib.util.find_spec("nbformat"),
                     "jupyter-nbconvert is not installed")
class InFirefox(Page, unittest.TestCase):
    BROWSER = Firefox


if __name__ == "__main__":
    unittest.main()
