"""What tests of pictures in a browser share: drawing one, opening it, and reading its state."""

import mprof_test
from browser import Browser

# The state of a picture that tests compare.
STATE = """
const root = document.querySelector('svg'), of = name => [...root.querySelectorAll(name)];
const shown = node => node.getClientRects().length && getComputedStyle(node).display !== 'none';
const texts = name => of(name).filter(shown).map(node => node.textContent);
return {
    interactive: root.classList.contains('living'), zoomed: root.classList.contains('zoomed'),
    tooltip: texts('.tip'), ticks: texts('.tick'), facts: texts('.facts'), status: texts('.status').join(''),
    captions: texts('.box-name'), names: texts('.bracket-name'), buttons: texts('.button'),
    hits: of('.hit').length, focus: document.activeElement && document.activeElement.getAttribute('aria-label'),
    hair: of('.hair').length,
};
"""

BOXES = """
return [...document.querySelectorAll('.box, .rug, .box-fine')].filter(node => node.getAttribute('display') !== 'none').map(node => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { label: node.getAttribute('aria-label'), x, y, width, height };
});
"""


class Plot:
    """The axes of a picture, as its <metadata> gives them."""

    def __init__(self, browser):
        self.left, self.top, self.width, self.height = browser.run(
            "return JSON.parse(document.querySelector('svg > metadata').textContent).plot")
        self.from_s, self.to_s, _ = browser.run(
            "return JSON.parse(document.querySelector('svg > metadata').textContent).time")

    def x(self, seconds):
        return self.left + (seconds - self.from_s) / (self.to_s - self.from_s) * self.width

    def seconds(self, x):
        return self.from_s + (x - self.left) / self.width * (self.to_s - self.from_s)

    @property
    def middle(self):
        return self.top + self.height / 2

    @property
    def clear(self):
        """A height at which only the curve's peak is drawn."""
        return self.top + 2


class BrowserCase(mprof_test.TestCase):
    browser_class = Browser
    browser = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.browser_class(height=1500)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.address = None
        self.browser.prefer("light")
        self.browser.open("about:blank")
        self.browser.messages()
        self.browser.requests()

    def end_processes(self):
        """Keeps the browser, which all tests of a class share."""

    def draw(self, *arguments, name="picture.svg"):
        path = self.directory / name
        self.run_mprof("plot", "-o", path, *arguments)
        mprof_test.check_svg(path)
        return path

    def show(self, *arguments):
        """Draws a picture and opens it; returns its axes."""
        path = self.draw(*arguments)
        self.browser.open(path)
        self.assertTrue(self.state()["interactive"])
        return Plot(self.browser)

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def state(self):
        return self.browser.run(STATE)

    def boxes(self):
        return self.browser.run(BOXES)

    def box(self, label):
        found = [box for box in self.boxes() if box["label"].startswith(label)]
        self.assertTrue(found, f"no box {label!r}")
        return max(found, key=lambda box: box["width"])

    def click_box(self, label):
        box = self.box(label)
        self.browser.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def zoom(self, x0, y0, x1, y1):
        """Selects a range of a picture that shows everything, and shows it alone."""
        self.browser.drag(x0, y0, x1, y1)
        self.browser.press("Enter")

    def assert_quiet(self):
        """No message on the console, no request to a network."""
        self.assertEqual(self.browser.messages(), [])
        asked = {url for url in self.browser.requests() if not url.startswith(("file:", "chrome:", "data:"))}
        if self.address:  # browsers request an icon by themselves
            asked -= {self.address + "/picture.svg", self.address + "/favicon.ico"}
        self.assertEqual(asked, set())

    def tearDown(self):
        if self.browser.session:
            self.assert_quiet()
        super().tearDown()
