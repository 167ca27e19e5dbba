"""What all tests share: how hypothesis searches, and a switch that makes a skipped test a failure."""

import gc

import pytest
from hypothesis import HealthCheck, settings

# Repeatable: whether a change lands is decided by the change, not by luck.
common = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
settings.register_profile("repeatable", max_examples=100, **common)
settings.register_profile("search", max_examples=2000, **common)  # for the slow tests
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run: everything is installed")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there by now stays, PyTorch, JAX and all: the collector need not walk it again, a fifth of all time."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if session.config.getoption("--no-skips") and skipped:
        for report in skipped:
            reporter.write_line(f"skipped, which --no-skips forbids: {report.nodeid} {report.longrepr}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
