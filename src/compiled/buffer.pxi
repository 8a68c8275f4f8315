# Bytes that are being put together: on the stack while they are few, and then where they stay. Whoever begins one
# releases it.

DEF SMALL = 1024

cdef extern from "Python.h":
    PyObject* new_bytes "PyBytes_FromStringAndSize"(const char*, Py_ssize_t) except NULL
    int resize_bytes "_PyBytes_Resize"(PyObject**, Py_ssize_t) except -1
    char* inside_bytes "PyBytes_AS_STRING"(PyObject*)


cdef struct Buffer:
    char* data
    Py_ssize_t size
    Py_ssize_t room
    PyObject* large  # the bytes object that `data` is inside of, or NULL
    char small[SMALL]


cdef inline void begin(Buffer* buffer) noexcept:
    buffer.data = &buffer.small[0]
    buffer.size = 0
    buffer.room = SMALL
    buffer.large = NULL


cdef inline void release(Buffer* buffer) noexcept:
    if buffer.large != NULL:
        drop(buffer.large)


cdef inline bytes finished(Buffer* buffer):
    """Return the bytes, which ends the buffer."""
    if buffer.large == NULL:
        return PyBytes_FromStringAndSize(buffer.data, buffer.size)
    resize_bytes(&buffer.large, buffer.size)
    return <bytes>buffer.large


cdef int enlarge(Buffer* buffer, Py_ssize_t more) except -1:
    cdef Py_ssize_t room = buffer.size + more + max(buffer.size, SMALL)  # one large value is not moved again
    if buffer.large == NULL:
        buffer.large = new_bytes(NULL, room)
        memcpy(inside_bytes(buffer.large), buffer.data, buffer.size)
    else:
        resize_bytes(&buffer.large, room)
    buffer.data = inside_bytes(buffer.large)
    buffer.room = room
    return 0


cdef inline char* reserved(Buffer* buffer, Py_ssize_t size) except NULL:
    """Return where `size` bytes are to be written."""
    if size > buffer.room - buffer.size:
        enlarge(buffer, size)
    buffer.size += size
    return buffer.data + buffer.size - size


cdef inline int put(Buffer* buffer, const char* data, Py_ssize_t size) except -1:
    memcpy(reserved(buffer, size), data, size)
    return 0


cdef inline int put_length(Buffer* buffer, Py_ssize_t length) except -1:
    """Put the two bytes that stand before a key or a value."""
    cdef char* to = reserved(buffer, 2)
    to[0] = <char>(length >> 8)
    to[1] = <char>(length & 255)
    return 0
