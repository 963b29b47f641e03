"""Class, provision and early-warning maths: pure functions of values."""
