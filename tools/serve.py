"""Serves a folder on this machine, compressed as web hosts do it.

tools/serve.py _build/html 8000
"""

import errno
import gzip
import io
import sys
import threading
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TEXT = (".html", ".js", ".css", ".json", ".svg", ".txt", ".xml")


@cache
def _compressed(path, modified):
    return gzip.compress(path.read_bytes())


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments, caching, **options):
        self.caching = caching  # first, as the base class answers at once
        super().__init__(*arguments, **options)

    def send_head(self):
        path = Path(self.translate_path(self.path))
        # without the slash at its end a folder's address is sent on to the one with it
        if path.is_dir() and self.path.partition("?")[0].endswith("/"):
            path /= "index.html"
        compress = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (compress and path.suffix in TEXT and path.is_file()):
            return super().send_head()
        content = _compressed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def end_headers(self):
        self.send_header("Cache-Control", self.caching)
        super().end_headers()

    def log_message(self, *arguments):
        pass


def server(folder, port=0, caching="no-cache"):
    """A server of the folder on localhost; port 0 takes a free one.

    caching: what browsers are told of each file; by default, to ask again.
    """
    handler = partial(Handler, directory=str(folder), caching=caching)
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


@contextmanager
def serving(folder, caching="no-cache"):
    """The address of a folder's files, while the context lasts."""
    with server(folder, caching=caching) as running:
        threading.Thread(target=running.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def main(folder, port):
    try:
        with server(folder, int(port)) as running:
            print(f"http://localhost:{port}/ (stop with Ctrl-C)", flush=True)
            running.serve_forever()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is taken: make serve PORT={int(port) + 1}")
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main(*sys.argv[1:])
