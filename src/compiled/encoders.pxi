# Records and commands to the pairs of their boxes: the twin of the encoders that `ampkit.schema.compiler` generates.

cdef class Encoder:
    """A record, and the Carrier of what travels beside its box or None, to its pairs behind `head`.

    `plainly` does the same again for whatever is unusual, or says what is wrong. `nested` makes the error of a record
    inside of the record.
    """

    cdef bytes head
    cdef list parts
    cdef bint is_flat
    cdef object plainly
    cdef object nested
    cdef object nested_error

    def __init__(self, head, parts, plainly, nested, nested_error):
        self.head = head
        self.parts = parts
        self.is_flat = are_flat(parts)
        self.plainly = plainly
        self.nested = nested
        self.nested_error = nested_error

    def __call__(self, record, carrier=None):
        cdef Buffer buffer
        cdef int at = 0
        begin(&buffer)
        try:
            self.put(record, carrier, &buffer, &at)
            return finished(&buffer)
        except self.nested_error as error:
            raise self.nested(at, error) from error
        except Exception:
            return self.plainly(record, carrier)
        finally:
            release(&buffer)

    cdef int put(self, object record, object carrier, Buffer* buffer, int* at) except -1:
        """Put the pairs; raise any Exception for what is unusual, with `at` as the index of its field."""
        cdef Part part
        cdef Py_ssize_t i
        put(buffer, PyBytes_AS_STRING(self.head), PyBytes_GET_SIZE(self.head))
        for i in range(PyList_GET_SIZE(self.parts)):
            at[0] = <int>i
            part = <Part>PyList_GET_ITEM(self.parts, i)
            value = getattr(record, part.name)
            if value is not None or not part.optional:
                put_pair(part, value, carrier, buffer)
        return 0


def encode_records(encoder, record, values):
    """Return the bytes of a list of records as boxes, one behind the other; None if anything is unusual.

    So are records whose values others convert, and those that are no records of just that class.
    """
    cdef Buffer buffer
    cdef int at = 0
    if type(encoder) is not Encoder or not (<Encoder>encoder).is_flat or not PyList_CheckExact(values):
        return None
    begin(&buffer)
    try:
        for value in <list>values:
            if type(value) is not record:
                return None
            (<Encoder>encoder).put(value, None, &buffer, &at)
            put_length(&buffer, 0)
        return finished(&buffer)
    except Exception:
        return None
    finally:
        release(&buffer)
