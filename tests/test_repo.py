"""One name for the public repository, and what a reader of a copy meets."""

import json
import platform
import re
import shutil
import subprocess
import sys

import anywidget
import numpy
import pytest
import yaml
from conftest import ROOT
from helpers import parsed

from tools import repo

URL, BRANCH = repo.setting(ROOT, "url"), repo.setting(ROOT, "branch")
NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
OTHER = "https://github.com/some-one/an.other_book"


@pytest.fixture
def copy(tmp_path):
    """The files that name the repository, in a folder of their own."""
    for path in repo.files(ROOT):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def contents(root):
    return {path.name: path.read_bytes() for path in repo.files(root)}


@pytest.mark.parametrize("path", repo.files(ROOT), ids=lambda path: path.name)
def test_it_names_the_repository_of_the_book(path):
    agrees = repo.read(path) == repo.renamed(path, URL, BRANCH)
    assert agrees, f"{path.name} disagrees with _config.yml: make repo URL={URL}"


def test_a_new_name_is_set_everywhere_and_changes_nothing_else(copy):
    before = contents(copy)
    repo.main(OTHER, copy)
    config = yaml.safe_load((copy / "_config.yml").read_text())
    assert config["repository"] == {"url": OTHER, "branch": BRANCH}
    citation = yaml.safe_load((copy / "CITATION.cff").read_text())
    assert citation["repository-code"] == OTHER
    for name in NOTEBOOKS:
        old, new = (json.loads(x) for x in (before[name], contents(copy)[name]))
        setup = next(cell for cell in new["cells"] if cell["cell_type"] == "code")
        line = f'REPOSITORY = "{OTHER}"\n'
        setup["source"][setup["source"].index(line)] = f'REPOSITORY = "{URL}"\n'
        assert new == old
    repo.main(URL, copy)
    assert contents(copy) == before


def test_the_readme_has_a_badge_for_each_notebook_once_there_is_an_address(copy):
    repo.main(OTHER, copy)
    readme = (copy / "README.md").read_text()
    badges = re.findall(r"\[!\[[^]]+ in Colab\]\(\S+\)\]\((\S+)\)", readme)
    colab = "https://colab.research.google.com/github/some-one/an.other_book"
    assert sorted(badges) == [f"{colab}/blob/{BRANCH}/notebooks/{x}" for x in NOTEBOOKS]
    columns = {line.count("|") for line in readme.splitlines() if line[:1] == "|"}
    assert columns == {5}
    repo.main(repo.PLACEHOLDER, copy)
    assert "badge" not in (copy / "README.md").read_text()


@pytest.mark.parametrize("end", ["", "/", ".git", ".git/", " "])
def test_what_an_address_may_end_with_is_dropped(copy, end):
    repo.main(OTHER + end, copy)
    assert repo.setting(copy, "url") == OTHER


@pytest.mark.parametrize(
    "address",
    [
        "",
        "me/my-book",
        "http://github.com/me/my-book",
        "https://gitlab.com/me/my-book",
        "https://github.com/me",
        "https://github.com/me/",
        "https://github.com/me/..",
        "https://github.com/me/my book",
        "https://github.com/me/my-book/tree/main",
        "git@github.com:me/my-book.git",
        'https://github.com/me/"my-book"',
    ],
)
def test_another_address_is_refused_and_changes_nothing(copy, address):
    before = contents(copy)
    with pytest.raises(SystemExit, match="not the address of a repository on GitHub"):
        repo.main(address, copy)
    assert contents(copy) == before


def test_a_file_that_names_none_is_told_and_nothing_changes(copy):
    path = copy / "notebooks" / NOTEBOOKS[-1]
    path.write_text(repo.read(path).replace("REPOSITORY = ", "REPO = "))
    before = contents(copy)
    with pytest.raises(SystemExit, match=f"{NOTEBOOKS[-1]} .* 0 times"):
        repo.main(OTHER, copy)
    assert contents(copy) == before


# The built pages


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_leads_to_its_notebook_once_there_is_an_address(name):
    page = parsed(f"notebooks/{name.replace('.ipynb', '.html')}")
    links = {x["href"] for x in page.select(".article-header-buttons a[href^=https]")}
    place = f"blob/{BRANCH}/notebooks/{name}"
    expected = {
        URL,
        f"{URL}/{place}",
        f"{URL}/issues/new?template=broke_for_me.yml",
        f"{URL.replace('github.com', 'colab.research.google.com/github')}/{place}",
    }
    assert links == (set() if URL == repo.PLACEHOLDER else expected)


# "It broke for me"


def versions(*options):
    """What the cell in the issue form prints."""
    path = ROOT / ".github/ISSUE_TEMPLATE/broke_for_me.yml"
    form = yaml.safe_load(path.read_text("utf-8"))
    texts = [part["attributes"].get("value", "") for part in form["body"]]
    (cell,) = re.findall(r"```python\n(.*?)```", "".join(texts), re.DOTALL)
    command = [sys.executable, *options, "-c", cell]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in printed.splitlines())


def test_the_issue_form_collects_versions():
    found = versions()
    assert found.pop("Python").startswith(platform.python_version())
    assert found["numpy"] == numpy.__version__
    assert found["anywidget"] == anywidget.__version__


def test_it_does_so_where_nothing_is_installed():
    found = versions("-I", "-S")
    assert found.pop("Python").startswith(platform.python_version())
    assert set(found.values()) == {"is not installed"}
