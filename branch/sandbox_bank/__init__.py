"""The sandbox core bank: a small separate process that stands in for a bank's payment system in trials.

Standard library only, its own books in SQLite, no import from the product. Protocol: docs/core-bank.md.
"""
