"""Runs notebooks and stores their outputs: tools/outputs.py notebooks/01_….ipynb

What differs from run to run (times, widget ids) is made the same, so that a
diff shows real changes alone. A notebook whose cell fails stays as it was.
With --front-end no cell runs: stored widgets get today's scripts and styles.
"""

import argparse
import os
import sys
import uuid
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from mbtools import explorer

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


class Failed(Exception):
    """A cell failed; says which and why."""


def execute(notebook, folder, timeout):
    """Run all cells of a notebook in place, storing its widgets' state."""
    running = []
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        store_widget_state=True,
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: running.append(cell_index),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        reason = f"no end after {timeout} s"
    except DeadKernelError:
        reason = "the kernel died (out of memory?)"
    else:
        return
    lines = notebook.cells[running[-1]].source.splitlines()
    raise Failed(f"cell {running[-1]} ({lines[0]} …) failed: {reason}")


def normalise(notebook, name):
    """Drop what changes at every run and says nothing."""
    metadata = notebook.metadata
    notebook.metadata = nbformat.NotebookNode(
        {"kernelspec": KERNEL, "language_info": LANGUAGE}
        | {key: metadata[key] for key in ("myst", "widgets") if key in metadata}
    )
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.NotebookNode({"tags": tags} if tags else {})
    return _name_widgets(notebook, name)


def _name_widgets(notebook, name):
    """Keep the widgets that outputs show, under ids made of their order."""
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    views = [
        output.data[VIEW]["model_id"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if VIEW in output.get("data", {})
    ]
    if not views:
        notebook.metadata.pop("widgets", None)
        return notebook
    shown, ahead = [], views
    while ahead:  # a model refers to others as IPY_MODEL_<id>
        shown += ahead
        text = str([state[model] for model in ahead])
        ahead = [m for m in state if f"IPY_MODEL_{m}" in text and m not in shown]
    models = {model: state[model] for model in state if model in shown}
    notebook.metadata.widgets[STATE]["state"] = models
    text = nbformat.writes(notebook)
    for order, model in enumerate(models):
        text = text.replace(
            model, uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{order}").hex
        )
    return nbformat.reads(text, as_version=4)


def renew_front_end(notebook):
    """Give stored widgets the scripts and styles that they have now."""
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for model in models.values():
        module, _, name = model["state"].get("_anywidget_id", "").rpartition(".")
        if module.startswith(explorer.__name__):
            kind = getattr(explorer, name)
            model["state"] |= {x: str(getattr(kind, x)) for x in ("_esm", "_css")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--timeout", type=int, default=1800, help="seconds a cell")
    parser.add_argument("--front-end", action="store_true", help="run no cell")
    arguments = parser.parse_args()
    failed = False
    for path in arguments.notebooks:
        notebook = nbformat.read(path, as_version=4)
        if arguments.front_end:
            renew_front_end(notebook)
        else:
            try:
                execute(notebook, path.parent, arguments.timeout)
            except Failed as error:
                print(f"{path}: {error}\n  The file is as it was.", file=sys.stderr)
                failed = True
                continue
            notebook = normalise(notebook, path.stem)
        nbformat.validate(notebook)
        fresh = path.with_suffix(".tmp")
        fresh.write_text(nbformat.writes(notebook) + "\n", "utf-8")
        os.replace(fresh, path)
        print(f"{path}: {len(notebook.cells)} cells")
    sys.exit(failed)


if __name__ == "__main__":
    main()
