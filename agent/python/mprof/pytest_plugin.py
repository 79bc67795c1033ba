"""The plugin of pytest: `pytest --mprof` shows the memory of each test; the mark limit_memory limits it.

Without --mprof only tests with a mark are measured, and nothing is loaded for others: what needs the package is
imported when a test needs it.
"""

import os

import pytest

_MARKS = (
    "limit_memory(limit, current_thread_only=False): the test fails if it needs more memory than limit, "
    "such as '100 MB', above what there was at its beginning (mprof)",
    "limit_leaks(limit, filter_fn=None, current_thread_only=False): accepted, not checked (mprof)",
)
_MEMRAY = "memray_manager"  # the plugin pytest-memray, which serves the marks if it is installed


def pytest_addoption(parser):
    group = parser.getgroup("mprof", "memory of tests, by mprof")
    add = group.addoption
    add("--mprof", action="store_true", default=False, help="record the memory of tests, and show it at the end")
    add("--mprof-dir", metavar="DIR", help="where recordings and pictures go (mprof-pytest)")
    add("--mprof-interval", metavar="SECONDS", type=float, default=0.01, help="time between samples (0.01)")
    add("--mprof-functions", metavar="PATTERN", action="append", default=[],
        help="also record these functions: module:name, both with wildcards")
    add("--mprof-top", metavar="N", type=int, default=10, help="tests to show, those with the most memory (10; 0: all)")
    add("--mprof-pictures", metavar="N", type=int, default=20, help="draw at most N tests that failed (20)")
    add("--mprof-report", metavar="FILE", help="write a page about the recordings: FILE.html")
    add("--mprof-baseline", metavar="FILE",
        help="a test fails if it needs more memory than in this file, by more than 5%% and 2 MiB")
    add("--mprof-update-baseline", action="store_true", default=False,
        help="write the peaks of the tests into that file instead")
    parser.addini("mprof", "record the memory of tests, as --mprof does", type="bool", default=False)


def pytest_configure(config):
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)
    wanted = config.getoption("mprof") or config.getini("mprof")
    for name in ("report", "baseline", "update_baseline"):
        if config.getoption("mprof_" + name) and not wanted:
            raise pytest.UsageError(f"--mprof-{name.replace('_', '-')} needs --mprof")
    if config.getoption("mprof_update_baseline") and not config.getoption("mprof_baseline"):
        raise pytest.UsageError("--mprof-update-baseline needs --mprof-baseline FILE")
    if config.getoption("mprof_interval") <= 0:
        raise pytest.UsageError("--mprof-interval must be above 0")
    if wanted:
        from ._pytest import Session
        config.pluginmanager.register(Session(config), "mprof_session")


def _is_measured(item):
    """Without --mprof: whether the test has a limit, and nobody else checks it."""
    manager = item.config.pluginmanager
    return (item.get_closest_marker("limit_memory") is not None and not manager.has_plugin("mprof_session")
            and not manager.has_plugin(_MEMRAY))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    if not _is_measured(item):
        yield
        return
    from ._pytest import Test
    item._mprof_test = test = Test(item)
    test.begin()
    yield
    test.end()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    test = getattr(item, "_mprof_test", None)
    if test is not None and call.when == "call" and test.pid == os.getpid():
        del item._mprof_test
        test.judge(outcome.get_result())


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_report_teststatus(report):
    outcome = yield
    if report.when == "call" and report.outcome == "failed" and getattr(report, "mprof_crossed", False):
        outcome.force_result(("failed", "M", "MEMORY"))
