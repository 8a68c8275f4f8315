"""A program from the time of Twisted: a shop that takes orders over AMP. It knows no ampkit.

python examples/peers/twisted_shop.py

It prints its address and serves until Ctrl-C; `python examples/twisted_classic.py` starts it by itself.
"""

# mypy: allow-untyped-calls, disable-error-code="arg-type"
# ruff: noqa: RUF012  (this is how such programs look)

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols import amp


class OutOfStock(Exception):
    """There are not so many."""


class Catalogue(amp.Command):
    """Ask what there is."""

    response = [(b"items", amp.AmpList([(b"name", amp.Unicode()), (b"price", amp.Integer())]))]


class Order(amp.Command):
    """Order some of it."""

    arguments = [(b"item-name", amp.Unicode()), (b"count", amp.Integer()), (b"gift", amp.Boolean(optional=True))]
    response = [(b"total", amp.Integer())]
    errors = {OutOfStock: b"OUT_OF_STOCK"}


class Shop(amp.AMP):
    """Responds to both commands."""

    prices = {"tea": 5, "coffee": 7}

    @Catalogue.responder
    def catalogue(self) -> dict[str, Any]:
        return {"items": [{"name": name, "price": price} for name, price in self.prices.items()]}

    @Order.responder
    def order(self, item_name: str, count: int, gift: bool = False) -> dict[str, int]:
        if count > 100:
            raise OutOfStock(f"there are only 100, and you want {count}")
        return {"total": self.prices[item_name] * count + (1 if gift else 0)}


async def main(reactor: Any) -> None:
    """Listen on any free port and serve."""
    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Shop))
    print(f"tcp://127.0.0.1:{port.getHost().port}", flush=True)
    await Deferred[None]()


if __name__ == "__main__":
    react(main)
