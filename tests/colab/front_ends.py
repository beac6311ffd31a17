"""Moves a slider in Jupyter's front ends: tests/colab/front_ends.py

JupyterLab as in .venv/full, and the classic notebook with Colab's widgets as in
.venv/colab; --lab and --classic name other Pythons. In each, the mouse and the
arrow keys must move the Python trait and nothing else in the page, and the trait
must move the page.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from tools.browser import ARGUMENTS, find

ROOT = Path(__file__).resolve().parents[2]
# where each shows that its kernel is ready, a code cell, its editor, the cell chosen
LAB = "text=(ipykernel) | Idle", ".jp-CodeCell", ".cm-content", ".jp-mod-active.jp-Cell"
CLASSIC = ".kernel_idle_icon", ".code_cell", ".CodeMirror", ".cell.selected"
CELLS = (
    "from mbtools.explorer import CostExplorer\nexplorer = CostExplorer()\nexplorer",
    "print('alpha is', explorer.alpha)",
    "explorer.net = 'v2'",
)
WAIT = 180_000  # ms for a server, a kernel, a cell
VERSIONS = (
    "import importlib.metadata as m, sys; "
    "print(*(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"
)


def notebook():
    """The cells, under a heading that JupyterLab could fold away."""
    code = [new_code_cell(source) for source in CELLS]
    kernel = {"display_name": "Python 3", "name": "python3"}
    return new_notebook(
        cells=[new_markdown_cell("# A heading"), *code],
        metadata={"kernelspec": kernel},
    )


@contextmanager
def serving(python, program, folder):
    """The address of a Jupyter server in the folder, without a user's settings."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(folder) for name in ("CONFIG", "DATA")}
    environment = os.environ | places | {"PYTHONPATH": str(ROOT), "JUPYTER_TOKEN": "x"}
    command = [python, "-m", program, "--no-browser", "--allow-root"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--ip=127.0.0.1", f"--port={port}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + WAIT / 1000
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{program} did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def drive(page, ready, cell, editor, selected):
    """Run the cells of the open notebook, and move its slider."""
    page.locator(ready).wait_for()
    cells = page.locator(cell)

    def run(i):
        cells.nth(i).locator(editor).click()
        page.keyboard.press("Shift+Enter")

    run(0)
    slider = page.locator(".mbx [data-control=alpha]")
    slider.click(position={"x": 2, "y": 2})  # the left end, 0.25; keys go by 0.05
    chosen = page.locator(selected).locator(editor)
    before = slider.bounding_box(), chosen.inner_text()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    after = slider.bounding_box(), chosen.inner_text()
    assert after == before, f"the keys moved the page: {before} became {after}"
    run(1)
    expect(cells.nth(1)).to_contain_text("alpha is 0.3")
    run(2)
    expect(page.locator(".mbx [data-control=net][value=v2]")).to_be_checked()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", default=ROOT / ".venv/full/bin/python")
    parser.add_argument("--classic", default=ROOT / ".venv/colab/bin/python")
    arguments = parser.parse_args()
    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGUMENTS)
        for python, program, path, selectors in (
            (arguments.lab, "jupyterlab", "lab/tree/slider.ipynb", LAB),
            (arguments.classic, "notebook", "notebooks/slider.ipynb", CLASSIC),
        ):
            with tempfile.TemporaryDirectory() as folder:
                nbformat.write(notebook(), Path(folder, "slider.ipynb"))
                with serving(python, program, Path(folder)) as address:
                    page = browser.new_page(viewport={"width": 1280, "height": 1000})
                    page.set_default_timeout(WAIT)
                    page.goto(f"{address}{path}?token=x")
                    drive(page, *selectors)
                    page.close()
            names = program, "ipywidgets", "anywidget", "ipython"
            subprocess.run([python, "-c", VERSIONS, *names], check=True)
        browser.close()


if __name__ == "__main__":
    main()
