"""Measuring pages on a bank of full size."""
