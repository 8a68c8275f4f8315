# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The hot path, compiled: whatever is unusual in a box, a value or a call is left to the Python that this stands for.

One module, as its parts call each other a million times a second. Each part is the twin of a Python file, whose
behaviour is the reference; `ampkit.speed` says which of the two runs.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_CheckExact, PyDict_DelItem, PyDict_GetItemWithError, PyDict_SetItem
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_Append, PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_CheckExact, PyLong_FromLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.object cimport PyObject, PyObject_GetItem
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.string cimport memcmp, memcpy

import asyncio
import sys

from ampkit.asyncio import portions
from ampkit.core.states import State
from ampkit.errors import AmpError, LocalProtocolError, RemoteProtocolError
from ampkit.wire.limits import DEFAULT_LIMITS
from ampkit.wire.partial import PartialBox

include "buffer.pxi"
include "keys.pxi"
include "walk.pxi"
include "decoder.pxi"
include "values.pxi"
include "makers.pxi"
include "encoders.pxi"
include "decoders.pxi"
include "mappings.pxi"
include "fields.pxi"
include "flow.pxi"
include "waiters.pxi"
include "asking.pxi"
include "intake.pxi"
include "running.pxi"
include "made.pxi"
include "face.pxi"
