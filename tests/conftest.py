"""What every test stands on: a home of its own, the shared market data if it is there, and honest skips."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"

#: The only things that a skipped test may miss where everything is installed (INTERLOCK_SKIPS=named).
NAMED_SKIPS = ("../shared", "privilege")

#: Wrong on purpose, or only there to be type-checked; tests/test_typing.py reads them.
collect_ignore = ["typing"]

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow,),
)
settings.register_profile("long", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give every test a state folder of its own, so that none can see a person's runs or wake one.

    Its path is short, because the path of a Unix socket may have 107 bytes at most.
    """
    room = Path(tempfile.mkdtemp(prefix="il-"))
    (room / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_STATE_HOME", str(room / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(room / "run"))
    monkeypatch.delenv("INTERLOCK_HOME", raising=False)
    yield room / "home"
    shutil.rmtree(room, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the LEAN data folder that lies beside the checkout, or skip where it is absent."""
    folder = SHARED / "data" / "lean"
    if not folder.is_dir():
        pytest.skip("needs the market data of ../shared/data/lean, beside the checkout")
    return folder


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With INTERLOCK_SKIPS=named, fail the session if a test was skipped for any other reason than a named one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("INTERLOCK_SKIPS") != "named" or reporter is None:
        return
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(named in reason for named in NAMED_SKIPS):
            reporter.write_line(f"A skip that is not allowed here: {report.nodeid}: {reason}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
