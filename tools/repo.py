"""Names the public repository: tools/repo.py https://github.com/me/my-book

repository.url in _config.yml is what counts; each notebook's setup cell, the Colab
badges of the README and CITATION.cff follow it. Nothing else in these files changes.
"""

import re
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
ADDRESS = r"(https://github\.com/[\w-]+/(?!\.)[\w.-]+?)(?:\.git)?/?"
COLAB = "https://colab.research.google.com"

# what names the repository, once in each file of the kind
NAMED = {
    ".yml": r"(?m)(?<=^  url: )\S+$",
    ".cff": r"(?m)(?<=^repository-code: )\S+$",
    ".md": r"(?m)^\| \| notebook \|.*(?:\n\|.*)*",  # the table of chapters
    ".ipynb": r'(?<=\bREPOSITORY = \\")[^"\\]*',
}


def files(root):
    named = [root / name for name in ("_config.yml", "CITATION.cff", "README.md")]
    return [*named, *sorted(root.glob("notebooks/*.ipynb"))]


def read(path):
    return path.read_bytes().decode()  # line ends stay as they are


def setting(root, name):
    """url or branch, as _config.yml has it."""
    return re.search(rf"(?m)^  {name}: (\S+)$", read(root / "_config.yml"))[1]


def _table(match, url, branch):
    """The README's chapters, with a column of badges once there is an address."""
    colab = url.replace("https://github.com", f"{COLAB}/github") + f"/blob/{branch}/"
    rows = []
    for line in match[0].splitlines():
        row = re.match(r"(?:\|[^|]*){3}\|", line)[0]
        if url != PLACEHOLDER:
            badges = [
                f"[![{name} in Colab]({COLAB}/assets/colab-badge.svg)]({colab}{path})"
                for name, path in re.findall(r"\[([^]]*)\]\((notebooks/[^)]*)\)", row)
            ]
            last = " ".join(badges) or ("---" if "---" in row else "run it")
            row += f" {last} |"
        rows.append(row)
    return "\n".join(rows)


def renamed(path, url, branch):
    """The file's text as it should be for the repository."""
    new = partial(_table, url=url, branch=branch) if path.suffix == ".md" else url
    text, found = re.subn(NAMED[path.suffix], new, read(path))
    if found != 1:
        sys.exit(
            f"Stopped: {path.name} should name the repository once, and does so "
            f"{found} times. Compare it with its stored version; nothing was changed."
        )
    return text


def main(address, root=ROOT):
    match = re.fullmatch(ADDRESS, address.strip(), re.ASCII)
    if not match:
        sys.exit(
            f"Stopped: {address!r} is not the address of a repository on GitHub. "
            "Write it like this: make repo URL=https://github.com/me/my-book"
        )
    branch = setting(root, "branch")
    texts = {path: renamed(path, match[1], branch) for path in files(root)}
    changed = [path for path, text in texts.items() if text != read(path)]
    for path in changed:
        path.write_bytes(texts[path].encode())
    print(f"{match[1]}: {len(changed)} of {len(texts)} files changed. Commit and push.")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
