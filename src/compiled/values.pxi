# One value to its bytes and back; the fields of a record, a command or a mapping as they are needed here.

DEF INTEGER = 0
DEF TEXT = 1
DEF BYTES = 2
DEF FLOAT = 3
DEF BOOLEAN = 4
DEF CALLED = 5
DEF CARRIED = 6

DEF MAX_VALUE = 65535
DEF MOST_PARTS = 63  # fields that can be looked after by one mask of bits

cdef extern from "Python.h":
    char* PyOS_double_to_string(double, char, int, int, int*) except NULL
    double PyOS_string_to_double(const char*, char**, PyObject*) except? -1.0
    int Py_DTSF_ADD_DOT_0
    int PyUnicode_CheckExact(object)
    int PyUnicode_IS_COMPACT_ASCII(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    void* PyUnicode_DATA(object)
    object PyUnicode_AsUTF8String(object)
    object PyUnicode_DecodeUTF8(const char*, Py_ssize_t, const char*)


cdef class Part:
    """One field: its two names, what its values are, and who converts those that are unusual."""

    cdef object name
    cdef bytes key
    cdef bytes prefix
    cdef int kind
    cdef bint optional
    cdef object absent
    cdef object encode
    cdef object decode

    def __init__(self, field, kind, encode, decode):
        self.name = sys.intern(field.name)  # who is the same object is found without a look at it
        self.key = key_of(<const unsigned char*>PyBytes_AS_STRING(field.key), len(field.key))
        self.prefix = len(field.key).to_bytes(2, "big") + field.key
        self.kind = kind
        self.encode = encode
        self.decode = decode
        self.optional = field.optional
        self.absent = field.absent


cdef bint are_flat(list parts) except -1:
    """Say whether no value is converted by the program's own code, and no mask of bits is too small for all of them."""
    return len(parts) <= MOST_PARTS and all([(<Part>part).kind < CALLED for part in parts])


cdef class Unusual(Exception):
    """Leaves the work to whoever does it carefully."""


cdef int put_pair(Part part, object value, object carrier, Buffer* buffer) except -1:
    """Put a field's key and value; raise any Exception for what is unusual."""
    cdef Py_ssize_t before, size
    put(buffer, PyBytes_AS_STRING(part.prefix), PyBytes_GET_SIZE(part.prefix))
    reserved(buffer, 2)
    before = buffer.size
    if part.kind == INTEGER and PyLong_CheckExact(value):
        put_integer(value, buffer)
    elif part.kind == TEXT and PyUnicode_CheckExact(value):
        put_text(value, buffer)
    elif part.kind == FLOAT and PyFloat_CheckExact(value):
        put_float(PyFloat_AS_DOUBLE(value), buffer)
    elif part.kind == BOOLEAN and (value is True or value is False):
        put(buffer, "True" if value is True else "False", 4 if value is True else 5)
    elif part.kind == BYTES and PyBytes_CheckExact(value):
        put_bytes(value, buffer)
    elif part.kind == CARRIED:
        put_bytes(part.encode(value, carrier), buffer)
    else:
        put_bytes(part.encode(value), buffer)
    size = buffer.size - before
    if size > MAX_VALUE:
        raise Unusual
    buffer.data[before - 2] = <char>(size >> 8)
    buffer.data[before - 1] = <char>(size & 255)
    return 0


cdef inline int put_bytes(object value, Buffer* buffer) except -1:
    if not PyBytes_CheckExact(value):
        raise Unusual
    return put(buffer, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))


cdef inline int put_text(object value, Buffer* buffer) except -1:
    if PyUnicode_IS_COMPACT_ASCII(value):
        return put(buffer, <const char*>PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value))
    return put_bytes(PyUnicode_AsUTF8String(value), buffer)


cdef int put_integer(object value, Buffer* buffer) except -1:
    cdef int overflow = 0
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        return put_bytes(b"%d" % value, buffer)
    return put_number(number, buffer)


cdef int put_number(long long number, Buffer* buffer) except -1:
    cdef char digits[24]
    cdef int at = 24
    cdef unsigned long long rest
    rest = 0 - <unsigned long long>number if number < 0 else <unsigned long long>number
    while True:
        at -= 1
        digits[at] = <char>(48 + rest % 10)
        rest //= 10
        if rest == 0:
            break
    if number < 0:
        at -= 1
        digits[at] = 45
    return put(buffer, digits + at, 24 - at)


cdef int put_float(double value, Buffer* buffer) except -1:
    cdef char* text = PyOS_double_to_string(value, <char>114, 0, Py_DTSF_ADD_DOT_0, NULL)  # 'r': as repr does
    cdef Py_ssize_t size = 0
    try:
        while text[size]:
            size += 1
        put(buffer, text, size)
    finally:
        PyMem_Free(text)
    return 0


cdef object taken(Part part, const char* data, Py_ssize_t size):
    """Return the value of these bytes; raise any Exception for what is unusual."""
    if part.kind == INTEGER:
        return taken_integer(part, data, size)
    if part.kind == TEXT:
        return PyUnicode_DecodeUTF8(data, size, NULL)
    if part.kind == BYTES:
        return PyBytes_FromStringAndSize(data, size)
    if part.kind == FLOAT:
        return taken_float(part, data, size)
    if part.kind == BOOLEAN:
        if size == 4 and memcmp(data, "True", 4) == 0:
            return True
        if size == 5 and memcmp(data, "False", 5) == 0:
            return False
        raise Unusual
    if part.kind == CARRIED:
        return part.decode(PyBytes_FromStringAndSize(data, size), None)
    return part.decode(PyBytes_FromStringAndSize(data, size))


cdef object taken_integer(Part part, const char* data, Py_ssize_t size):
    cdef Py_ssize_t at = 0
    cdef long long number = 0
    if size and data[0] == 45:
        at = 1
    if at == size or size - at > 18:
        return part.decode(PyBytes_FromStringAndSize(data, size))
    while at < size:
        if not 48 <= data[at] <= 57:
            return part.decode(PyBytes_FromStringAndSize(data, size))
        number = number * 10 + (data[at] - 48)
        at += 1
    return PyLong_FromLongLong(-number if data[0] == 45 else number)


cdef object taken_float(Part part, const char* data, Py_ssize_t size):
    cdef char text[40]
    cdef Py_ssize_t at
    if not 0 < size < 40:
        return part.decode(PyBytes_FromStringAndSize(data, size))
    for at in range(size):
        if not (48 <= data[at] <= 57 or data[at] in (43, 45, 46, 69, 101)):  # digits + - . E e
            return part.decode(PyBytes_FromStringAndSize(data, size))
        text[at] = data[at]
    text[size] = 0
    return PyOS_string_to_double(text, NULL, NULL)


cdef inline object taken_from(Part part, object value, object carrier):
    """Return the value of what a box has under the field's key."""
    if part.kind == CARRIED:
        return part.decode(value, carrier)
    if PyBytes_CheckExact(value):
        return taken(part, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    return part.decode(value)
