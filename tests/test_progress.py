"""What a reader answered is remembered in the browser, and can be forgotten."""

import pytest
from conftest import BOOK, Watch

from tools.serve import serving

CHAPTER = "notebooks/04_relu_collapse.html"
OTHER = "notebooks/10_smaller_still.html"


@pytest.fixture
def reader(browser, site):
    """A browser that has kept nothing yet: reader(path) opens one more page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    watches = []

    def get(path):
        page = context.new_page()
        watches.append(Watch(page, site))
        page.goto(site + path)
        return page

    get.context = context
    yield get
    context.close()
    assert not [problem for watch in watches for problem in watch.problems]


def options(page, question=0):
    """Its options, the right one first."""
    box = page.locator(".mb-quiz").nth(question)
    found = box.locator("details").all()
    right = [x for x in found if "Yes." in x.text_content()]
    assert len(right) == 1
    return right + [x for x in found if "Yes." not in x.text_content()]


def status(page):
    return page.locator("p.mb-progress [role=status]").inner_text()


def kept(page):
    names = page.evaluate("Object.keys(localStorage)")
    return [name for name in names if name.startswith("mobilenets")]


def test_nothing_is_claimed_at_first(reader):
    page = reader(CHAPTER)
    questions = page.locator(".mb-quiz").count()
    assert questions >= 2
    assert f"Answered: 0 of {questions} questions" in status(page)
    assert "Exercises done: 0 of 3" in status(page)
    assert page.locator(".mb-answer").all_inner_texts() == [""] * sum(
        len(options(page, i)) for i in range(questions)
    )
    assert not reader("book/index.html").locator("p.mb-progress button").is_visible()


def test_the_first_answer_counts_and_is_remembered(reader):
    page = reader(CHAPTER)
    right, wrong, *_ = options(page)
    wrong.locator("summary").click()
    right.locator("summary").click()
    options(page, 1)[0].locator("summary").press("Enter")
    page.reload()
    right, wrong, *_ = options(page)
    assert "your answer, wrong" in wrong.inner_text()
    assert "your answer" not in right.inner_text()
    assert "your answer, right" in options(page, 1)[0].inner_text()
    assert "Answered: 2 of" in status(page)
    assert "1 right at first" in status(page)


def test_exercises_are_ticked_in_the_chapter_and_in_the_list(reader):
    chapter, listed = reader(OTHER), reader("book/exercises.html")
    chapter.get_by_label("done").nth(1).check()
    boxes = listed.locator(
        "#all-10-smaller-still section:has(> h3) >> label:has-text('done') >> input"
    )
    assert [box.is_checked() for box in boxes.all()] == [False, True, False]
    boxes.nth(1).uncheck()
    boxes.nth(0).check()
    done = [box.is_checked() for box in chapter.get_by_label("done").all()]
    assert done == [True, False, False]
    assert "Exercises done: 1 of 3" in status(chapter)


def test_the_first_page_tells_and_forgets(reader):
    for path in (CHAPTER, OTHER):
        page = reader(path)
        options(page)[0].locator("summary").click()
    page.get_by_label("done").first.check()
    index = reader("book/index.html")
    told = index.locator("#what-you-will-learn li").all_inner_texts()
    assert "(1 answered, 1 right)" in next(x for x in told if "Chapter 4" in x)
    assert "(1 answered, 1 right; 1 done)" in next(x for x in told if "Chapter 10" in x)

    page.get_by_role("button", name="Forget this chapter").click()
    assert "Answered: 0 of" in status(page)
    assert not page.get_by_label("done").first.is_checked()
    told = index.locator("#what-you-will-learn li").all_inner_texts()
    assert "answered" in next(x for x in told if "Chapter 4" in x)
    assert "answered" not in next(x for x in told if "Chapter 10" in x)

    index.get_by_role("button", name="Forget all").click()
    assert "answered" not in index.locator("#what-you-will-learn").inner_text()
    assert not index.get_by_role("button", name="Forget all").is_visible()
    assert not kept(index)


# The theme keeps its own things there, and breaks when it may not.
BREAK = """for (const name of ["getItem", "setItem"]) {
  const whole = Storage.prototype[name];
  Storage.prototype[name] = function (key, ...rest) {
    if (key.startsWith("mobilenets")) { %s; }
    return whole.call(this, key, ...rest);
  };
}"""
BROKEN = {
    "forbidden": "throw new DOMException('no', 'SecurityError')",
    "full": "if (name === 'setItem') throw new DOMException('full')",
    "not ours": "if (name === 'getItem') return '{not ours'",
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_browser_that_keeps_nothing_is_told_of(reader, script):
    reader.context.add_init_script(BREAK % script)
    page = reader(CHAPTER)
    right = options(page)[0]
    right.locator("summary").click()
    assert right.locator("p").is_visible()
    assert "forget your answers" in status(page)
    assert "your answer, right" in right.inner_text()


def test_two_copies_on_one_host_keep_apart(browser):
    with serving(BOOK.parent) as address:
        page = browser.new_page()
        page.goto(f"{address}{BOOK.name}/{CHAPTER}")
        options(page)[0].locator("summary").click()
        names = kept(page)
        page.close()
    assert names == [f"mobilenets-measured /{BOOK.name}/"]
