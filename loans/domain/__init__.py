"""Loan maths: pure functions of values, no clock and no database."""
