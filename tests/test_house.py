"""The contract of a chapter, the solutions, and mbtools as a package."""

import ast
import copy
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mbtools import checks, explorer

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

# two pages that are no chapters: what every notebook keeps, they keep too
NOTEBOOKS = [*CHAPTERS, *sorted((ROOT / "notebooks").glob("[a-z]*.ipynb"))]

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text("utf-8"))


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def prose(notebook):
    """All Markdown, with a mark where a code cell stands."""
    return "\n\n".join(
        source(cell) if cell["cell_type"] == "markdown" else "<code cell>"
        for cell in notebook["cells"]
    )


def outputs(notebook):
    return [out for cell in code_cells(notebook) for out in cell["outputs"]]


def widget_models(notebook):
    """The stored anywidgets: name and state."""
    models = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    return [x["state"] for x in models.values() if "_esm" in x["state"]]


def solutions(notebook):
    """The code in each folded solution."""
    pattern = r"<summary>Solution.*?```python\n(.*?)```.*?</details>"
    return re.findall(pattern, prose(notebook), re.DOTALL)


def exercises(notebook):
    """(checker, function) that the exercise cells call, in order."""
    calls = [
        re.search(r"^checks\.(\w+)\((\w+)\)", source(cell), re.MULTILINE)
        for cell in code_cells(notebook)
    ]
    return [call.groups() for call in calls if call]


def breaches(notebook):
    """What a chapter lacks of its contract, as lines."""
    found = []

    def need(kept, complaint):
        if not kept:
            found.append(complaint)

    text, cells = prose(notebook), notebook["cells"]
    first = source(cells[0])
    need(re.match(r"# Chapter \d+: .+\n\n\*\*", first), "title and bold promise first")
    for label in ("Time", "You need", "You will be able to", "Mirrors"):
        need(f"**{label}**" in first, f"the card says {label!r}")
    for heading in ("## Check", "## Careful", "## Exercises", "## Takeaways"):
        need(f"\n{heading}" in text, f"a part {heading!r}")
    for heading in ("## Where next", "## Further reading"):
        need(f"\n{heading}" in text, f"a part {heading!r}")
    need("> **Careful.**" in text, "a callout 'Careful.'")

    asked = [i for i, cell in enumerate(cells) if source(cell).startswith("predict(")]
    asked += [i for i, cell in enumerate(cells) if "\npredict(" in source(cell)]
    asked += [i for i, cell in enumerate(cells) if "> **Predict.**" in source(cell)]
    need(len(asked) >= 2, "two questions, asked by predict()")
    for i in asked:
        later = [cell for cell in cells[i + 1 :] if cell["cell_type"] == "code"]
        need(later, "code that answers after each question")

    need(any(VIEW in out.get("data", {}) for out in outputs(notebook)), "a widget")
    need(widget_models(notebook), "stored widget state: run make outputs")
    checked = [cell for cell in code_cells(notebook) if "check" in tags(cell)]
    need(checked and all("assert" in source(c) for c in checked), "a check cell")

    headings = re.findall(r"^### Exercise \d", text, re.MULTILINE)
    need(len(headings) >= 3, "three exercises")
    need(len(exercises(notebook)) == len(headings), "a checker for each exercise")
    need(len(solutions(notebook)) == len(headings), "a solution for each exercise")
    return found


@each_chapter
def test_a_chapter_keeps_its_contract(path):
    assert not breaches(read(path))


def test_a_chapter_without_its_exercises_is_noticed():
    notebook = copy.deepcopy(read(CHAPTERS[0]))
    for cell in notebook["cells"]:
        cell["source"] = re.sub(r"### Exercise \d", "### Something", source(cell))
    assert "three exercises" in breaches(notebook)


@each_notebook
def test_the_setup_cell_is_that_of_chapter_1(path):
    setup, first = (source(code_cells(read(x))[0]) for x in (path, CHAPTERS[0]))
    assert setup == first


