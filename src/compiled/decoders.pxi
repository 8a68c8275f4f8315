# Boxes to records and commands: the twin of the decoders that `ampkit.schema.compiler` generates.

cdef class RecordDecoder:
    """A box, and the Carrier of what has come beside it or None, to a record; keys that no field has are ignored.

    `plainly` and `nested` are as in the Encoder. A `checked` record has to be made as a program makes it. Whoever
    `runs_code` of the program's on the way is not to be given what may be no box.
    """

    cdef object record
    cdef bint checked
    cdef bint is_flat
    cdef bint runs_code
    cdef list parts
    cdef object plainly
    cdef object nested
    cdef object nested_error

    def __init__(self, record, parts, plainly, nested, nested_error, checked):
        self.record = record
        self.checked = checked
        self.parts = parts
        self.is_flat = are_flat(parts)
        self.runs_code = checked or not self.is_flat or any([(<Part>part).absent is not None for part in self.parts])
        self.plainly = plainly
        self.nested = nested
        self.nested_error = nested_error

    def __call__(self, box, carrier=None):
        cdef int at = 0
        try:
            return self.from_box(box, carrier, &at)
        except self.nested_error as error:
            raise self.nested(at, error) from error
        except Exception:
            return self.plainly(box, carrier)

    cdef object from_box(self, object box, object carrier, int* at):
        cdef Part part
        cdef Py_ssize_t i
        made = {} if self.checked else new_instance(self.record)
        for i in range(PyList_GET_SIZE(self.parts)):
            at[0] = <int>i
            part = <Part>PyList_GET_ITEM(self.parts, i)
            if part.absent is not None and part.key not in box:
                self.set(made, part, part.absent())
            else:
                self.set(made, part, taken_from(part, box[part.key], carrier))
        return self.record(**made) if self.checked else made

    cdef inline int set(self, object made, Part part, object value) except -1:
        if self.checked:
            return PyDict_SetItem(made, part.name, value)
        return set_attribute(made, part.name, value)

    cdef object from_bytes(self, Walk* walk):
        """Return the record of the pairs up to the end of their box, behind which the walk is then.

        Returns None for whatever is unusual, and then the walk is nowhere.
        """
        if PyList_GET_SIZE(self.parts) > MOST_PARTS:
            return None
        try:
            return self._from_bytes(walk)
        except Exception:
            return None

    cdef object _from_bytes(self, Walk* walk):
        cdef unsigned long long found = 0
        cdef Py_ssize_t i = 0, next = 0, count = PyList_GET_SIZE(self.parts)
        cdef Part part
        made = {} if self.checked else new_instance(self.record)
        while True:
            if not next_pair(walk):
                return None
            if walk.key_size == 0:
                break
            if walk.key[0] == 95:  # an underscore
                if is_key(walk, "_timeout", 8):
                    walk.timeout = walk.value
                    walk.timeout_size = walk.value_size
                elif tells_apart(walk):
                    return None
            i = index_of(self.parts, walk, next)
            if i >= 0:
                if found >> i & 1:  # the last one of a repeated key counts
                    return None
                found |= 1ULL << i
                next = i + 1
                part = <Part>PyList_GET_ITEM(self.parts, i)
                self.set(made, part, taken(part, <const char*>walk.value, walk.value_size))
        if found != (1ULL << count) - 1:
            for i in range(count):
                if not found >> i & 1:
                    part = <Part>PyList_GET_ITEM(self.parts, i)
                    if part.absent is None:
                        return None
                    self.set(made, part, part.absent())
        return self.record(**made) if self.checked else made


cdef inline Py_ssize_t index_of(list parts, Walk* walk, Py_ssize_t next):
    """Return which field has the key, or -1: most often it is the one behind the last one."""
    cdef Py_ssize_t i, count = PyList_GET_SIZE(parts)
    for i in range(next, count):
        if has_key(walk, <Part>PyList_GET_ITEM(parts, i)):
            return i
    for i in range(next if next < count else count):
        if has_key(walk, <Part>PyList_GET_ITEM(parts, i)):
            return i
    return -1


cdef inline bint has_key(Walk* walk, Part part):
    return is_key(walk, PyBytes_AS_STRING(part.key), PyBytes_GET_SIZE(part.key))


cdef Py_ssize_t DEFAULT_KEYS = DEFAULT_LIMITS.max_box_keys
cdef Py_ssize_t DEFAULT_BYTES = DEFAULT_LIMITS.max_box_bytes


def decode_records(decoder, data):
    """Return the records of boxes that stand one behind the other; None if anything is unusual.

    So are records whose values others convert: a fault deep inside of lists of lists would be looked at 2 ** n times.
    """
    cdef Walk walk
    cdef list records = []
    if type(decoder) is not RecordDecoder or not PyBytes_CheckExact(data) or PyBytes_GET_SIZE(data) > DEFAULT_BYTES:
        return None
    if not (<RecordDecoder>decoder).is_flat:
        return None
    start(&walk, PyBytes_AS_STRING(data), 0, PyBytes_GET_SIZE(data))
    while walk.at < walk.end:
        walk.keys = 0
        record = (<RecordDecoder>decoder).from_bytes(&walk)
        if record is None or walk.keys > DEFAULT_KEYS:
            return None
        records.append(record)
    return records
