"""Shows the values in failed assertions of the contract; defines no fixture."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("ampkit.testing.contract")
