"""What the module itself has: its names, constants and helpers."""

# mypy: allow-untyped-calls, allow-subclassing-any

import inspect
import io
import subprocess
import sys
from datetime import timedelta
from operator import attrgetter
from typing import Any

import pytest
from twisted.internet import ssl
from twisted.logger import Logger
from twisted.python._tzhelper import UTC, FixedOffsetTimeZone

from ampkit.twisted import amp as ours
from ampkit.twisted._stock import stock
from tests.twisted.rows.common import CONSTANTS, Watched, bytes_of, started

KEYWORDS = """and del for is raise assert elif from lambda return break else global not try class except if or while
continue exec import pass yield def finally in print""".split()  # noqa: SIM905
PRIVATE = """_CommandLocatorMeta _CommandMeta _DescriptorExchanger _FixedOffsetTZInfo _LocalArgument _NoCertificate
_ParserHelper _SwitchBox _TLSBox _objectsToStrings _stringsToObjects _wireNameToPythonIdentifier""".split()  # noqa: SIM905
CLASSES = [name for name in [*stock.__all__, "DateTime", *PRIVATE] if isinstance(getattr(stock, name), type)]
RENAMED = {"inString": "inObject"}
"""Twisted calls the parameter of `Float.toString` a string, which it is not."""


def functions(module: Any) -> dict[str, Any]:
    """The functions and methods that Twisted's module defines, by their dotted names, as a module has them."""
    found: dict[str, Any] = {}
    for name in [*stock.__all__, "DateTime", *PRIVATE]:
        owner = getattr(stock, name)
        names = [f"{name}.{each}" for each in vars(owner)] if isinstance(owner, type) else [name]
        for each in names:
            genuine = inspect.getattr_static(owner, each.partition(".")[2], owner)
            if inspect.isfunction(getattr(genuine, "__func__", genuine)):
                found[each] = attrgetter(each)(module)
    return found


FUNCTIONS = functions(stock)


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    """Names, kinds and defaults of the parameters; what is positional only has no name that could be used."""
    found = inspect.signature(function).parameters.values()
    return [(RENAMED.get(each.name, each.name), each.kind, each.default) for each in found]


def test_all_lists_the_same_names() -> None:
    """53 names; `DateTime` is public too but not among them."""
    assert sorted(ours.__all__) == sorted(stock.__all__)
    assert len(set(ours.__all__)) == 53
    assert "DateTime" not in ours.__all__


