"""Takes the README's picture of the explorer: tools/picture.py FILE.png"""

import sys
import threading
from pathlib import Path

from browser import ARGUMENTS, find
from playwright.sync_api import sync_playwright
from serve import server

LIMIT = 100_000  # bytes


def main(target):
    with server("_build/html") as running, sync_playwright() as playwright:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"http://127.0.0.1:{running.server_port}/book/index.html")
        widget = page.locator(".mbx")
        widget.wait_for()
        box = widget.bounding_box()
        # the controls, the numbers and the picture; the rest is for the page
        box["height"] = min(box["height"], box["width"])
        picture = page.screenshot(clip=box, full_page=True)
        browser.close()
        running.shutdown()
    if len(picture) > LIMIT:
        sys.exit(f"the picture has {len(picture):,} bytes, more than {LIMIT:,}")
    Path(target).write_bytes(picture)
    print(f"{target}: {len(picture):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