@each_notebook
def test_outputs_are_stored_and_clean(path):
    notebook = read(path)
    for cell in code_cells(notebook):
        assert cell["execution_count"], f"not run, make outputs: {source(cell)[:80]}"
        if "raises-exception" not in tags(cell):
            assert not any(out["output_type"] == "error" for out in cell["outputs"])
    stored = json.dumps(outputs(notebook), ensure_ascii=False)
    assert "Small sample" not in stored, "stored with MBTOOLS_FAST=1"
    # not part of a word or an address: /home/ or C:\ of the machine it ran on
    machine = re.search(r"(?<![\w/.:])(/(?:root|home|tmp|Users)/|[A-Z]:\\\\\w)", stored)
    assert not machine, f"a path of a machine: {stored[machine.start() :][:80]}"


@each_notebook
def test_stored_widgets_are_the_current_ones(path):
    for state in widget_models(read(path)):
        name = state["_anywidget_id"].rpartition(".")[2]
        for trait in ("_esm", "_css"):
            current = str(getattr(getattr(explorer, name), trait))
            assert state[trait] == current, f"{name} has changed: run make front-end"


# what only MyST reads; Jupyter and Colab show it raw
MYST = re.compile(
    r"^ *(?:```+|~~~+) *\{.*|^ *:::.*"  # a directive
    r"|\{[\w:-]+\}`.*"  # a role
    r"|^\([\w-]+\)= *$|\$\$ *\([\w:-]+\)"  # a label, an equation's label
    r"|\{\{.*\}\}|\[\^\w+\]|\[\]\(.*"  # a substitution, a footnote, a link without text
    r"|^%.*|^\+\+\+.*|^: .*",  # a comment, a break, a definition
    re.MULTILINE,
)


def test_each_widget_has_its_room_wide_and_narrow():
    style = (ROOT / "book/_static/book.css").read_text("utf-8")
    rooms = re.findall(r'data-name="(\w+)"\] \{ --mb-room: \S', style)
    kinds = [getattr(explorer, name) for name in explorer.__all__]
    kinds = [x.__name__ for x in kinds if isinstance(x, type)]
    assert sorted(rooms) == sorted(2 * kinds)


@each_notebook
def test_markdown_reads_in_jupyter_and_colab(path):
    assert not MYST.findall(prose(read(path)))


@pytest.mark.parametrize(
    "markdown",
    [
        "```{note}\nMind this.\n```",
        ":::{note}\nMind this.\n:::",
        "See {ref}`costs` and {cite:p}`howard2017`.",
        "(costs)=\n## Costs",
        "$$x = 1$$ (equation)",
        "Some {{ number }} of them",
        "A claim.[^1]",
        "See [](errata.ipynb).",
        "% a comment",
        "+++",
        "Width\n: of a layer",
    ],
)
def test_myst_is_noticed(markdown):
    assert MYST.search(f"Before.\n\n{markdown}\n\nAfter.")


def words(notebook):
    """The Markdown without its code."""
    return re.sub(r"```.*?```|`[^`]*`", "", prose(notebook), flags=re.DOTALL)


@each_notebook
def test_links_lead_somewhere_in_the_page_and_in_colab(path):
    # Colab finds a notebook beside one that it opened from GitHub, and nothing else
    links = re.findall(r"\]\(\s*([^\s)]+)|(?:href|src)=\"([^\"]*)", words(read(path)))
    beside = {notebook.name for notebook in NOTEBOOKS}
    targets = {link or attribute for link, attribute in links} - beside
    assert not {target for target in targets if not target.startswith("https://")}


# Each is known to KaTeX, which sets the pages, and to MathJax, which Jupyter and Colab
# have. Look a command up in both before you add it.
TEX = (
    r"\\,|\\(alpha|rho|sigma|frac|sqrt|sum|log|cdot|times|le|ge|ne|approx|left|right"
    r"|lfloor|rfloor|lceil|rceil|text|mathrm|quad)(?![A-Za-z])"
)
MATHS = re.compile(r"\$\$[^$]+\$\$|\$(?! )[^$]+(?<! )\$")


@each_notebook
def test_maths_is_what_all_readers_set(path):
    text = words(read(path))
    maths = " ".join(MATHS.findall(text))
    assert not re.findall(r"\\.*", re.sub(TEX, "", maths))
    assert not re.search(r"<\w", maths), "HTML to some readers: put a space after <"
    # $ alone, \(…\), \[…\], and \begin without $$
    assert not re.findall(r"\$.*|\\[([].*|\\begin.*", MATHS.sub("", text))


