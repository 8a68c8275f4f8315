# Bytes that are being put together: on the stack while they are few. Whoever begins one releases it.

DEF SMALL = 1024

cdef struct Buffer:
    char* data
    Py_ssize_t size
    Py_ssize_t room
    char small[SMALL]


cdef inline void begin(Buffer* buffer) noexcept:
    buffer.data = &buffer.small[0]
    buffer.size = 0
    buffer.room = SMALL


cdef inline void release(Buffer* buffer) noexcept:
    if buffer.data != &buffer.small[0]:
        PyMem_Free(buffer.data)


cdef inline bytes finished(Buffer* buffer):
    return PyBytes_FromStringAndSize(buffer.data, buffer.size)


cdef int enlarge(Buffer* buffer, Py_ssize_t more) except -1:
    cdef Py_ssize_t room = 2 * (buffer.size + more)
    cdef char* data
    if buffer.data == &buffer.small[0]:
        data = <char*>PyMem_Malloc(room)
        if data == NULL:
            raise MemoryError
        memcpy(data, buffer.data, buffer.size)
    else:
        data = <char*>PyMem_Realloc(buffer.data, room)
        if data == NULL:
            raise MemoryError
    buffer.data = data
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
