"""Takes the README's picture of the explorer: python -m tools.picture FILE.png"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools.browser import ARGUMENTS, found
from tools.serve import serving

LIMIT = 100_000  # bytes


def main(target):
    with serving("_build/html") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{address}book/index.html")
        widget = page.locator(".mbx")
        widget.wait_for()
        box = widget.bounding_box()
        # the controls, the numbers and the picture; the rest is for the page
        box["height"] = min(box["height"], box["width"])
        picture = page.screenshot(clip=box, full_page=True)
        browser.close()
    if len(picture) > LIMIT:
        sys.exit(f"the picture has {len(picture):,} bytes, more than {LIMIT:,}")
    Path(target).write_bytes(picture)
    print(f"{target}: {len(picture):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
