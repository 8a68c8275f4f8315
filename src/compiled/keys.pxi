# Lengths, and the bytes objects of keys. The same few keys come again and again, so each is made once: its hash is
# known, and a table of boxes holds no copies. What is remembered is small and bounded, whoever sends it.

DEF REMEMBERED = 512
DEF LONGEST_REMEMBERED = 24

cdef PyObject* remembered[REMEMBERED]


cdef inline Py_ssize_t length_at(const unsigned char* data) noexcept:
    return data[0] << 8 | data[1]


cdef inline bytes key_of(const unsigned char* data, Py_ssize_t length):
    cdef unsigned int slot
    cdef PyObject* known
    if length == 0 or length > LONGEST_REMEMBERED:
        return PyBytes_FromStringAndSize(<const char*>data, length)
    slot = (length * 31 + data[length - 1] * 131 + data[0] * 7 + data[length >> 1] * 17) & (REMEMBERED - 1)
    known = remembered[slot]
    if known != NULL and PyBytes_GET_SIZE(<object>known) == length \
            and memcmp(PyBytes_AS_STRING(<object>known), data, length) == 0:
        return <bytes>known
    return new_key(data, length, slot)


cdef bytes new_key(const unsigned char* data, Py_ssize_t length, unsigned int slot):
    cdef bytes key = PyBytes_FromStringAndSize(<const char*>data, length)
    cdef PyObject* old = remembered[slot]
    Py_INCREF(key)
    remembered[slot] = <PyObject*>key
    if old != NULL:
        drop(old)
    return key


cdef extern from "Python.h":
    void drop "Py_DECREF"(PyObject*)
