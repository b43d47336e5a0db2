"""The image: built by buildah, and run by an arbitrary user on a root file system that cannot be written.

The base comes from a registry, or is one of this machine's with that name (--pull-never). It needs root.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

from tests.proofs.catalogues import REPOSITORY
from tests.proofs.outcome import Outcome, conclude

# Neither root nor the image's own; of group 0, as OpenShift runs it.
USER: Final = "123456:0"
START_SECONDS: Final = 60

# The image's files are the root of a mount namespace, in which only /data and /tmp can be written.
_ENTER: Final = """
root=$0; data=$1; seeds=$2; user=$3; shift 3
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mkdir -p "$root/seeds"; mount --bind "$seeds" "$root/seeds"
mount -t tmpfs tmpfs "$root/tmp"; chmod 1777 "$root/tmp"
mount -o remount,ro,bind "$root"
exec chroot --userspec="$user" "$root" /usr/bin/env -i PATH=/opt/clippings/bin:/usr/bin:/bin HOME=/nowhere \
    CLIPPINGS_DATABASE_URL=sqlite:////data/clippings.db "$@"
"""


def run_image(build_options: Sequence[str], storage: Sequence[str]) -> Outcome:
    outcome = Outcome("the image, as another user, read-only")
    if not shutil.which("buildah") or os.geteuid() != 0:
        outcome.name += ": buildah or root is wanting, so that nothing was tried"
        return outcome
    buildah = ["buildah", *storage]
    built = [
        "bud",
        "--isolation",
        "chroot",
        "--network",
        "host",
        *build_options,
        "-t",
        "clippings-proof",
        ".",
    ]
    _run([*buildah, *built])
    container = _run([*buildah, "from", "--pull-never", "clippings-proof"])
    try:
        root = _run([*buildah, "mount", container])
        with tempfile.TemporaryDirectory() as data:
            # A fresh volume takes over the folder's owner and mode as well.
            os.chown(data, 10_001, 0)
            Path(data).chmod(0o2775)
            _use(outcome, [root, data, str(REPOSITORY / "seeds"), USER])
    finally:
        _run([*buildah, "rm", container])
    return outcome


def _use(outcome: Outcome, place: list[str]) -> None:
    def must(fact: bool, fault: str) -> None:
        outcome.numbers["checks"] += 1
        if not fact:
            outcome.faults.append(fault)

    imported = _inside(place, "clippings", "import", "/seeds")
    created = sum(map(int, re.findall(r"created (\d+)", imported.stdout)))
    must(imported.returncode in (0, 1) and created > 0, f"import: {imported.stderr[-300:]}")
    must(_inside(place, "sh", "-c", "touch /here").returncode != 0, "the root can be written")
    with _serving(place) as (url, process):
        total = httpx2.get(f"{url}/articles").json()["total"]
        must(0 < total < created, "a list has other articles than the public ones")
        must(httpx2.get(f"{url}/exports/articles.ndjson").text.count("\n") == total, "an export is cut")
        must("http_server" in httpx2.get(f"{url}/metrics").text, "there are no metrics")
        copied = _inside(place, "clippings", "backup", "/data/backup.db")
        must(copied.returncode == 0, f"backup: {copied.stderr}")
        must(_inside(place, "rm", "/data/clippings.db").returncode == 0, "the catalogue stays")
        must(httpx2.get(f"{url}/health/ready").status_code == 503, "a missing catalogue is served")
        must(_inside(place, "mv", "/data/backup.db", "/data/clippings.db").returncode == 0, "no restore")
        restored = httpx2.get(f"{url}/articles").json()["total"]
        must(restored == total, "the restored one is not served")
        process.terminate()
        must(process.wait(30) is not None, "it does not stop")


def _inside(place: list[str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603
        ["unshare", "-m", "sh", "-ec", _ENTER, *place, *command],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _serving(place: list[str]) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["clippings", "serve", "--host", "0.0.0.0", "--port", str(port), "--workers", "2"]  # noqa: S104
    process = subprocess.Popen(  # noqa: S603
        ["unshare", "-m", "sh", "-ec", _ENTER, *place, *command],  # noqa: S607
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx2.get(f"{url}/health/live")
                break
            except httpx2.TransportError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.1)
        yield url, process
    finally:
        process.terminate()
        process.wait()


def _run(command: Sequence[str]) -> str:
    ended = subprocess.run(  # noqa: S603
        command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    )
    return ended.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--build", default="", help="options of `buildah bud`, as --pull-never and -v of pip.conf"
    )
    parser.add_argument("--storage", default="", help="options of `buildah`, as --root")
    given = parser.parse_args()
    conclude(run_image(given.build.split(), given.storage.split()))


if __name__ == "__main__":
    main()
