"""``{exercises}``: the exercises of all chapters, each with the way to its place."""

import json
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
TITLE = re.compile(r"^### (Exercise .*)$", re.MULTILINE)


def exercises(notebook):
    """(title, task in Markdown, code to start from) of each exercise."""
    title = task = None
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            _, *parts = TITLE.split(text)  # the first is the solution before
            if parts:
                title, task = parts[-2:]
        elif title:
            yield title, task.strip(), text
            title = None


class Exercises(SphinxDirective):
    def run(self):
        chapters = sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))
        return [self.chapter(path) for path in chapters]

    def chapter(self, path):
        self.env.note_dependency(str(path))
        notebook = json.loads(path.read_text("utf-8"))
        heading = "".join(notebook["cells"][0]["source"]).partition("\n")[0]
        section = self.section(path.stem, heading.lstrip("# "), path.stem)
        for title, task, code in exercises(notebook):
            anchor = nodes.make_id(title)
            part = self.section(f"{path.stem}-{anchor}", title, path.stem, anchor)
            # a link from one notebook to another, seen from here
            task = re.sub(r"\]\((?=\w+\.ipynb)", "](../notebooks/", task)
            lines = StringList(task.splitlines(), source=str(path))
            self.state.nested_parse(lines, 0, part)
            part += nodes.literal_block(code, code, language="python")
            section += part
        return section

    def section(self, name, title, chapter, anchor=""):
        """A section whose title leads to the chapter, or to a place in it."""
        docs = self.env.app.builder
        page = docs.get_relative_uri(self.env.docname, f"notebooks/{chapter}")
        link = nodes.reference(title, title, internal=True)
        link["refuri"] = f"{page}#{anchor}" if anchor else page
        section = nodes.section(ids=[nodes.make_id(f"all-{name}")])
        section += nodes.title("", "", link)
        return section


def setup(app):
    app.add_directive("exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