@each_notebook
def test_shown_code_fits_the_page(path):
    notebook = read(path)
    shown = [source(cell) for cell in code_cells(notebook)] + solutions(notebook)
    wide = [line for code in shown for line in code.splitlines() if len(line) > 78]
    assert not wide


@each_notebook
def test_what_nbval_ignores_is_asserted_and_rare(path):
    cells = code_cells(read(path))
    ignored = [i for i, cell in enumerate(cells) if "nbval-ignore-output" in tags(cell)]
    # chapters 7 and 10 tell of photographs, and of drawn scenes where there are
    # none; chapter 8 tells of the clock
    many = {"07_fine_tuning": 17, "08_latency": 14, "10_smaller_still": 15}
    assert len(ignored) <= many.get(path.stem, 4)
    for i in ignored:
        after = next(j for j in range(i, len(cells)) if j not in ignored)
        assert "assert" in source(cells[i]) + source(cells[after])


# Exercises


def each_exercise():
    for path in CHAPTERS:
        notebook = read(path)
        for pair, code in zip(exercises(notebook), solutions(notebook), strict=False):
            yield pytest.param(*pair, path, code, id=f"{path.stem[:2]}-{pair[0]}")


exercise = pytest.mark.parametrize(
    "checker, name, path, solution", list(each_exercise())
)


def written(path, name, code):
    """The function that the code defines, with the notebook's imports."""
    namespace = {}
    for cell in code_cells(read(path)):
        if "%" not in source(cell):
            for node in ast.parse(source(cell)).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(ast.unparse(node), namespace)
    exec(code, namespace)
    return namespace[name]


@exercise
def test_a_solution_is_right(checker, name, path, solution, capsys):
    getattr(checks, checker)(written(path, name, solution))
    assert capsys.readouterr().out.startswith("✓")


@exercise
def test_an_exercise_starts_empty(checker, name, path, solution, capsys):
    cells = [source(cell) for cell in code_cells(read(path))]
    empty = next(code for code in cells if f"checks.{checker}({name})" in code)
    written(path, name, f"from mbtools import checks\n{empty}")
    assert capsys.readouterr().out.startswith("…")


def wrong(result):
    """A result of the same kind that is not the right one."""
    if isinstance(result, bool):
        return not result
    try:
        return result + 1
    except (TypeError, ValueError):  # a list, a torch module
        return "wrong"


@exercise
def test_a_wrong_answer_is_told(checker, name, path, solution, capsys):
    right = written(path, name, solution)

    def answer(*arguments):
        return wrong(right(*arguments))

    with pytest.raises(AssertionError, match=r"\w+ \w+ \w+"):  # a sentence
        getattr(checks, checker)(answer)
    assert "✓" not in capsys.readouterr().out


# The package


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        **options,
    ).stdout


def test_the_wheel_works_alone(tmp_path):
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    local = ["--no-deps", "--no-index"]
    wheels = tmp_path / "wheels"
    python(*pip, "wheel", str(ROOT), *local, "--no-build-isolation", "-w", str(wheels))
    (wheel,) = wheels.iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    front_end = {"mbtools/explorer/shared.js", "mbtools/explorer/explorer.css"}
    assert front_end | {"mbtools/latency.csv"} <= set(names)
    assert all(name.startswith("mbtools") for name in names)

    target = tmp_path / "alone"
    python(*pip, "install", *local, "--target", str(target), str(wheel))
    script = """
import mbtools.explorer as explorer
for make in (explorer.CostExplorer, explorer.LayerExplorer, explorer.LayerBrowser):
    widget = make()
    assert len(widget._esm) > 1000 and len(widget._css) > 100
print(explorer.__file__, explorer.CostExplorer())
"""
    alone = os.environ | {"PYTHONPATH": str(target)}
    said = python("-c", script, cwd=tmp_path, env=alone)
    assert said.startswith(str(target)), "another mbtools was imported"
    assert "568,740,352" in said


def test_counting_needs_no_torch():
    python(
        "-c",
        "import sys, mbtools.ledger, mbtools.explorer;"
        "assert 'torch' not in sys.modules",
    )
