"""One server for all tests; each test launches what it needs."""

from collections.abc import Iterator
from functools import partial

import pytest

from local.tests import roles
from local.tests.harness import Local, Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def account(server: Server) -> Local:
    return Local(server.endpoint)


@pytest.fixture
def aws(account: Local) -> Iterator[Local]:
    """The account, with time and capacity as usual at the start of each test."""
    account.reset()
    yield account
    account.reset()


@pytest.fixture
def login(aws: Local) -> Iterator[roles.Login]:
    """Gives a client of a role with these statements; from then on the account enforces them."""
    yield partial(roles.enter, aws)
    roles.enforce(aws, "inf")
