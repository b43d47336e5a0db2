"""nginx, Varnish, Apache and Caddy in front, as deploy/ configures them: links, ETags, 304, purges.

Each is the program of the system's package, started for this alone; one that is not installed is said.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Final

import httpx2

from app.cli import clippings
from tests.proofs.catalogues import REPOSITORY
from tests.proofs.outcome import Outcome
from tests.proofs.replication import free_port
from tests.proofs.run import service
from tests.support.databases import sqlite_url
from tests.support.worlds import World, new_world

DEPLOY: Final = REPOSITORY / "deploy"
TOKEN: Final = "a-token-of-an-editor"
START_SECONDS: Final = 20
# Two requests that do not wait for each other are together within milliseconds.
TOGETHER_SECONDS: Final = 3
# nginx and Apache cannot be purged, so what they keep must grow old by itself.
SHORT_AGE: Final = 1
LONG_AGE: Final = 300


def behind(name: str) -> Outcome:
    """Faults are what a client behind it sees otherwise than it should."""
    outcome = Outcome(f"behind {name}")
    start, program = PROXIES[name]
    if not _is_installed(program, outcome):
        return outcome
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        Path(folder).chmod(0o755)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        world = new_world(Path(folder), sqlite_url(Path(folder)))
        for number in range(30):
            world.write(f"{number}.md", f"title: Number {number}\nexcerpt: {'words ' * 40}\ntopics: [AC/DC]")
        world.write("hidden.md", "title: Hidden\npublished: false")
        world.import_()
        world.engine.dispose()
        settings = {
            "CLIPPINGS_PUBLIC_URL": f"http://127.0.0.1:{port}/news",
            "CLIPPINGS_EDITOR_TOKEN": TOKEN,
            "CLIPPINGS_MAX_AGE": str(LONG_AGE if name == "varnish" else SHORT_AGE),
        }
        with (
            service(sqlite_url(Path(folder)), **settings) as (address, _, _),
            start(Path(folder), address[1], port),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        ):
            _wait_for(client)
            _ask(client, outcome)
            _import_and_ask(client, world, port, outcome, name)
    return outcome


def ask_nginx_at_once() -> Outcome:
    """A fault is that of two clients who ask the same at once one waits until the other has its answer."""
    outcome = Outcome("two clients of nginx at once")
    if not _is_installed("nginx", outcome):
        return outcome
    together = threading.Barrier(2)

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("/articles"):
                with suppress(threading.BrokenBarrierError):
                    together.wait(TOGETHER_SECONDS)
            self.send_response(HTTPStatus.OK)
            # The service says so of every answer to the public, where it has no CLIPPINGS_MAX_AGE.
            self.send_header("Cache-Control", "public, no-cache")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadingHTTPServer(("127.0.0.1", 0), Service) as server,
        ThreadPoolExecutor() as threads,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=4 * TOGETHER_SECONDS) as client,
    ):
        Path(folder).chmod(0o755)
        threads.submit(server.serve_forever)
        try:
            with _nginx(Path(folder), server.server_port, port):
                _wait_for(client)
                for answer in threads.map(client.get, ["/news/articles"] * 2):
                    outcome.numbers[f"answered {answer.status_code}"] += 1
        finally:
            server.shutdown()
    if together.broken:
        outcome.faults.append(f"{outcome.name}: one waited for the other")
    return outcome


def _is_installed(program: str, outcome: Outcome) -> bool:
    if shutil.which(program) or shutil.which(program, path="/usr/sbin"):
        return True
    outcome.name += f", which is not installed ({program}), so that nothing was tried"
    return False


def _ask(client: httpx2.Client, outcome: Outcome) -> None:
    def must(fact: bool, fault: str) -> None:
        outcome.numbers["checks"] += 1
        if not fact:
            outcome.faults.append(f"{outcome.name}: {fault}")

    first = client.get("/news/articles?limit=20")
    must(first.status_code == 200, f"a list is {first.status_code}")
    following = client.get(first.json()["next"])
    must(len(following.json()["items"]) == 10, "`next` does not lead on")
    must("/news/articles" in first.headers["Link"], "Link lost the prefix")
    must(client.get("/news/topics/AC%2FDC").status_code == 200, "an escaped slash does not arrive")
    feed = client.get("/news/feeds/articles.atom").text
    must(f'href="{client.base_url}/news/' in feed.replace("//news", "/news"), "a feed names another address")
    _ask_for_encodings(client, outcome, must, first)
    must(client.get("/news", follow_redirects=True).status_code == 200, "/news without a slash is nothing")
    editor = {"Authorization": f"Bearer {TOKEN}"}
    for _ in range(2):
        seen = client.get("/news/articles?published=any", headers=editor)
        must(seen.json()["total"] == 31, "the token does not arrive")
        must(client.get("/news/articles?published=any").status_code == 401, "the public sees an editor's")
    page = client.get("/news/", headers={"Cookie": "theme=dark"})
    must("30 articles" in page.text and "signed in" not in page.text, "a page is none")
    form = client.post("/news/view/sign-in", data={"token": TOKEN})
    must((form.status_code, form.headers.get("Location")) == (303, "/news/?published=any"), "no signing in")
    cookie = form.headers.get("Set-Cookie", "").partition(";")[0]
    client.cookies.clear()
    for _ in range(2):
        signed = client.get("/news/", headers={"Cookie": cookie})
        must("signed in" in signed.text, "the cookie does not arrive")
        must("private" in signed.headers["Cache-Control"], "an editor's page is for everybody")
        must("signed in" not in client.get("/news/").text, "the public sees an editor's page")
    exported = client.get("/news/exports/articles.ndjson")
    must(exported.text.count("\n") == 30, "an export is cut")
    for query in ("", "?utm_source=x"):
        status = client.get(f"/news/metrics{query}").status_code
        must(status == 403, f"/metrics{query} is there for everybody")
    must(client.get("/news/nowhere").status_code == 404, "a 404 is another status")
    must(client.get("/news/articles?limit=0").json()["status"] == 422, "a problem is another body")
    ids = [client.get("/news/articles?limit=20").headers["X-Request-Id"] for _ in range(4)]
    must(len(set(ids)) == len(ids), "several requests have one id")


def _ask_for_encodings(
    client: httpx2.Client, outcome: Outcome, must: Callable[[bool, str], None], first: httpx2.Response
) -> None:
    identity_etag = ""
    for encoding in ("identity", "gzip", "br"):
        answers = [
            client.get("/news/articles?limit=20", headers={"Accept-Encoding": encoding}) for _ in range(3)
        ]
        must(len({answer.content for answer in answers}) == 1, f"{encoding}: bodies differ")
        must(answers[0].content == first.content, f"{encoding}: another body")
        answer = answers[-1]
        is_kept = encoding != "br" or "Varnish" not in str(answer.headers) + outcome.name.title()
        expected = None if encoding == "identity" else encoding
        must(answer.headers.get("Content-Encoding") == expected or not is_kept, f"{encoding}: not compressed")
        etag = answer.headers["ETag"]
        identity_etag = etag if encoding == "identity" else identity_etag
        again = client.get(
            "/news/articles?limit=20", headers={"Accept-Encoding": encoding, "If-None-Match": etag}
        )
        must((again.status_code, again.content) == (304, b""), f"{encoding}: no 304 for {etag}")
        must("Accept-Encoding" in answer.headers["Vary"], f"{encoding}: Vary is gone")
        head = client.head("/news/articles?limit=20", headers={"Accept-Encoding": encoding})
        must((head.status_code, head.content) == (200, b""), f"{encoding}: HEAD is not as GET")
    plain = client.build_request("GET", "/news/articles?limit=20")
    del plain.headers["Accept-Encoding"]
    plain_answer = client.send(plain)
    must(plain_answer.content == first.content, "a client that names no encoding gets another body")
    must("Content-Encoding" not in plain_answer.headers, "a client that names no encoding gets one")
    must(
        plain_answer.headers["ETag"] == identity_etag,
        "a client that names no encoding gets the ETag of another body",
    )


def _import_and_ask(client: httpx2.Client, world: World, port: int, outcome: Outcome, name: str) -> None:
    for number in range(3):
        before = client.get("/news/articles").json()["total"]
        world.write(f"new{number}.md", "title: New")
        environment = {"CLIPPINGS_DATABASE_URL": str(world.engine.url)}
        if name == "varnish":
            environment["CLIPPINGS_PURGE_URL"] = f"http://127.0.0.1:{port}/"
        os.environ.update(environment)
        try:
            with redirect_stdout(StringIO()):
                clippings.main(["import", str(world.root)], standalone_mode=False)
        finally:
            for setting in environment:
                del os.environ[setting]
        revision = number + 2
        for _ in range(2):
            asked = client.get("/news/articles", headers={"Minimum-Revision": str(revision)})
            if asked.headers.get("Catalogue-Revision") != str(revision):
                outcome.faults.append(f"{outcome.name}: a stored answer is older than Minimum-Revision")
        late = client.get("/news/articles", headers={"Minimum-Revision": str(revision + 1)})
        if late.status_code != HTTPStatus.SERVICE_UNAVAILABLE or "Retry-After" not in late.headers:
            outcome.faults.append(f"{outcome.name}: a revision that is not there yet is {late.status_code}")
        # An answer is given until it is so old, and as long again while the service is asked. nginx counts
        # whole seconds.
        time.sleep(2 * SHORT_AGE + 1 if name == "nginx" else 0)
        after = client.get("/news/articles").json()["total"]
        outcome.numbers["imports"] += 1
        if after != before + 1:
            outcome.faults.append(f"{outcome.name}: after an import a list is old")


def _wait_for(client: httpx2.Client) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if client.get("/news/health/ready").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("the proxy does not answer")
        time.sleep(0.1)


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603  a program of the system's
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def configured(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """The configuration of deploy/, but for its ports and folders."""
    text = (DEPLOY / name).read_text()
    for old, new in changes:
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    file = folder / Path(name).name
    file.write_text(text)
    return file


@contextmanager
def _nginx(folder: Path, backend: int, port: int) -> Iterator[None]:
    file = configured(
        folder,
        "nginx.conf",
        ("127.0.0.1:8000", f"127.0.0.1:{backend}"),
        ("listen 8080", f"listen {port}"),
        ("/var/cache/nginx-clippings", f"{folder}/cache"),
    )
    options = f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
    with running(["/usr/sbin/nginx", "-c", str(file), "-p", str(folder), "-g", options]):
        yield


@contextmanager
def _varnish(folder: Path, backend: int, port: int) -> Iterator[None]:
    file = configured(folder, "varnish.vcl", ('.port = "8000"', f'.port = "{backend}"'))
    command = ["/usr/sbin/varnishd", "-F", "-a", f"127.0.0.1:{port}", "-f", str(file), "-s", "malloc,64m"]
    with running([*command, "-n", str(folder / "varnish"), "-j", "none"]):
        yield


@contextmanager
def _apache(folder: Path, backend: int, port: int) -> Iterator[None]:
    configured(
        folder,
        "apache.conf",
        ("127.0.0.1:8000", f"127.0.0.1:{backend}"),
        ("Listen 8080", f"Listen 127.0.0.1:{port}"),
        ("*:8080", f"*:{port}"),
    )
    modules = ("mpm_event", "authz_core", "proxy", "proxy_http", "headers", "env", "deflate", "filter")
    lines = [f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in modules]
    lines += [f"ServerRoot {folder}", f"PidFile {folder}/pid", f"ErrorLog {folder}/error.log"]
    lines += ["ServerName localhost", "User www-data", "Group www-data", f"Include {folder}/apache.conf"]
    # Debian configures mod_deflate so, which would change the ETags.
    lines += ["AddOutputFilterByType DEFLATE application/json"]
    (folder / "httpd.conf").write_text("\n".join(lines) + "\n")
    with running(["/usr/sbin/apache2", "-DFOREGROUND", "-f", str(folder / "httpd.conf")]):
        yield


@contextmanager
def _caddy(folder: Path, backend: int, port: int) -> Iterator[None]:
    # Plain HTTP, since nobody here has a certificate for the name.
    changes = (("127.0.0.1:8000", f"127.0.0.1:{backend}"), ("example.org {", f"http://127.0.0.1:{port} {{"))
    file = configured(folder, "Caddyfile", *changes)
    file.write_text("{\n\tadmin off\n}\n" + file.read_text())
    command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    with running(command, XDG_DATA_HOME=str(folder / "caddy"), XDG_CONFIG_HOME=str(folder / "caddy")):
        yield


PROXIES: Final = {
    "nginx": (_nginx, "nginx"),
    "varnish": (_varnish, "varnishd"),
    "apache": (_apache, "apache2"),
    "caddy": (_caddy, "caddy"),
}