@pytest.mark.parametrize("name", [*stock.__all__, "DateTime", *PRIVATE, "ssl", "DN", "Certificate"])
def test_each_name_is_there(name: str, amp: Any) -> None:
    """The private ones that programs use as well; what is a class is a class of the same name."""
    value = getattr(amp, name)
    genuine = getattr(stock, name)
    assert isinstance(value, type) == isinstance(genuine, type)
    assert getattr(value, "__name__", name) == getattr(genuine, "__name__", name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_takes_the_same_parameters(name: str) -> None:
    """By position and by name; where ours takes them by position only, an argument may have their names."""
    genuine, here = parameters(FUNCTIONS[name]), parameters(functions(ours)[name])
    if name in {"Command.__init__", "BoxDispatcher.callRemote"}:
        genuine, here = genuine[-1:], here[-1:]
    assert here == genuine


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_belongs_to_the_class_does_in_both(name: str) -> None:
    """A class method is one in both modules, and a function is one."""
    assert inspect.ismethod(functions(ours)[name]) == inspect.ismethod(FUNCTIONS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_related_as_twisted_s_are(name: str) -> None:
    """Each class inherits, by name, from all that Twisted's inherits from."""
    names = [cls.__name__ for cls in getattr(ours, name).__mro__]
    order = [cls.__name__ for cls in getattr(stock, name).__mro__]
    assert list(dict.fromkeys(each for each in names if each in order)) == order


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_the_wire_s(name: str, amp: Any) -> None:
    """Keys, codes and lengths."""
    assert getattr(amp, name) == CONSTANTS[name]


def test_protocol_errors_can_be_added_to(amp: Any, base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is looked into for each error that comes."""
    assert {b"UNHANDLED": amp.UnhandledCommand} == amp.PROTOCOL_ERRORS
    monkeypatch.setitem(amp.PROTOCOL_ERRORS, b"MINE", LookupError)
    end = base()
    started(end)
    asked = Watched(end.callRemoteString(b"Any"))
    end.dataReceived(bytes_of(_error=b"1", _error_code=b"MINE", _error_description=b"\xe9"))
    assert asked.result.args == (b"MINE", "\ufffd")


def test_keywords_are_those_of_old(amp: Any) -> None:
    """The list is fixed: newer keywords are no part of it, `print` and `exec` are."""
    assert sorted(amp.PYTHON_KEYWORDS) == sorted(KEYWORDS)
    assert len(amp.PYTHON_KEYWORDS) == 29


@pytest.mark.parametrize(
    ("wire", "python"),
    [(b"foo-bar-baz", "foo_bar_baz"), (b"from", "From"), (b"print", "Print"), (b"async", "async"), (b"None", "None")],
)
def test_names_on_the_wire_become_names_in_python(wire: bytes, python: str, amp: Any) -> None:
    """Dashes become underscores, and old keywords get a capital."""
    assert amp._wireNameToPythonIdentifier(wire) == python


def test_names_must_be_ascii(amp: Any) -> None:
    """Others are refused."""
    with pytest.raises(UnicodeError):
        amp._wireNameToPythonIdentifier(b"\xc3\xa9")


def test_time_zones_are_twisted_s(amp: Any) -> None:
    """`utc` is the one object, with its name and offset."""
    assert amp.utc is UTC
    assert amp.utc.tzname(None) == "+00:00"
    assert amp.utc.utcoffset(None) == amp.utc.dst(None) == timedelta(0)
    assert amp._FixedOffsetTZInfo is FixedOffsetTimeZone
    zone = amp._FixedOffsetTZInfo.fromSignHoursMinutes("-", 1, 23)
    assert (zone.utcoffset(None), zone.tzname(None)) == (-timedelta(hours=1, minutes=23), "-01:23")
    with pytest.raises(ValueError, match="sign"):
        amp._FixedOffsetTZInfo.fromSignHoursMinutes("?", 1, 23)


def test_ssl_is_the_module_s_own_name(amp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is Twisted's module; a program that assigns None has no TLS."""
    assert amp.ssl is ssl
    assert (amp.DN, amp.Certificate) == (ssl.DN, ssl.Certificate)
    assert (amp.CertificateOptions, amp.KeyPair) == (ssl.CertificateOptions, ssl.KeyPair)
    monkeypatch.setattr(amp, "ssl", None)
    with pytest.raises(RuntimeError, match=r"^TLS not available\.$"):
        amp.StartTLS()
    with pytest.raises(amp.RemoteAmpError, match="TLS not available") as refused:
        amp._TLSBox()
    assert refused.value.errorCode == b"TLS_ERROR"


WITHOUT_TLS = """
import sys
sys.modules["OpenSSL"] = None  # as if it were not installed
import {0} as amp
print(amp.ssl, [hasattr(amp, name) for name in ("DN", "Certificate", "CertificateOptions", "KeyPair")], amp.AMP())
"""


def test_without_pyopenssl_there_is_no_tls(amp: Any) -> None:
    """The module can be imported all the same; the names for it are not there."""
    program = [sys.executable, "-c", WITHOUT_TLS.format(amp.__name__)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.startswith("None [False, False, False, False] <AMP at "), done.stderr


@pytest.mark.usefixtures("events")
def test_the_log_has_twisted_s_namespace(amp: Any) -> None:
    """So that filters that are set for it apply."""
    assert isinstance(amp._log, Logger)
    assert amp._log.namespace == "twisted.protocols.amp"


@pytest.mark.parametrize("parse", ["parse", "parseString", "_ParserHelper.parse", "_ParserHelper.parseString"])
def test_captured_bytes_are_parsed(parse: str, amp: Any) -> None:
    """All whole boxes; one that is not whole is left out; of a key that comes twice the last value counts."""
    function = amp
    for name in parse.split("."):
        function = getattr(function, name)
    data = bytes_of(a=b"1") + b"\0\0" + b"\0\1k\0\1x\0\1k\0\1y\0\0" + bytes_of(b=b"2")[:-1]
    boxes = function(data if parse.endswith("String") else io.BytesIO(data))
    assert boxes == [{b"a": b"1"}, {}, {b"k": b"y"}]
    assert {type(box) for box in boxes} == {amp.AmpBox}


def test_text_is_not_parsed(amp: Any) -> None:
    """It is a TypeError."""
    with pytest.raises(TypeError):
        amp.parseString("\0\0")


def test_the_parser_s_helper_stands_for_receiver_and_transport(amp: Any) -> None:
    """It has what a protocol without a connection asks for."""
    helper = amp._ParserHelper()
    helper.startReceivingBoxes(None)
    helper.ampBoxReceived("box")
    assert (helper.boxes, helper.getPeer(), helper.getHost()) == (["box"], "string", "string")
    assert helper.disconnecting is False
    protocol = amp.BinaryBoxProtocol(helper)
    protocol.makeConnection(helper)
    protocol.dataReceived(bytes_of(a=b"1"))
    assert helper.boxes[1] == {b"a": b"1"}


def test_helpers_of_boxes_leave_what_they_are_given(amp: Any) -> None:
    """Strings to objects and back: in order, what is not declared is ignored, and the input stays as it is."""
    fields = [(b"b-c", amp.Integer()), (b"a", amp.Unicode()), (b"from", amp.String(optional=True))]
    strings = {b"a": b"x", b"b-c": b"1", b"more": b"?"}
    objects = amp._stringsToObjects(strings, fields, None)
    assert list(objects.items()) == [("b_c", 1), ("a", "x"), ("From", None)]
    assert list(strings) == [b"a", b"b-c", b"more"]
    box = amp.Box()
    given = {"a": "x", "b_c": 1, "more": "?"}
    assert amp._objectsToStrings(given, fields, box, None) is box
    assert box == {b"a": b"x", b"b-c": b"1"}
    assert list(given) == ["a", "b_c", "more"]
