"""Links the glossary's words where a chapter uses them first, with a short hint."""

import re

from docutils import nodes

GLOSSARY = "book/glossary"
# a word here is a name, code or a result, or leads elsewhere
ELSEWHERE = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block)
ELSEWHERE += (nodes.math, nodes.math_block, nodes.raw, nodes.entry)


def _depend(app, doctree):
    if app.env.docname.startswith("notebooks/"):
        app.env.note_dependency(app.env.doc2path(GLOSSARY))


def _glossary(env):
    """{word in lower case: (anchor, the first sentence of its meaning)}"""
    words = {}
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        meaning = " ".join(item.children[-1].astext().split())
        hint = re.split(r"(?<=[.?!]) (?=[A-Z])", meaning)[0]
        for term in item.findall(nodes.term):
            words[term.astext().lower()] = term["ids"][0], hint
    return words


def _link(app, doctree, docname):
    if not docname.startswith("notebooks/"):
        return
    words = _glossary(app.env)
    page = app.builder.get_relative_uri(docname, GLOSSARY)
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?:e?s)?(?![\w-])",
        re.IGNORECASE,
    )
    linked = set()
    for text in list(doctree.findall(nodes.Text)):
        above = text.parent
        while above and not (
            isinstance(above, ELSEWHERE) or "cell" in above.get("classes", [])
        ):
            above = above.parent
        if above:
            continue
        parts, end = [], 0
        for found in pattern.finditer(text):
            anchor, hint = words[found[1].lower()]
            if anchor in linked:
                continue
            linked.add(anchor)
            link = nodes.reference(found[0], found[0], internal=True, reftitle=hint)
            link["refuri"] = f"{page}#{anchor}"
            link["classes"] = ["mb-term"]
            parts += [nodes.Text(text[end : found.start()]), link]
            end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def setup(app):
    app.connect("doctree-read", _depend)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
