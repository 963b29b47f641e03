"""Which names of a list could be as like a name as a score asks: bounds that let nothing through their mesh.

The likeness of two cores of n and m characters with a longest common subsequence of L is 200 L ÷ (n + m). A lowest
score s in percent so asks for L ≥ s (n + m) ÷ 200, rounded up, and leaves d = n + m − 2 L characters not shared. Each
of these parts at most one of the L − 1 neighbouring pairs of what is shared, so at least L − 1 − d pairs stand in both
names, at places that differ by at most d. Hence any (n − 1) − (L − 1 − d) + 1 = 2 n + m − 3 L + 1 pairs of a name hold
a shared one: looking for its rarest ones is enough (the prefix filter of set similarity joins).
customers.queries.screening works these out for every length of both that occurs.
"""

from __future__ import annotations

#: Names from this many characters on are compared by pieces; shorter ones must be the same, or be spelt alike.
PIECES_FROM = 4
LONGEST = 120
