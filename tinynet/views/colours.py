"""The colours of views and plots.

Each stands out from white and from near black by at least 3 to 1, as WCAG 2.2 asks of what is drawn (1.4.11),
and blue and orange are told apart by all kinds of colour vision; what they say, a word or a line's style says
as well.
"""

from __future__ import annotations

BLUE = "#1f78c8"  # what was trained on, what is right
ORANGE = "#d95f02"  # what was held out, what is wrong
GREY = "#888888"  # all else
