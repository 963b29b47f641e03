from tests.loans.bank import bank  # noqa: F401 - a fixture
