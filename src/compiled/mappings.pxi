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
    cdef bint is_flat

    def __init__(self, parts):
        self.parts = parts
        self.is_flat = are_flat(parts)

    def __call__(self, box):
        cdef Part part
        cdef dict values = {}
        try:
            for part in self.parts:
                values[part.name] = value_in(box, part)
        except Exception:
            return None
        return values

    cdef dict from_bytes(self, Walk* walk):
        """Do the same with the pairs up to the end of their box, where the decoder `is_flat`."""
        cdef list found = values_at(self.parts, walk, None)
        cdef dict values = {}
        cdef Py_ssize_t i
        if found is None:
            return None
        for i in range(PyList_GET_SIZE(self.parts)):
            PyDict_SetItem(values, (<Part>PyList_GET_ITEM(self.parts, i)).name, <object>PyList_GET_ITEM(found, i + 1))
        return values


cdef class Caller:
    """Calls a method of an object with a box's values by name; returns `unusual`, without a call, if anything is."""

    cdef list parts
    cdef bint is_flat
    cdef tuple names
    cdef object unusual

    def __init__(self, parts, unusual):
        self.parts = parts
        self.is_flat = are_flat(parts)
        self.names = tuple([(<Part>part).name for part in self.parts])
        self.unusual = unusual

    def __call__(self, box, method, owner):
        cdef list values = [owner]
        try:
            for part in self.parts:
                values.append(value_in(box, <Part>part))
        except Exception:
            return self.unusual
        return self.call(method, values)

    cdef inline object call(self, object method, list values):
        return PyObject_Vectorcall(method, (<PyListObject*>values).ob_item, 1, self.names)


cdef list values_at(list parts, Walk* walk, object first):
    """Return `first` and the values of the pairs up to the end of their box, one for each part; None for anything unusual."""
    cdef Py_ssize_t i, next = 0, count = PyList_GET_SIZE(parts)
    cdef unsigned long long found = 0
    cdef Part part
    cdef list values = [None] * (count + 1)
    values[0] = first
    while next_pair(walk):
        if walk.key_size == 0:
            for i in range(count):
                part = <Part>PyList_GET_ITEM(parts, i)
                if not found >> i & 1:
                    if part.absent is None:
                        return None
                    values[i + 1] = part.absent()
            return values
        if walk.key[0] == 95 and tells_apart(walk):  # an underscore
            return None
        i = index_of(parts, walk, next)
        if i >= 0:
            if found >> i & 1:  # the last one of a repeated key counts
                return None
            found |= 1ULL << i
            next = i + 1
            try:
                values[i + 1] = taken(<Part>PyList_GET_ITEM(parts, i), <const char*>walk.value, walk.value_size)
            except Exception:
                return None
    return None


cdef inline object value_in(object box, Part part):
    if part.absent is not None and part.key not in box:
        return part.absent()
    return taken_from(part, box[part.key], None)
