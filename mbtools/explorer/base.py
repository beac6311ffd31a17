"""What all widgets share: the front end, and how they are displayed."""

import json
from html import escape
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent
NAMES = {
    "v1": "MobileNet V1",
    "conv": "Conv MobileNet",
    "shallow": "Shallow MobileNet",
    "v2": "MobileNet V2",
}


class Explorer(anywidget.AnyWidget):
    """A widget that looks its numbers up in one table and reads without scripts."""

    _css = HERE / "explorer.css"
    _table = traitlets.Unicode().tag(sync=True)

    # ipywidgets 7 (Colab) would take this road and leave out our text/html
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, and a table of its state for where it cannot live."""
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        bundle |= {"text/plain": repr(self), "text/html": self._fallback()}
        return bundle, metadata


def script(name):
    """The widget's script after the shared one: one module, for anywidget."""
    return "".join((HERE / f"{x}.js").read_text("utf-8") for x in ("shared", name))


def style(name):
    """The widget's own style sheet after the shared one."""
    return "".join((HERE / f"{x}.css").read_text("utf-8") for x in ("explorer", name))


def compact(table):
    """A table as one string: a notebook stores a list one number a line."""
    return json.dumps(table, separators=(",", ":"), ensure_ascii=False)


def shape(channels, size):
    """A tensor as C × H × W, on one line."""
    return f"{channels}\u00a0×\u00a0{size}\u00a0×\u00a0{size}"


def check_index(name, value, net, items):
    """The value, if it is the index of one of the net's items."""
    if not 0 <= value < len(items):
        raise traitlets.TraitError(
            f"{name} of {NAMES[net]} must be from 0 to {len(items) - 1}; got {value}"
        )
    return value


def html_table(widget, caption, header, rows, note=""):
    """A plain table that reads without scripts; the first cell names its row."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div data-fallback="{widget}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        + (f"<p>{escape(note)}</p></div>" if note else "</div>")
    )
