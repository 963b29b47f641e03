"""Forms that are no noun's."""
