"""How hypothesis runs in all tests: always the same examples, so that a failure is everybody's; knows no test."""

from hypothesis import settings

settings.register_profile("tests", max_examples=60, derandomize=True, database=None, deadline=None)
settings.register_profile("thorough", max_examples=20_000, deadline=None)  # pytest --hypothesis-profile=thorough
settings.load_profile("tests")
