"""A genuine Twisted client against our server."""

import pytest

from tests.interop.edge_values import all_values
from tests.interop.twisted_child import TwistedClient
from tests.interop.values import fingerprint, to_plain


async def test_every_value_arrives_and_comes_back_unchanged(client: TwistedClient) -> None:
    """We see the value that Twisted sent, and what it gets back is that value."""
    outcomes = [(name, await client.call(f"Echo{name}", value=value)) for name, value in all_values()]
    assert outcomes == [
        (name, {"result": {"value": to_plain(value), "seen": fingerprint(value)}}) for name, value in all_values()
    ]


async def test_a_declared_error_is_raised_and_the_connection_lives(client: TwistedClient) -> None:
    """Twisted's caller gets the declared exception, with its text."""
    refused = await client.call("Divide", numerator=1, denominator=0)
    assert refused == {"error": "ZeroDivisionError", "message": "division by zero"}
    assert await client.call("Divide", numerator=1, denominator=4) == {"result": {"result": to_plain(0.25)}}


async def test_a_fatal_error_is_raised_and_ends_the_connection(client: TwistedClient) -> None:
    """Twisted's caller gets the declared exception first, and then we hang up."""
    assert await client.call("Explode") == {"error": "FatalFault", "message": "it is over"}
    assert await client.next_line() == {"lost": "ConnectionDone"}


async def test_an_undeclared_error_tells_nothing_and_fails_alone(
    client: TwistedClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What our responder did not expect is logged here, answered as UNKNOWN, and costs no neighbour its connection."""
    assert await client.call("Surprise") == {"error": "UnknownRemoteError", "message": "Code<UNKNOWN>: Unknown Error"}
    assert "a secret of this process" in caplog.text
    assert await client.call("Sum", a=13, b=81) == {"result": {"total": 94}}


async def test_an_unhandled_command_fails_alone(client: TwistedClient) -> None:
    """A command that we do not know is UNHANDLED for Twisted, and the connection lives."""
    assert (await client.call("Absent"))["error"] == "UnhandledCommand"
    assert await client.call("Sum", a=13, b=81) == {"result": {"total": 94}}


async def test_commands_without_an_answer_arrive_in_order(client: TwistedClient) -> None:
    """What is told is there when the next ask is answered."""
    for text in ("one", "", "𝄞"):
        assert await client.call("Note", text=text) == {"sent": True}
    assert await client.call("Notes") == {"result": {"texts": ["one", "", "𝄞"]}}


async def test_a_thousand_calls_in_flight(client: TwistedClient) -> None:
    """Each of a thousand concurrent calls gets its own answer."""
    for number in range(1_000):
        client.start("Sum", a=number, b=1)
    outcomes = [await client.next_line() for _ in range(1_000)]
    assert sorted(outcomes, key=lambda line: line["call"]) == [
        {"call": number, "result": {"total": number + 1}} for number in range(1_000)
    ]


async def test_answers_may_come_in_any_order(client: TwistedClient) -> None:
    """A coroutine responder holds up nobody behind it."""
    for name in "abc":
        client.start("Hold", name=name)
    await client.call("Sum", a=0, b=0)
    ended = []
    for name in "cab":
        client.start("Release", name=name)
        ended += [await client.next_outcome(), await client.next_outcome()]
    assert [outcome["result"]["name"] for outcome in ended if outcome["result"]] == ["c", "a", "b"]
