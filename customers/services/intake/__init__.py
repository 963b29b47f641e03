"""How outside files become rows: opening, staging, checking, merging, and what is derived from them."""
