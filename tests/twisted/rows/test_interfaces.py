"""The interfaces, what they ask for, and which classes declare them."""

# mypy: allow-untyped-calls, disable-error-code="import-untyped"

from typing import Any

import pytest
from twisted.internet.interfaces import IFileDescriptorReceiver, ILoggingContext, IProtocol
from zope.interface.verify import verifyClass, verifyObject

INTERFACES = {
    "IArgumentType": {"fromBox": "name strings objects proto", "toBox": "name strings objects proto"},
    "IBoxSender": {"sendBox": "box", "unhandledError": "failure"},
    "IBoxReceiver": {"startReceivingBoxes": "boxSender", "ampBoxReceived": "box", "stopReceivingBoxes": "reason"},
    "IResponderLocator": {"locateResponder": "name"},
}
DECLARED = {
    "BinaryBoxProtocol": ["IBoxSender"],
    "BoxDispatcher": ["IBoxReceiver"],
    "CommandLocator": ["IResponderLocator"],
    "SimpleStringLocator": ["IResponderLocator"],
    "Argument": ["IArgumentType"],
    "AMP": ["IBoxSender", "IBoxReceiver", "IResponderLocator"],
}


@pytest.mark.parametrize("name", INTERFACES)
def test_an_interface_asks_for_these_methods(name: str, amp: Any) -> None:
    """With these parameters, by these names."""
    interface = getattr(amp, name)
    assert {each: " ".join(interface[each].positional) for each in interface} == INTERFACES[name]


@pytest.mark.parametrize("name", DECLARED)
def test_a_class_declares_what_it_does(name: str, amp: Any) -> None:
    """And has the methods."""
    for interface in DECLARED[name]:
        assert verifyClass(getattr(amp, interface), getattr(amp, name))


@pytest.mark.parametrize("interface", [IProtocol, ILoggingContext, IFileDescriptorReceiver])
def test_protocols_are_protocols_to_twisted(interface: Any, amp: Any) -> None:
    """Reactors and endpoints ask for these."""
    assert verifyObject(interface, amp.AMP())
    assert interface.implementedBy(amp.BinaryBoxProtocol)
