"""What all tests share."""

import signal

import pytest
from hypothesis import HealthCheck, settings

from cleaner.cleaning import Cleaner

settings.register_profile(
    "cleaner", max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("cleaner")
#: A shell that starts the tests in the background has them ignore Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cleaner() -> Cleaner:
    return Cleaner.load()
