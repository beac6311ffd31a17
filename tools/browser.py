"""Finds a Chromium for tests and tools, and installs one where that asks nobody.

It is the one on this machine; else, as root with apt, the system's package;
else Playwright's own. The headless shell comes first: the same engine without a
browser around it, which opens pages nearly twice as fast.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
ARGUMENTS = [
    # a container has no sandbox to offer, and runs as root
    *(["--no-sandbox"] if sys.platform == "linux" else []),
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # nothing off this machine can be reached; that it was asked for is noticed
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# a page's widgets are there, if it has any
READY = (
    "!document.querySelector('.mb-widget:has(> script)')"
    " || document.documentElement.dataset.mbWidgets"
)
NONE = (
    "NO BROWSER: the browser tests do not run. Install Chromium or Chrome, "
    "then run make test again."
)


def find():
    """The path of a Chromium, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return next((path for path in (*PLACES, own) if Path(path).is_file()), None)


def found():
    """The path of a Chromium; without one the program ends, and says why."""
    return find() or sys.exit(
        "NO BROWSER: this needs a Chromium. Install Chromium or Chrome, then run it "
        "again."
    )


def install():
    """Try to get one; what fails leaves no browser, and find() says so."""
    log = Path(".venv/browser.log")
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        # not every system that has the one has the other
        packages = [["apt-get", "install", "--yes", x] for x in (SHELL, "chromium")]
        commands = [["apt-get", "update"], *packages, *commands]
    print("Looking for a Chromium to install, for the browser tests …", flush=True)
    with log.open("w") as file:
        for command in commands:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            )
            if find():
                return


if __name__ == "__main__":
    if not find():
        install()
    print(f"browser: {find() or NONE}")
