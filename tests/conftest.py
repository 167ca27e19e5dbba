"""Hypothesis profiles: by default a run repeats the same examples; `-m slow` and HYPOTHESIS_PROFILE=search look anew."""

import os

from hypothesis import HealthCheck, settings

common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", max_examples=100, derandomize=True, database=None, **common)
settings.register_profile("search", max_examples=2000, **common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
