"""What each step of the nightly close does to one part of the portfolio, in statements for all its rows at once."""
