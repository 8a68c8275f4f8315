# Mappings to boxes and boxes to mappings, on the straight way only: the twin of `ampkit.schema.mapping`.

cdef extern from "Python.h":
    ctypedef struct PyListObject:
        PyObject** ob_item
    object PyObject_Vectorcall(object, PyObject* const*, size_t, object)


cdef class MappingEncoder:
    """A mapping of values by name, and the value of the key `first`, to a whole box; None if anything is unusual."""

    cdef bytes first
    cdef bytes head
    cdef list parts
    cdef object known
    cdef bint closed
    cdef bint has_optional

    def __init__(self, parts, first, head, closed):
        self.first = len(first).to_bytes(2, "big") + first if first else b""
        self.head = head
        self.parts = parts
        self.closed = closed
        self.known = frozenset([(<Part>part).name for part in self.parts])
        self.has_optional = any([(<Part>part).optional for part in self.parts])

    def __call__(self, mapping, first):
        cdef Buffer buffer
        begin(&buffer)
        try:
            return self.box(mapping, first, &buffer)
        except Exception:
            return None
        finally:
            release(&buffer)

    cdef object box(self, object mapping, object first, Buffer* buffer):
        cdef Part part
        cdef Py_ssize_t i
        if self.closed and not self._knows_all(mapping):
            return None
        if self.first:
            put(buffer, PyBytes_AS_STRING(self.first), PyBytes_GET_SIZE(self.first))
            if not PyBytes_CheckExact(first) or PyBytes_GET_SIZE(first) > MAX_VALUE:
                return None
            put_length(buffer, PyBytes_GET_SIZE(first))
            put_bytes(first, buffer)
        put(buffer, PyBytes_AS_STRING(self.head), PyBytes_GET_SIZE(self.head))
        for i in range(PyList_GET_SIZE(self.parts)):
            part = <Part>PyList_GET_ITEM(self.parts, i)
            value = mapping.get(part.name) if part.optional else mapping[part.name]
            if value is not None or not part.optional:
                put_pair(part, value, None, buffer)
        put_length(buffer, 0)
        return finished(buffer)

    cdef bint _knows_all(self, object mapping) except -1:
        if self.has_optional:
            return self.known.issuperset(mapping)
        return len(mapping) == PyList_GET_SIZE(self.parts)


cdef class MappingDecoder:
    """A box to a dictionary of values by name, or to None if anything is unusual."""

    cdef list parts

    def __init__(self, parts):
        self.parts = parts

    def __call__(self, box):
        cdef Part part
        cdef dict values = {}
        try:
            for part in self.parts:
                values[part.name] = value_in(box, part)
        except Exception:
            return None
        return values


cdef class Caller:
    """Calls a method of an object with a box's values by name; returns `unusual`, without a call, if anything is."""

    cdef list parts
    cdef tuple names
    cdef object unusual

    def __init__(self, parts, unusual):
        self.parts = parts
        self.names = tuple([(<Part>part).name for part in self.parts])
        self.unusual = unusual

    def __call__(self, box, method, owner):
        cdef list values = [owner]
        try:
            for part in self.parts:
                values.append(value_in(box, <Part>part))
        except Exception:
            return self.unusual
        return PyObject_Vectorcall(method, (<PyListObject*>values).ob_item, 1, self.names)


cdef inline object value_in(object box, Part part):
    if part.absent is not None and part.key not in box:
        return part.absent()
    return taken_from(part, box[part.key], None)
