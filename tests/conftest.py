"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

from cleaner.cleaning import Cleaner

settings.register_profile(
    "cleaner", max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("cleaner")


@pytest.fixture(scope="session")
def cleaner() -> Cleaner:
    return Cleaner.load()
