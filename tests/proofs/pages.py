"""Pages for people hold what they promise: every link, every count, hostile documents, and a real browser.

    python -m tests.proofs.pages [TREE ...]

Crawls the pages of seeds/ and of each TREE: every link answers, every page has a way back, and the count
beside a link is the total behind it. Imports documents that want to run something, and looks for anything of
theirs that is not text. Then Chromium opens a page of each kind: axe-core finds no fault of WCAG 2.2 AA, in
the light and in the dark, narrow and wide; nothing is fetched but the style sheet, the icon and pictures;
nothing shifts while pictures come; everything can be reached by keyboard. Needs Node.js, the npm registry
and Chromium.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.testclient import TestClient

from app.database.engines import writing_engine
from app.importer.read import Request
from app.importer.run import Options, import_trees
from tests.proofs.outcome import Outcome, conclude
from tests.support.databases import sqlite_url
from tests.support.fetching import fetch, wait_until_served
from tests.support.pages import BROWSER, Element, links_of, page, read_html
from tests.support.services import TOKEN, service_of
from tests.support.worlds import World, write_document

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("playwright-core@1.65.1", "axe-core@4.14.1")
BROWSER_SECONDS: Final = 900

# Filters can be combined for ever. Pages of more than one are asked for, but not gone on from.
_MAX_FILTERS: Final = 1
_COUNT: Final = re.compile(r"[\d,]+")
_TOTAL: Final = re.compile(r"([\d,]+) articles?\b")
# These ask the API and not a page; others prove what it answers.
_DATA: Final = (
    "/articles",
    "/feeds/",
    "/exports/",
    "/facets",
    "/topics",
    "/providers",
    "/stories",
    "/docs",
    "/openapi.json",
)

RUN: Final = "window.ran=1"
TITLES: Final = (
    f"<script>{RUN}</script>",
    f'"onload="{RUN}" x="',
    f"'><img src=x onerror={RUN}>",
    f"</title></script><script>{RUN}</script>",
    f"]]><!--<svg onload={RUN}>",
    "\u202eright to left\u2066 and no way back",
    f"javascript:{RUN}",
    "{{ 7 * 7 }} {% raw %} &amp; &lt;b&gt;",
    "x" * 3_000,
    "word " * 5_000,
)
NAMES: Final = (
    *TITLES,
    ".",
    "..",
    "a/b?c#d",
    "50 %/off",
    "-a,b",
    "*",
    '"q"',
    "C++ & C#",
)
SEARCHES: Final = (
    "/?q=" + quote(f'"><script>{RUN}</script>'),
    "/?q=script&sort=title",
    "/?" + quote(f"<script>{RUN}</script>") + "=1",
    "/?limit=" + quote(f'"onfocus="{RUN}"autofocus="'),
    "/?cursor=" + quote(f"<svg/onload={RUN}>"),
    "/?tag=" + quote(f"</script><script>{RUN}</script>"),
    "/view/topics/" + quote(f"<script>{RUN}</script>", safe=""),
    "/view/facets/" + quote(f"<img src=x onerror={RUN}>", safe=""),
    "//evil.example/%2e%2e/",
    "/view/%5c%5cevil.example?x=1",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("trees", nargs="*", type=Path, help="to crawl besides seeds/")
    options.add_argument("--pages", type=int, default=5_000, help="of each tree, at most")
    arguments = options.parse_args()
    outcomes = [crawl_tree(tree, most=arguments.pages) for tree in (ROOT / "seeds", *arguments.trees)]
    outcomes.append(attack())
    outcomes += browse()
    conclude(*outcomes)


def crawl_tree(tree: Path, most: int) -> Outcome:
    with _world() as world:
        import_trees(world.engine, [Request(tree.resolve(), tree.name)], Options())
        with service_of(world) as client:
            return crawl(client, f"crawl of {tree.name}", most)


def crawl(client: TestClient, name: str, most: int) -> Outcome:
    """Each link once. Data is asked for its head alone."""
    outcome = Outcome(name)
    known = {"/"}
    waiting = deque(known)
    counts: dict[str, str] = {}
    totals: dict[str, str] = {}
    while waiting and outcome.numbers["pages"] < most:
        address = waiting.popleft()
        if urlsplit(address).path.startswith(_DATA):
            outcome.numbers["links to data"] += 1
            status = client.head(address, headers=BROWSER, follow_redirects=False).status_code
            outcome.faults += [] if status == HTTPStatus.OK else [f"{address}: {status}"]
            continue
        outcome.numbers["pages"] += 1
        try:
            shown = page(client, address)
        except AssertionError as error:
            outcome.faults.append(f"{address}: {error}")
            continue
        links = links_of(shown)
        if "/" not in links:
            outcome.faults.append(f"{address}: no way back")
        totals |= _total(address, shown)
        counts |= _counts(shown)
        if _filters(address) <= _MAX_FILTERS:
            new = [link for link in dict.fromkeys(links) if link.startswith("/") and link not in known]
            known.update(new)
            waiting.extend(new)
    for address in counts.keys() & totals.keys():
        outcome.numbers["counts"] += 1
        if totals[address] != counts[address]:
            outcome.faults.append(f"{address}: {totals[address]} articles, {counts[address]} beside the link")
    return outcome


def attack() -> Outcome:
    """Nothing of a hostile document is more than text, on any page that shows it."""
    outcome = Outcome("hostile documents")
    with _world() as world:
        write_hostile_documents(world.root)
        import_trees(world.engine, [Request(world.root, "hostile")], Options())
        with service_of(world) as client:
            crawled = crawl(client, outcome.name, most=1_500)
            outcome.faults += crawled.faults
            addresses = ["/", "/view/stories", "/view/topics", "/view/providers", *SEARCHES]
            for listed in (
                "/?limit=200",
                "/view/stories?limit=200",
                "/view/topics?limit=200",
                "/view/providers?limit=200",
            ):
                addresses += [
                    link
                    for link in links_of(read_html(client.get(listed, headers=BROWSER).text))
                    if link.startswith(("/view/", "/?"))
                ]
            for address in dict.fromkeys(addresses):
                outcome.numbers["pages"] += 1
                text = client.get(address, headers=BROWSER, follow_redirects=False).text
                outcome.faults += [f"{address}: {fault}" for fault in faults_of(text)]
    return outcome


def faults_of(text: str) -> list[str]:
    """Whatever a browser could run in a page, or that belongs to no template of ours."""
    try:
        shown = read_html(text)
    except AssertionError as error:
        return [str(error)]
    faults = []
    for element in shown.all():
        attributes = element.attributes
        if element.tag in ("iframe", "object", "embed", "base", "style", "template"):
            faults.append(f"<{element.tag}>")
        if element.tag == "script":
            if attributes != {"type": "application/ld+json"}:
                faults.append(f"script with {attributes}")
            json.loads("".join(str(child) for child in element.children))
        for name, value in attributes.items():
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                faults.append(f"<{element.tag} {name}={value[:50]}>")
            is_link = name in ("href", "src", "action", "cite")
            if is_link and not value.startswith(("https://", "http://", "/", "#", "mailto:")):
                faults.append(f"<{element.tag} {name}={value[:50]}>")
            if is_link and value.startswith(("//", "/\\")):
                faults.append(f"{value[:50]} leads to another site")
    return faults


def write_hostile_documents(root: Path) -> None:
    """Each hostile text as every key that takes it."""
    for number, title in enumerate(TITLES):
        text = json.dumps(title)
        write_document(
            root,
            f"<b onload={number}>.md",
            f"title: {text}\nexcerpt: {text}\ntype: {text}\ncategory: {text}\nlocale: {text}\n"
            f"publishedDateTime: 2020-01-{number + 1:02}\n"
            f"provider: {{name: {text}}}\nauthors: [{text}]\ntopics: [{text}]\ntags: [{text}]\n"
            f'webUrl: https://x.example/{number}/"onload="{RUN}\'><script>{RUN}</script>\n'
            f'images: [{{url: "https://x.example/{number}.jpg?\'onerror={RUN}", title: {text}, '
            f"attribution: {text}}}]\n"
            f"related: [{{title: {text}, webUrl: https://x.example/r/{number}, provider: {{name: {text}}}}}, "
            # Two by two they are one story.
            f"{{title: {text}, webUrl: https://x.example/of/{number // 2}}}]",
            f"{title}\n\n[x](javascript:{RUN})\n\n<p onclick='{RUN}' style='position:fixed'>{title}</p>\n\n"
            f"<img src=x onerror={RUN} title='a>b alt=\"'>\n\n<base href='https://evil.example/'>\n",
        )
    for number, name in enumerate(NAMES):
        text = json.dumps(name)
        write_document(
            root,
            f"named/{number}.md",
            f"title: Named {number}\nprovider: {{name: {text}}}\nauthors: [{text}]\ntopics: [{text}]\n"
            f"tags: [{text}]\ntype: {text}",
        )
        write_document(
            root,
            f"topics/{number}.md",
            f"taxonomy: topic\nname: {text}\nparent: {json.dumps(NAMES[number - 1])}\nkeywords: [{text}]",
        )
    listed = [f"<b onload={number}>.md" for number in range(len(TITLES))] + [*NAMES]
    write_document(root, "listed.md", f"title: Listed\ntype: collection\nitems: {json.dumps(listed)}")
    write_document(
        root,
        "organizations/x.md",
        f"taxonomy: organization\nname: {json.dumps(TITLES[0])}\ndomain: x.example\n"
        f"description: {json.dumps(TITLES[3])}",
    )


def browse() -> list[Outcome]:
    """What only a browser can tell, of seeds/ and of hostile documents."""
    outcomes = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        shutil.copy(Path(__file__).with_name("pages.mjs"), folder)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
        subprocess.run(npm, cwd=folder, check=True)  # noqa: S603
        hostile = folder / "hostile"
        write_hostile_documents(hostile)
        for tree, is_hostile in ((ROOT / "seeds", False), (hostile, True)):
            with _served(folder, tree) as url:
                outcomes.append(_browse(folder, url, tree.name, is_hostile=is_hostile))
    return outcomes


def _browse(folder: Path, url: str, name: str, *, is_hostile: bool) -> Outcome:
    outcome = Outcome(f"browser on {name}")
    item = json.loads(fetch(f"{url}/articles?hasRelated=true&limit=1&fields=id"))["items"][0]
    [collection] = json.loads(fetch(f"{url}/articles?type=collection&limit=1&fields=id"))["items"]
    addresses = [
        "/",
        "/?collapse=story",
        "/?q=open",
        "/?topic=*&sort=title",
        f"/view/articles/{item['id']}",
        f"/view/articles/{collection['id']}",
        "/view/stories",
        _first(url, "/view/stories"),
        "/view/topics",
        _first(url, "/view/topics"),
        "/view/providers",
        _first(url, "/view/providers"),
        "/view/facets/tag",
        "/view/sign-in",
        "/view/nowhere",
        "/?limit=x",
        "/?q=nothinghasthis",
    ]
    if is_hostile:
        addresses += [link for link in _links(url, "/?limit=40") if link.startswith("/view/articles/")]
        addresses += SEARCHES
    order = {"url": url, "addresses": addresses, "hostile": is_hostile, "token": TOKEN}
    done = subprocess.run(  # noqa: S603
        ["node", "pages.mjs", json.dumps(order)],  # noqa: S607  whichever Node.js is there
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BROWSER_SECONDS,
        check=False,
    )
    if done.returncode:
        outcome.faults.append(f"the browser failed: {done.stderr}")
        return outcome
    report = json.loads(done.stdout)
    outcome.numbers.update(report["numbers"])
    outcome.faults += report["faults"]
    return outcome


def _first(url: str, listed: str) -> str:
    return next(link for link in _links(url, listed) if link.startswith(f"{listed}/"))


def _links(url: str, address: str) -> list[str]:
    return links_of(read_html(fetch(url + address).decode()))


def _counts(shown: Element) -> dict[str, str]:
    """Address and count of each link that has one: facets, bars, rows of a table, topics below."""
    found = {}
    for row in (*shown.all("li"), *shown.all("tr")):
        links = row.all("a")
        counts = [cell.text for cell in (*row.all("span"), *row.all("td")) if _COUNT.fullmatch(cell.text)]
        if len(links) == len(counts) == 1:
            found[links[0].attributes["href"]] = counts[0]
    for bar in shown.all("a"):
        _, has_count, count = bar.attributes.get("aria-label", "").rpartition(": ")
        if has_count:
            found[bar.attributes["href"]] = count
    return found


def _total(address: str, shown: Element) -> dict[str, str]:
    """What a page says of how many articles it has; home has a sentence of its own."""
    if shown.one("h1").text != "What is new":
        for said in (*shown.all("p", class_="lead"), *shown.all("p", class_="facts")):
            if total := _TOTAL.match(said.text):
                return {address: total[1]}
    return {}


def _filters(address: str) -> int:
    parts = urlsplit(address)
    names = [name for name, _ in parse_qsl(parts.query) if name not in ("limit", "cursor", "sort")]
    # All values of one field lead to as many pages as the field has, so they are gone on from once.
    return len(names) + parts.path.startswith("/view/facets/")


@contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = folder / "tree"
        root.mkdir()
        engine = writing_engine(sqlite_url(folder))
        yield World(root, engine)
        engine.dispose()


@contextmanager
def _served(folder: Path, tree: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "CLIPPINGS_DATABASE_URL": f"sqlite:///{folder / tree.name}.db",
        "CLIPPINGS_EDITOR_TOKEN": TOKEN,
    }
    clippings = [sys.executable, "-m", "app"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    _run([*clippings, "import", str(tree)], environment)
    server = subprocess.Popen([*clippings, "serve", "--port", str(port)], cwd=ROOT, env=environment, **quiet)  # type: ignore[call-overload]  # noqa: S603
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_served(f"{url}/health/ready")
        yield url
    finally:
        server.terminate()
        server.wait()


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    """Status 1 is an import that reported documents, as hostile ones are."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)  # noqa: S603
    if done.returncode not in (0, 1):
        sys.exit(f"{command}: {done.stderr.decode()}")


if __name__ == "__main__":
    main()
