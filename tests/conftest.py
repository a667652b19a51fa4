"""Fixtures for all tests: real servers, each started once, and the addresses that lead to them.

tests/README.md lists them. A test that asks for one gets the marker ``servers`` by itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

    from tests.push_service import PushService
    from tests.servers.faults import FaultProxy
    from tests.servers.postgresql import PostgreSQL
    from tests.servers.process import ServerProcess
    from tests.servers.valkey import Valkey

REAL_SERVERS = {"postgresql", "valkey", "asgi_server", "fault_proxy"}
TOGETHER = (  # tests that share what takes long to make
    "tests/test_packaging.py",
    "tests/browser/test_newcomer.py",
    "tests/test_audiences.py::EstimateTests",
    "tests/test_surroundings.py::TestOnPostgreSQL",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make release` name the wheel that it has built, and `make baseline` write what the hot paths cost."""
    parser.addoption(
        "--wheel", help="the wheel that is tested and installed, beside its sdist; without it the tests build one"
    )
    parser.addoption(
        "--renew-baseline", action="store_true", help="write tests/costs.json instead of comparing with it"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder of this run's SQLite file."""
    settings.DATABASE_FOLDER.mkdir(exist_ok=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it again."""
    shutil.rmtree(settings.DATABASE_FOLDER, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts real servers, so that `-m "not servers"` is the fast run."""
    for item in items:
        if REAL_SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("servers")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist: `pytest -n 4` runs the tests in four workers
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give each test to the next worker that is free, but all tests that share something costly to one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((name for name in TOGETHER if nodeid.startswith(name)), nodeid)

    return Scheduler(config, log)


@pytest.fixture(scope="session")
def distributions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the wheel that ``--wheel`` names, or build an sdist from this tree and a wheel from that."""
    from tests.distributions import build

    if given := request.config.getoption("--wheel"):
        return Path(given).resolve().parent
    target = tmp_path_factory.mktemp("distributions")
    build(target)
    return target


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """Return the path of the wheel."""
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Run a PostgreSQL server for the session; ``postgresql.create()`` makes an empty database and gives its URL."""
    from tests.servers import postgresql

    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def valkey_process() -> Iterator[Valkey]:
    """Run a server of the Redis protocol for the session; tests ask for ``valkey``."""
    from tests.servers import valkey

    with valkey.running() as server:
        yield server


@pytest.fixture
def valkey(valkey_process: Valkey) -> Valkey:
    """Return the running server without keys; a test may ``kill()`` and ``start()`` it."""
    valkey_process.start()
    valkey_process.flush()
    return valkey_process


@pytest.fixture
def own_feeds() -> Iterator[None]:
    """Let a test declare feeds, and remove them again."""
    from notifications.feeds.registry import registry

    before = dict(registry)
    registry.clear()
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture
def database_url(transactional_db: None) -> str:
    """Return the address of the tests' own database, for other processes; what a test commits, they see."""
    from django.db import connection

    options = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{options['NAME']}"
    return f"postgres://{options['USER']}@{options['HOST']}:{options['PORT']}/{options['NAME']}"


@pytest.fixture
def asgi_server(database_url: str, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Return a function that starts the demo site under a real ASGI server, on the tests' own database.

    ``asgi_server("uvicorn" | "daphne" | "granian" | "hypercorn", redis_url="", database_url=…, env={…})`` returns a
    started process with ``url``, ``port``, ``pid``, ``stop()``, ``kill()``, ``start()`` (again, on the same port) and
    ``output()``. All end with the test, before the database is emptied.
    """
    from tests.servers import asgi

    started: list[ServerProcess] = []

    def start(kind: str = "uvicorn", **options: object) -> ServerProcess:
        server = asgi.server(kind, folder=tmp_path, **{"database_url": database_url, **options})  # type: ignore[arg-type]
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[int], FaultProxy]]:
    """Return a function that puts a fault proxy before a loopback port: ``fault_proxy(server.port)``."""
    from tests.servers.faults import FaultProxy

    started: list[FaultProxy] = []

    def start(target: int) -> FaultProxy:
        proxy = FaultProxy(target)
        proxy.start()
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


@pytest.fixture
def push_service() -> Iterator[PushService]:
    """Run a push service, to which the site pushes everything; it must have had no reason to refuse anything."""
    from tests.push_service import PushService
    from tests.pushing import pushing

    with PushService().running() as running, pushing():
        yield running
    assert running.faults == []
