"""A server that stands in for GitHub and Azure DevOps, as far as comments of a pull request go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import orjson

GH = """
import json, os, sys, urllib.request

_, command, path, *options = sys.argv
assert command == "api" and os.environ["GH_TOKEN"] == "secret"
method = options[options.index("--method") + 1] if "--method" in options else "GET"
data = None
if "--field" in options:
    name, _, file = options[options.index("--field") + 1].partition("=@")
    data = json.dumps({name: open(file).read()}).encode()
request = urllib.request.Request(os.environ["FORGE"] + "/" + path, data, method=method)
answer = json.load(urllib.request.urlopen(request))
if "--jq" in options:
    assert "--paginate" in options and "startswith(" in options[options.index("--jq") + 1]
    for one in answer:
        if one["body"].startswith("<!-- wavekeeper-policies -->"):
            print(one["id"])
"""
"""What the step needs of GitHub's command line; the real one asks the real GitHub the same."""


class Forge:
    """A server that keeps the comments of pull request 7, as GitHub and as Azure DevOps do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.comments: list[dict[str, Any]] = []
        self.threads: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.refuses = False

    def answer(self, method: str, path: str, body: Any) -> Any:
        """What a request is answered; None if there is no such thing."""
        self.asked.append((method, path))
        match method, path.split("?", maxsplit=1)[0].strip("/").split("/"):
            case "GET", ["repos", "a", "b", "issues", "7", "comments"]:
                return self.comments
            case "POST", ["repos", "a", "b", "issues", "7", "comments"]:
                self.comments.append({"id": 100 + len(self.comments), **body})
                return self.comments[-1]
            case "PATCH", ["repos", "a", "b", "issues", "comments", number]:
                (known,) = [one for one in self.comments if one["id"] == int(number)]
                known.update(body)
                return known
            case "GET", ["p", "_apis", "git", "repositories", "r", "pullRequests", "7", "threads"]:
                return {"value": self.threads}
            case "POST", ["p", "_apis", "git", "repositories", "r", "pullRequests", "7", "threads"]:
                self.threads.append({**body, "id": 5, "comments": [{**body["comments"][0], "id": 1}]})
                return self.threads[-1]
            case "PATCH", [
                "p",
                "_apis",
                "git",
                "repositories",
                "r",
                "pullRequests",
                "7",
                "threads",
                "5",
                "comments",
                "1",
            ]:
                self.threads[0]["comments"][0].update(body)
                return self.threads[0]["comments"][0]
        return None


@contextmanager
def forging() -> Iterator[Forge]:
    """It listens on loopback for as long as the test runs."""
    kept: list[Forge] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = orjson.loads(self.rfile.read(length)) if length else None
            found = None if kept[0].refuses else kept[0].answer(self.command, self.path, body)
            self.send_response(403 if found is None else 200)
            self.end_headers()
            self.wfile.write(orjson.dumps(found))

        def do_POST(self) -> None:
            self.do_GET()

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            """Nothing: a test that fails shows what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.append(Forge(f"http://127.0.0.1:{server.server_port}"))
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield kept[0]
        server.shutdown()
        thread.join()
