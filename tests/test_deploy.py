"""What operators copy is right: the files of deploy/ are understood, agree, and name what there is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from app.cli import clippings
from app.settings import unknown_names

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
RUNNING = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [*(path.read_text() for path in FILES), RUNNING])
def test_every_setting_and_option_that_is_named_is_there(text: str) -> None:
    assert unknown_names(re.findall(r"CLIPPINGS_[A-Z_]+[A-Z]", text)) == []
    serve = clippings.get_command(click.Context(clippings), "serve")
    assert serve
    known = {name for option in serve.params for name in option.opts}
    for line in re.findall(r"clippings serve ([^\n`]*)|args: \[clippings, serve, ([^]]*)\]", text):
        assert set(re.findall(r"--[a-z-]+", " ".join(line))) <= known


def test_nginx_can_make_the_folder_of_its_cache() -> None:
    [folder] = re.findall(r"^ *proxy_cache_path (\S+)", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)
    # Every Debian has this one, and nginx makes no folder of a folder.
    assert str(Path(folder).parent) == "/var/cache"


@pytest.mark.parametrize("name", ["varnish.vcl", "varnish-compose.vcl"])
def test_varnish_hides_the_path_of_metrics_alone_and_names_downloads(name: str) -> None:
    text = (DEPLOY / name).read_text()
    [pattern] = re.findall(r'req\.url ~ "(\(\?i\).+)"\)', text)
    for url in ("/metrics", "/news/metrics", "/news%2Fmetric%73", "/news/METRICS?a=b"):
        assert re.search(pattern, url), url
    for url in (
        "/news/articles?q=tcp/metrics",
        "/news/metrics-of-us",
        "/news/articles?url=https://a/metrics",
    ):
        assert not re.search(pattern, url), url
    # What is passed leaves vcl_recv, and so has to have its id before.
    assert text.index("set req.http.X-Request-Id") < text.index('req.url ~ "/exports/"')


def test_no_document_waits_for_a_number() -> None:
    """`@@TABLE@@` stands for what a measurement is to say."""
    for path in [*FILES, *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        assert "@@" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.suffix == ".yaml"], ids=lambda path: path.name
)
def test_yaml_files_are_yaml(path: Path) -> None:
    assert all(yaml.safe_load_all(path.read_text()))


def test_grace_periods_are_longer_than_a_stop_takes() -> None:
    from app.serving import STOP_SECONDS  # noqa: PLC0415  it loads the whole service

    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["service-1"]
    deployment = next(yaml.safe_load_all((DEPLOY / "kubernetes" / "clippings.yaml").read_text()))
    pod = deployment["spec"]["template"]["spec"]
    unit = (DEPLOY / "clippings.service").read_text()
    for drains, grace in (
        (compose["command"][-1], compose["stop_grace_period"].removesuffix("s")),
        (pod["containers"][0]["args"][-1], pod["terminationGracePeriodSeconds"]),
        (re.findall(r"--drain-seconds (\d+)", unit)[0], re.findall(r"TimeoutStopSec=(\d+)", unit)[0]),
    ):
        assert float(drains) + STOP_SECONDS + 2 < float(grace)


def test_the_cache_of_compose_differs_by_its_backends_alone() -> None:
    one, other = (
        (DEPLOY / name).read_text().partition("# Imports come from")[2].splitlines()
        for name in ("varnish.vcl", "varnish-compose.vcl")
    )
    assert one == [line for line in other if "backend_hint" not in line]


def test_servers_and_poolers_of_compose_are_those_that_are_configured() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    pooler = (DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text()
    [host] = re.findall(r"^clippings = host=(\S+)", pooler, re.MULTILINE)
    assert host in services
    for service in services.values():
        for url in re.findall(r"postgresql://\S+", str(service.get("environment", ""))):
            assert set(re.findall(r"[@,]([a-z]+)", url)) <= services.keys()
    assert services["database"]["entrypoint"] == services["standby"]["entrypoint"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_units_are_understood() -> None:
    units = [str(path) for path in FILES if path.suffix in (".service", ".timer")]
    ended = subprocess.run(  # noqa: S603
        ["systemd-analyze", "verify", *units],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = [
        line for line in ended.stderr.splitlines() if "clippings" in line and "not executable" not in line
    ]
    assert wrong == []


# Two scrapes a minute for half an hour; `_x60` repeats a step. Each alarm has a story in which it is raised.
_SERIES = "http_server_request_duration_seconds_count"
ALARM_STORIES: list[tuple[dict[str, str], set[str]]] = [
    ({f'{_SERIES}{{http_response_status_code="200",http_route="/articles"}}': "0+300x60"}, set()),
    ({'up{job="clippings"}': "1x20 0x40"}, {"ClippingsIsDown"}),
    ({"clippings_catalogue_readable": "1x20 0x40"}, {"ClippingsCannotReadItsCatalogue"}),
    ({"clippings_last_import_timestamp_seconds": "-10000x60"}, {"ClippingsIsOld"}),
    # The series begins with the fault.
    (
        {f'{_SERIES}{{http_response_status_code="500",http_route="/articles"}}': "_x50 1x10"},
        {"ClippingsHasAFault"},
    ),
    (
        {
            f'{_SERIES}{{http_response_status_code="200",http_route="/articles"}}': "0+300x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/articles"}}': "0+10x60",
        },
        {"ClippingsRefusesQuestions"},
    ),
    # A fifth download now and then, a service that stops and a revision that is yet to come are meant.
    (
        {
            f'{_SERIES}{{http_response_status_code="200",http_route="/articles"}}': "0+300x60",
            f'{_SERIES}{{http_response_status_code="200",http_route="/exports/articles.csv"}}': "0+20x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/exports/articles.csv"}}': "0+10x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/health/ready"}}': "0+10x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/articles",'
            'error_type="behind_minimum_revision"}': "0+10x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/exports/articles.csv",'
            'error_type="behind_minimum_revision"}': "0+60x60",
        },
        set(),
    ),
    (
        {
            f'{_SERIES}{{http_response_status_code="200",http_route="/exports/articles.csv"}}': "0+10x60",
            f'{_SERIES}{{http_response_status_code="503",http_route="/exports/articles.csv"}}': "0+20x60",
        },
        {"ClippingsRefusesDownloads"},
    ),
    (
        {
            'http_server_request_duration_seconds_bucket{le="0.5",http_route="/articles"}': "0+90x60",
            'http_server_request_duration_seconds_bucket{le="0.75",http_route="/articles"}': "0+100x60",
            'http_server_request_duration_seconds_bucket{le="+Inf",http_route="/articles"}': "0+100x60",
        },
        {"ClippingsIsSlow"},
    ),
]


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not installed")
def test_alarms_are_raised_for_what_somebody_must_do(tmp_path: Path) -> None:
    rules = DEPLOY / "alarms.yaml"
    names = re.findall(r"alert: (\w+)", rules.read_text())
    assert set(names) == set().union(*(raised for _, raised in ALARM_STORIES))
    tests = [
        {
            "interval": "30s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}})',
                    "eval_time": "29m",
                    "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}]
                    if name in raised
                    else [],
                }
                for name in names
            ],
        }
        for series, raised in ALARM_STORIES
    ]
    file = tmp_path / "stories.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": tests}))
    ended = subprocess.run(  # noqa: S603
        ["promtool", "test", "rules", str(file)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_paths_and_makes_of_the_page_are_there(tmp_path: Path) -> None:
    for path in re.findall(r"`(deploy/[A-Za-z./-]+|docs/[a-z.]+)`", RUNNING):
        assert (ROOT / path).exists(), path
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", RUNNING):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_a_release_has_a_bill_of_materials_and_licences(tmp_path: Path) -> None:
    """Of this environment, which has more than a release; `make release` makes one of its own."""
    lock = ROOT / "requirements.lock"
    command = [sys.executable, str(ROOT / "release" / "parts.py"), str(lock), str(tmp_path)]
    subprocess.run(command, check=True)  # noqa: S603
    bill = json.loads((tmp_path / "clippings.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    components = {component["name"]: component for component in bill["components"]}
    for name in ("sqlalchemy", "uvicorn", "psycopg", "prometheus-client"):
        component = components[name]
        assert component["purl"] == f"pkg:pypi/{name}@{component['version']}"
        assert component["licenses"]
        assert component["properties"][0]["value"] in lock.read_text()
    [needs] = [
        each["dependsOn"] for each in bill["dependencies"] if each["ref"].startswith("pkg:pypi/fastapi@")
    ]
    assert components["starlette"]["purl"] in needs
    refs = [component["bom-ref"] for component in bill["components"]]
    assert len(refs) == len(set(refs))
    licences = (tmp_path / "LICENCES.txt").read_text()
    assert "sqlalchemy" in licences
    assert "MIT" in licences
