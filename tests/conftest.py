"""Hypothesis profiles: a default run repeats the same examples; the slow tests look for new ones."""

from hypothesis import HealthCheck, settings

common = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}
settings.register_profile("repeatable", max_examples=100, derandomize=True, database=None, **common)
settings.register_profile("search", max_examples=2000, **common)
settings.load_profile("repeatable")
