"""What every runtime and transport of AMP must do, as tests that pytest collects through a subclass of yours.

    class TestMyTransport(PeerContract):
        def open_pair(self, left_service, right_service, limits):
            return my_pair(left_service, right_service, limits)

To see the values in a failed assertion, call `pytest.register_assert_rewrite("ampkit.testing.contract")` in your
`conftest.py`.
"""

from __future__ import annotations

from ampkit.testing.contract.calling import Calling
from ampkit.testing.contract.ending import Ending
from ampkit.testing.contract.flow import Flow
from ampkit.testing.contract.hostility import Hostility
from ampkit.testing.contract.refusing import Refusing

__all__ = ["PeerContract"]


class PeerContract(Calling, Refusing, Ending, Flow, Hostility):
    """All behaviours. Subclass it as `Test...` and supply `open_pair`; see `docs/testing.md`."""
