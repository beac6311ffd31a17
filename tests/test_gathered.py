"""What the book gathers from its chapters: words, exercises, explorers."""

import json
import re
from functools import cache
from itertools import takewhile

import pytest
from bs4 import NavigableString
from conftest import ROOT
from helpers import parsed

CHAPTERS = sorted(path.stem for path in ROOT.glob("notebooks/[0-9]*.ipynb"))
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def page(name):
    return parsed(f"{name}.html")


def source(chapter):
    notebook = json.loads((ROOT / f"notebooks/{chapter}.ipynb").read_text("utf-8"))
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"])


# The glossary


@cache
def words():
    """{anchor: word} of the glossary."""
    return {term["id"]: term.find(string=True) for term in page("book/glossary")("dt")}


def test_the_glossary_is_in_order_and_explains():
    meanings = page("book/glossary")("dd")
    firsts = []  # an entry may have more than one word
    for meaning in meanings:
        before = meaning.find_previous_siblings()
        *_, first = takewhile(lambda tag: tag.name == "dt", before)
        firsts.append(first.find(string=True))
        assert re.match(r"\S.*\.", meaning.get_text().strip(), re.DOTALL)
    assert len(firsts) > 40
    assert firsts == sorted(firsts, key=str.lower)


NO_PROSE = {"h1", "h2", "h3", "code", "pre", "table", "script", "style"}
NO_PROSE |= {"math", "cell", "mb-quiz"}  # classes


def prose(chapter):
    """The texts of a page that are neither names, code, maths nor output."""
    article = page(f"notebooks/{chapter}").select_one("article.bd-article")
    for text in article.find_all(string=True):
        if type(text) is not NavigableString:
            continue
        above = {parent.name for parent in text.parents}
        above |= {x for parent in text.parents for x in parent.get("class", [])}
        link = text.find_parent("a")
        if not above & NO_PROSE and (not link or "mb-term" in link["class"]):
            yield text


@each_chapter
def test_a_word_is_linked_where_it_is_used_first(chapter):
    linked = {}
    for text in prose(chapter):
        link = text.find_parent("a")
        for anchor, word in words().items():
            if word.lower() not in text.lower():
                continue
            alone = rf"(?<![\w-]){re.escape(word)}(e?s)?(?![\w-])"
            if link and re.fullmatch(alone, text, re.IGNORECASE):
                assert anchor not in linked, f"{word} is linked twice"
                assert link["href"] == f"../book/glossary.html#{anchor}"
                assert len(link["title"]) > 20
                linked[anchor] = text
            elif not link and anchor not in linked:
                longer = [x for x in words().values() if word in x and word != x]
                rest = re.sub("|".join(map(re.escape, longer)) or "(?!)", "", text)
                assert not re.search(alone, rest, re.IGNORECASE), f"{word}: {text}"
    assert len(linked) >= 5


# The pages that repeat


def test_all_exercises_are_listed_with_their_way_back():
    links = page("book/exercises").select("h3 > a:first-child")
    listed = [(link.get_text(), link["href"]) for link in links]
    expected = [
        (title, chapter)
        for chapter in CHAPTERS
        for title in re.findall(r"^### (Exercise .*)$", source(chapter), re.MULTILINE)
    ]
    assert len(expected) >= 30
    for (text, href), (title, chapter) in zip(listed, expected, strict=True):
        assert text == title
        path, _, anchor = href.partition("#")
        assert path == f"../notebooks/{chapter}.html"
        place = page(f"notebooks/{chapter}").find(id=anchor)
        assert title in place.get_text()


def test_an_exercise_is_listed_whole_and_without_its_solution():
    text = page("book/exercises").select_one("article").get_text()
    solutions = code = 0
    for chapter in CHAPTERS:
        for solution in re.findall(
            r"<details>.*?```python\n(.*?)```", source(chapter), re.DOTALL
        ):
            solutions += 1
            assert solution.strip() not in text
        start = r"^def .*:\n    # replace the dots\n    \.\.\.$"
        for lines in re.findall(start, source(chapter), re.MULTILINE):
            code += 1
            assert lines in text
    assert solutions == code == len(page("book/exercises").select("h3"))


def test_all_explorers_are_on_one_page():
    def names(page):
        return {box["data-name"] for box in page.select(".mb-widget[data-name]")}

    chapters = set().union(
        *(names(page(f"notebooks/{name}")) for name in [*CHAPTERS, "ledger"])
    )
    assert names(page("book/explorers")) == chapters
    assert len(chapters) == 11
