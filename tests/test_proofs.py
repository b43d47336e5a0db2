"""The proofs in short: each finds no fault in a few tries. `make prove` tries at full length."""

import pytest

from tests.proofs.connections import flood, wait_for_slow_clients
from tests.proofs.doubles import double
from tests.proofs.extremes import answer_meanwhile, measure_kinds
from tests.proofs.fuzz import fuzz_all
from tests.proofs.kill import crash_on_crash, kill_imports, kill_servers_after, scene_of
from tests.proofs.memory import measure, measure_small
from tests.proofs.pages import ROOT, attack, crawl_tree
from tests.proofs.proxies import PROXIES, ask_nginx_at_once, behind
from tests.proofs.readers import read_during_imports
from tests.proofs.run import import_beside_slow_downloads, replace_killed_workers, stop_under_load
from tests.proofs.squeeze import squeeze
from tests.support.databases import DURABLE, start_server

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@DATABASES
def test_a_killed_import_leaves_the_catalogue_before_or_after(database: str) -> None:
    with scene_of(database, seed=1, articles=20) as scene:
        assert kill_imports(scene, kills=2).faults == []
        assert crash_on_crash(scene, rounds=1, kills=2).faults == []


def test_a_killed_server_loses_nothing_that_was_done() -> None:
    server = start_server(DURABLE)
    with scene_of("postgresql", seed=1, articles=20, server=server) as scene:
        assert kill_servers_after(scene, server, kills=1).faults == []
    server.stop()


def test_a_squeezed_import_says_so_in_a_line() -> None:
    assert squeeze(times=3, articles=20).faults == []


def test_two_imports_at_once_take_turns() -> None:
    assert double("sqlite", times=1, articles=20).faults == []


@DATABASES
def test_readers_see_one_edition_or_the_other(database: str) -> None:
    assert read_during_imports(database, imports=4, responses=100, articles=20).faults == []


def test_slow_and_endless_clients_are_closed() -> None:
    assert wait_for_slow_clients(head_seconds=1).faults == []
    assert [outcome.faults for outcome in flood(megabytes=2) if outcome.faults] == []


@pytest.mark.parametrize(("workers", "keep_alive"), [(1, True), (2, False)])
def test_a_stop_under_load_resets_nobody(workers: int, keep_alive: bool) -> None:
    assert stop_under_load(1, workers=workers, keep_alive=keep_alive).faults == []


def test_a_killed_worker_comes_back() -> None:
    assert replace_killed_workers(1).faults == []


def test_a_slow_download_does_not_let_the_log_grow() -> None:
    assert import_beside_slow_downloads(1).faults == []


@pytest.mark.parametrize("proxy", PROXIES)
def test_clients_behind_a_proxy_see_what_they_should(proxy: str) -> None:
    assert behind(proxy).faults == []


def test_nginx_lets_nobody_wait_for_who_asks_the_same() -> None:
    assert ask_nginx_at_once().faults == []


def test_parsers_take_mutants() -> None:
    assert [
        outcome.faults for outcome in fuzz_all([], inputs=500, seconds=10, seed=1) if outcome.faults
    ] == []


def test_memory_is_measured() -> None:
    assert measure("sqlite", documents=20, workers=1).faults == []
    assert measure_small("sqlite", documents=200, workers=1).faults == []


def test_no_document_takes_long_or_much() -> None:
    kinds = ["body of marks out of order", "one URL: /amp"]
    assert measure_kinds("sqlite", kinds).faults == []


def test_a_page_of_slow_texts_holds_up_nobody() -> None:
    assert answer_meanwhile("sqlite", documents=24).faults == []


def test_every_link_of_a_page_leads_on_and_counts_are_totals() -> None:
    outcome = crawl_tree(ROOT / "seeds", most=300)
    assert outcome.faults == []
    assert outcome.numbers["counts"] > 100


def test_nothing_of_a_hostile_document_is_more_than_text() -> None:
    outcome = attack()
    assert outcome.faults == []
    assert outcome.numbers["pages"] > 100
