"""Money, calendar and identity: pure functions every app may use."""
