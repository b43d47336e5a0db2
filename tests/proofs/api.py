"""The API as other people's tools see it: schemathesis, a validator, a linter, two generators of clients.

    python -m tests.proofs.api --examples 200

Serves seeds/ on a free port, runs each tool on what the service says of itself, and runs the programs of
clients/ with generated clients, once TypeScript and mypy have checked their types as strictly as they can.
Needs the extra `prove`, Node.js and the npm registry.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.fetching import fetch, wait_until_served

ROOT: Final = Path(__file__).parents[2]

REDOCLY: Final = "@redocly/cli@2.77.0"
TYPESCRIPT: Final = (
    "openapi-typescript@7.13.0",
    "openapi-fetch@0.17.0",
    "typescript@5.9.3",
    "@types/node@22",
)
# The programs of clients/, and the name that they give to what is generated.
CLIENTS: Final = Path(__file__).parent / "clients"
GENERATED: Final = "clippings_client"
COMPILE: Final = (
    *("npx", "tsc", "--strict", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022"),
    *("--skipLibCheck", "--allowImportingTsExtensions", "--rewriteRelativeImportExtensions"),
    "list_articles.mts",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=200, help="for each operation, from schemathesis")
    examples = str(options.parse_args().examples)
    with tempfile.TemporaryDirectory() as temporary, _service(Path(temporary)) as url:
        folder = Path(temporary)
        document = folder / "openapi.json"
        document.write_bytes(fetch(f"{url}/openapi.json"))
        _run("openapi-spec-validator", [_tool("openapi-spec-validator"), str(document)], ROOT)
        lint = ["npx", "--yes", REDOCLY, "lint", str(document), "--max-problems=0"]
        _run("redocly", [*lint, "--config", str(ROOT / "redocly.yaml")], folder)
        _python_client(folder, document, url)
        _typescript_client(folder, document, url)
        checks = ["--max-examples", examples, "--max-response-time", "2", "--continue-on-failure"]
        # answer_schema.py has a check of ours in its place.
        checks += ["--exclude-checks", "response_schema_conformance"]
        _run("schemathesis", [_tool("st"), "run", f"{url}/openapi.json", *checks], ROOT)


def _python_client(folder: Path, document: Path, url: str) -> None:
    generate = [_tool("openapi-python-client"), "generate", "--path", str(document), "--meta", "none"]
    _run("openapi-python-client", [*generate, "--output-path", str(folder / GENERATED)], folder)
    shutil.copy(CLIENTS / "list_articles.py", folder)
    # Generated code has findings of its own, which are the generator's.
    check = [_tool("mypy"), "--strict", "--follow-imports=silent", "list_articles.py"]
    _run("the client's types in Python", check, folder)
    _run("the client in Python", [sys.executable, "list_articles.py", url], folder)


def _typescript_client(folder: Path, document: Path, url: str) -> None:
    (folder / "package.json").write_text('{"private": true}')
    _run("npm", ["npm", "install", "--silent", "--no-audit", "--no-fund", *TYPESCRIPT], folder)
    _run("openapi-typescript", ["npx", "openapi-typescript", str(document), "-o", "clippings.d.ts"], folder)
    shutil.copy(CLIENTS / "list_articles.mts", folder)
    _run("the client's types in TypeScript", COMPILE, folder)
    _run("the client in TypeScript", ["node", "list_articles.mjs", url], folder)


def _run(name: str, command: Sequence[str], folder: Path) -> None:
    """Prints what a failing tool says, and ends there."""
    started = time.monotonic()
    # The generators format what they made with the ruff beside them.
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SCHEMATHESIS_HOOKS": "tests.proofs.answer_schema",
    }
    done = subprocess.run(  # noqa: S603  our own commands
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{name}: failed\n{done.stdout}{done.stderr}")
    sys.stdout.write(f"{name}: no finding, {time.monotonic() - started:.0f} s\n")
    sys.stdout.flush()


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "CLIPPINGS_DATABASE_URL": f"sqlite:///{folder / 'clippings.db'}",
        "CLIPPINGS_EDITOR_TOKEN": "an-editors-token",
    }
    clippings = [sys.executable, "-m", "app"]
    subprocess.run([*clippings, "import", "seeds/"], cwd=ROOT, env=environment, check=True)  # noqa: S603
    server = subprocess.Popen(  # noqa: S603
        [*clippings, "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_served(f"{url}/health/ready")
        yield url
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
