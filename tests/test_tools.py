"""The server and the browser that tools and tests share."""

import gzip
from http.client import HTTPConnection
from urllib.request import urlopen

import pytest

from tools import browser
from tools.serve import serving

PAGE = b"<!doctype html><title>A page</title>"


@pytest.fixture
def get(tmp_path):
    """get(path, gzip or not): status, headers and content of an answer."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book/index.html").write_bytes(PAGE)
    (tmp_path / "book/picture.png").write_bytes(PAGE)
    with serving(tmp_path) as address:

        def ask(path, encoding="gzip, br"):
            connection = HTTPConnection(address.split("/")[2])
            connection.request("GET", path, headers={"Accept-Encoding": encoding})
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return found

        yield ask


@pytest.mark.parametrize("path", ["/book/", "/book/?a=/", "/book/index.html"])
def test_text_is_sent_compressed_to_who_reads_that(get, path):
    status, headers, content = get(path)
    assert status == 200 and headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "text/html"
    assert gzip.decompress(content) == PAGE
    status, headers, content = get(path, "identity")
    assert status == 200 and "Content-Encoding" not in headers and content == PAGE


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_folder_without_its_slash_is_sent_on(get, encoding):
    for path in ("/book", "/book?a=/"):
        status, headers, _ = get(path, encoding)
        assert status == 301 and headers["Location"].startswith("/book/")


def test_pictures_are_sent_as_they_are_and_nothing_is_kept(get):
    _, headers, content = get("/book/picture.png")
    assert "Content-Encoding" not in headers and content == PAGE
    assert headers["Cache-Control"] == "no-cache"
    assert get("/nothing.html")[0] == 404


def test_files_are_kept_where_that_is_asked_for(tmp_path):
    (tmp_path / "index.html").write_bytes(PAGE)
    with serving(tmp_path, caching="max-age=600") as address, urlopen(address) as got:
        assert got.headers["Cache-Control"] == "max-age=600"


def test_a_tool_without_a_browser_says_so_and_ends(monkeypatch):
    monkeypatch.setattr(browser, "find", lambda: None)
    with pytest.raises(SystemExit, match=r"NO BROWSER: .* Install Chromium"):
        browser.found()
