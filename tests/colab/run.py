"""Runs notebooks as Colab would: tests/colab/run.py [notebooks/01_….ipynb …]

Each one, or all: copied alone into an empty folder, in a kernel that looks like
Colab's, with the Python that runs this. Its own first cell installs mbtools, by
pip, from a git address: this tree as it stands. It passes when every cell ran
and mbtools is all that pip changed. `make colab` makes an environment with
Colab's versions first; in Colab's own image, run this file with its Python.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.outputs import Failed, execute

ROOT = Path(__file__).resolve().parents[2]
# IPython runs it when a kernel starts
STARTUP = """
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
sys.modules["google.colab"] = module_from_spec(ModuleSpec("google.colab", None))
"""
ADDRESS = re.compile(r'^REPOSITORY = ".*"$', re.MULTILINE)
TIMEOUT = 600  # seconds a cell


def pip(*arguments):
    """What pip prints, as the Python that runs this has it."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    return subprocess.run(
        [*command, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def installed():
    """{"name version"} of all packages that pip knows here."""
    packages = json.loads(pip("list", "--format=json"))
    return {f"{package['name']} {package['version']}" for package in packages}


def commit(folder):
    """Commit this tree as it stands into the new folder; return its git address."""
    git = ["git", "--git-dir", str(folder), "--work-tree", str(ROOT)]
    author = ["-c", "user.name=colab", "-c", "user.email=colab@localhost"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--no-gpg-sign", "--message=as it stands"],
    ):
        subprocess.run([*git, *command], check=True, cwd=ROOT)
    return folder.as_uri()


def alone(path, folder, address):
    """The notebook, copied into the new folder, that installs from the address."""
    folder.mkdir()
    notebook = nbformat.read(shutil.copy(path, folder), as_version=4)
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    setup.source, found = ADDRESS.subn(f'REPOSITORY = "{address}"', setup.source)
    if found != 1:
        raise Failed(f"its first code cell sets REPOSITORY {found} times, not once")
    return notebook


def run(path, folder, address):
    """(what pip added, what it removed, what went wrong) as sets and a text."""
    pip("uninstall", "--yes", "-qq", "mbtools")
    before, wrong = installed(), ""
    try:
        execute(alone(path, folder, address), folder, TIMEOUT)
    except Failed as error:
        wrong = str(error)
    after = installed()
    return after - before, before - after, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = sorted(ROOT.glob("notebooks/*.ipynb"))
    parser.add_argument("notebooks", nargs="*", type=Path, default=every)
    paths = parser.parse_args().notebooks
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        address = commit(scratch / "book.git")
        startup = scratch / "ipython/profile_default/startup"
        startup.mkdir(parents=True)
        (startup / "colab.py").write_text(STARTUP)
        os.environ |= {"IPYTHONDIR": str(scratch / "ipython"), "MBTOOLS_FAST": "1"}
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # a warning less a kernel
        os.environ.pop("PYTHONPATH", None)  # mbtools is what the notebook installs
        print(f"Python {sys.version.split()[0]}, mbtools from {address}")
        print("notebook | seconds | pip added | verdict")
        for path in paths:
            start = time.monotonic()
            added, removed, wrong = run(path, scratch / path.stem, address)
            seconds = time.monotonic() - start
            changes = [*sorted(added), *(f"not {name}" for name in sorted(removed))]
            only = [name.split()[0] for name in changes] == ["mbtools"]
            verdict = wrong or ("passed" if only else "it must add mbtools alone")
            failed |= verdict != "passed"
            row = path.stem, f"{seconds:.0f}", ", ".join(changes) or "nothing", verdict
            print(" | ".join(row), flush=True)
            if changes and not only:
                Path(sys.prefix, "made").unlink(missing_ok=True)
                sys.exit("Stopped: this environment is no longer Colab's, make it anew")
    sys.exit(failed)


if __name__ == "__main__":
    main()
