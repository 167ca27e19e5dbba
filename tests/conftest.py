"""What all tests share: how hypothesis searches, and a switch that makes a skipped test a failure."""

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True)  # the same examples everywhere
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run: everything is installed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if session.config.getoption("--no-skips") and skipped:
        for report in skipped:
            reporter.write_line(f"skipped, which --no-skips forbids: {report.nodeid} {report.longrepr}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
