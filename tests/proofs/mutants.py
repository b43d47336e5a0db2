"""Mutants of texts: cut, doubled, joined with others, and sown with what parsers stumble over."""

import random
from collections.abc import Sequence

# Characters of every notation of ours, and of none.
STUMBLING_STONES = (
    *"\0\t\n\r \"'\\/%+-*?&=#:;,.<>[]{}()|!@~^$`_0179aZéß℀İ\u0301\u200b\u2028\ufeff\uffff\ud800\U0001f600",
    *(
        "--",
        "\n---\n",
        "...\n",
        "<<: ",
        "&a ",
        "*a",
        "!!int ",
        "!x ",
        "\\0",
        "\\ud800",
        "- ",
        "? ",
        ": ",
        "|-\n",
    ),
    *("%00", "%zz", "%2F", "%", "//", "../", "https://", "www.", ":80", "xn--", "utm_a=1", "?a=b&a=c", "#!x"),
    *(" OR ", "-*", '""', 'W/"a"', "q=0", "*/*", ";q=.5", "gzip", "P1D", "PT", "T24:00", "+25:00", "9" * 20),
    *("null", "true", ".inf", "1e400", "0x", "0001-01-01", "9999-12-31", "2020-02-30", "२", "ﷺ", "　"),
)
_MOST_CHANGES = 4
_MOST_CHARACTERS = 2_000


def mutant(chance: random.Random, seeds: Sequence[str]) -> str:
    text = seeds[int(chance.random() * len(seeds))]
    for _ in range(1 + int(chance.random() * _MOST_CHANGES)):
        at = int(chance.random() * (len(text) + 1))
        end = at + int(chance.random() ** 3 * 12)
        kind = chance.random()
        if kind < 0.5:
            stone = STUMBLING_STONES[int(chance.random() * len(STUMBLING_STONES))]
            text = text[:at] + stone + text[end if kind < 0.25 else at :]
        elif kind < 0.7:
            text = text[:at] + text[end:]
        elif kind < 0.8:
            text = text[:end] + text[at:]
        elif kind < 0.9:
            other = seeds[int(chance.random() * len(seeds))]
            text = text[:at] + other[int(chance.random() * len(other)) :]
        else:
            text = text[:at] + chr(int(chance.random() ** 6 * 0x110000)) + text[at:]
    return text[:_MOST_CHARACTERS]
