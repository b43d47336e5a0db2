"""How many random examples a test tries: few in everyday runs, thousands with CLIPPINGS_EXAMPLES=5000."""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("CLIPPINGS_EXAMPLES", "100"))


def examples(part: float = 1) -> settings:
    """So many examples, or a part of them where each asks more than one question."""
    many = max(1, round(EXAMPLES * part))
    # Shrinking is left out: it asks two databases thousands of questions more.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(max_examples=many, deadline=None, phases=phases, suppress_health_check=list(HealthCheck))
