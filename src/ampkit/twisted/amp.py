"""Every name of `twisted.protocols.amp`, from the rooms where they live; holds nothing but the module's `ssl`."""

# pyright: reportUnusedImport=false
# Programs import the private names as well.

from __future__ import annotations

from typing import Any

from ampkit.twisted._amp import AMP
from ampkit.twisted._arguments import (
    AmpList,
    Argument,
    Boolean,
    DateTime,
    Decimal,
    Descriptor,
    Float,
    Integer,
    ListOf,
    Path,
    String,
    Unicode,
    _LocalArgument,
    _objectsToStrings,
    _stringsToObjects,
)
from ampkit.twisted._boxes import AmpBox, Box, QuitBox, _SwitchBox
from ampkit.twisted._commands import Command, ProtocolSwitchCommand, StartTLS, _CommandMeta
from ampkit.twisted._descriptors import _DescriptorExchanger
from ampkit.twisted._dispatcher import BoxDispatcher
from ampkit.twisted._errors import (
    AmpError,
    BadLocalReturn,
    IncompatibleVersions,
    InvalidSignature,
    MalformedAmpBox,
    NoEmptyBoxes,
    OnlyOneTLS,
    ProtocolSwitched,
    RemoteAmpError,
    TooLong,
    UnhandledCommand,
    UnknownRemoteError,
)
from ampkit.twisted._interfaces import IArgumentType, IBoxReceiver, IBoxSender, IResponderLocator
from ampkit.twisted._locators import CommandLocator, SimpleStringLocator, _CommandLocatorMeta
from ampkit.twisted._names import (
    ANSWER,
    ASK,
    COMMAND,
    ERROR,
    ERROR_CODE,
    ERROR_DESCRIPTION,
    MAX_KEY_LENGTH,
    MAX_VALUE_LENGTH,
    PROTOCOL_ERRORS,
    PYTHON_KEYWORDS,
    UNHANDLED_ERROR_CODE,
    UNKNOWN_ERROR_CODE,
    _wireNameToPythonIdentifier,
)
from ampkit.twisted._names import log as _log
from ampkit.twisted._parsing import _ParserHelper, parse, parseString
from ampkit.twisted._protocol import BinaryBoxProtocol
from ampkit.twisted._times import _FixedOffsetTZInfo, utc
from ampkit.twisted._tls import _NoCertificate, _TLSBox

# Programs assign this name, so it is looked up here, and only here, whenever TLS is wanted.
ssl: Any
try:
    from twisted.internet import ssl
    from twisted.internet.ssl import DN, Certificate, CertificateOptions, KeyPair
except ImportError:
    ssl = None
else:
    if not ssl.supported:
        ssl = None

__all__ = [
    "AMP",
    "ANSWER",
    "ASK",
    "COMMAND",
    "ERROR",
    "ERROR_CODE",
    "ERROR_DESCRIPTION",
    "MAX_KEY_LENGTH",
    "MAX_VALUE_LENGTH",
    "PROTOCOL_ERRORS",
    "PYTHON_KEYWORDS",
    "UNHANDLED_ERROR_CODE",
    "UNKNOWN_ERROR_CODE",
    "AmpBox",
    "AmpError",
    "AmpList",
    "Argument",
    "BadLocalReturn",
    "BinaryBoxProtocol",
    "Boolean",
    "Box",
    "BoxDispatcher",
    "Command",
    "CommandLocator",
    "Decimal",
    "Descriptor",
    "Float",
    "IArgumentType",
    "IBoxReceiver",
    "IBoxSender",
    "IResponderLocator",
    "IncompatibleVersions",
    "Integer",
    "InvalidSignature",
    "ListOf",
    "MalformedAmpBox",
    "NoEmptyBoxes",
    "OnlyOneTLS",
    "Path",
    "ProtocolSwitchCommand",
    "ProtocolSwitched",
    "QuitBox",
    "RemoteAmpError",
    "SimpleStringLocator",
    "StartTLS",
    "String",
    "TooLong",
    "Unicode",
    "UnhandledCommand",
    "UnknownRemoteError",
    "parse",
    "parseString",
    "utc",
]
