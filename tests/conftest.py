"""The built book on a local server, and a browser that watches its pages."""

import gc
import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools.browser import ARGUMENTS, NONE, READY, find
from tools.serve import serving

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "_build" / "html"

# a page without a fault, {} for what is to be looked at
GOOD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
    '<link rel="icon" href="data:,">'
    '<meta name="description" content="A page without a fault"></head>'
    "<body><main><h1>A page</h1>{}</main></body></html>"
)


@pytest.fixture(scope="session")
def site():
    """The address of the built book."""
    if not (BOOK / "index.html").is_file():
        pytest.fail("the book is not built: run make book")
    # as GitHub Pages serves it: what the pages share is read once, not by each
    with serving(BOOK, caching="max-age=600") as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """A Chromium; without one the tests skip, and fail in CI."""
    path = find()
    if not path:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(NONE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Side by side (-n 2), a notebook's cells stay together, other tests go alone.

    What has most cells comes first, so that each process is done with notebooks
    when it starts a browser.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return file if file.endswith(".ipynb") else nodeid

    return Scheduling(config, log)


# Importing all tests makes a million objects, and none becomes rubbish: they are
# looked through neither then nor by accelerate, at the start of each training run.
def pytest_configure(config):
    gc.disable()


def pytest_collection_finish(session):
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter):
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NONE in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(NONE, red=True, bold=True)


class Watch:
    """What goes wrong in a page: errors, missing files, the outer world."""

    def __init__(self, page, host):
        self.problems = []
        self.host = host
        page.on("pageerror", lambda error: self.add(f"page error: {error}"))
        page.on("console", self.listen)
        page.on("request", self.ask)
        page.on("response", self.answer)

    def add(self, problem):
        self.problems.append(problem)

    def listen(self, message):
        if message.type == "error":
            self.add(f"console: {message.text}")

    def ask(self, request):
        if not request.url.startswith((self.host, "data:", "blob:")):
            self.add(f"leaves the host: {request.url}")

    def answer(self, response):
        if response.status >= 400:
            self.add(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def contexts(browser):
    """Browser contexts, one for each (width, dark, javascript)."""
    made = {}

    def get(width, dark, javascript):
        key = width, dark, javascript
        if key not in made:
            made[key] = browser.new_context(
                viewport={"width": width, "height": 844 if width < 500 else 900},
                color_scheme="dark" if dark else "light",
                java_script_enabled=javascript,
                has_touch=width < 500,
                reduced_motion="reduce",
            )
        return made[key]

    yield get
    for context in made.values():
        context.close()


@pytest.fixture
def watched(contexts):
    """watched(address, …): the page there with its Watch, once it stands still."""
    pages = []

    def get(address, width=1280, dark=False, javascript=True):
        page = contexts(width, dark, javascript).new_page()
        page.set_default_timeout(30_000)
        pages.append(page)
        watch = Watch(page, host="/".join(address.split("/")[:3]) + "/")
        page.goto(address)
        if javascript:
            page.evaluate("document.fonts.ready")
            page.wait_for_function(READY)
        return page, watch

    yield get
    for page in pages:
        page.close()


@pytest.fixture
def open_page(site, watched):
    """open_page("notebooks/….html", width, dark, javascript): a page of the book.

    At the end the test fails if the page had an error, missed a file or asked
    anything of another host.
    """
    watches = []

    def get(path, **options):
        page, watch = watched(site + path, **options)
        watches.append(watch)
        return page

    yield get
    problems = [problem for watch in watches for problem in watch.problems]
    assert not problems, "\n".join(problems)


@pytest.fixture
def mounted(watched, tmp_path):
    """mounted(widget, …): their boxes, alone in a page, and the page's Watch.

    The same widget twice gives two views of one model.
    """
    with serving(tmp_path) as address:

        def get(*widgets, **options):
            boxes = [
                '<div class="mb-widget"><div class="mb-fallback"></div>'
                '<script type="application/json">{}</script></div>'.replace(
                    "{}", json.dumps(record).replace("<", "\\u003c")
                )
                for widget in widgets
                for record in [{"id": id(widget), "state": widget.get_state()}]
            ]
            script = '<script defer src="widgets.js"></script>'
            page = GOOD.replace("{}", "".join(boxes) + script)
            (tmp_path / "index.html").write_text(page)
            source = ROOT / "book/_static/widgets.js"
            (tmp_path / "widgets.js").write_bytes(source.read_bytes())
            page, watch = watched(address, **options)
            return page.locator(".mbx"), watch

        yield get


@pytest.fixture(scope="module")
def one_thread():
    """So that a subprocess, or a machine with more cores, sums in the same order."""
    import torch  # not above, where the process that only hands out tests waits for it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
