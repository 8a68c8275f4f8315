# What is looked at for every box, as fields that cost nothing to look at. The classes in Python that are made of these
# give them their values and their meaning.

cdef extern from "Python.h":
    int forget "PyList_SetSlice"(list, Py_ssize_t, Py_ssize_t, PyObject*) except -1


cdef class LinkFields:
    cdef public object state
    cdef public object decoder
    cdef public list _output
    cdef public list _queue
    cdef public Py_ssize_t _max_bytes

    cdef inline list taken(self):
        """Do what `take_boxes` does."""
        cdef list boxes = []  # first, as in `take_boxes`
        boxes.extend(self._output)
        forget(self._output, 0, PyList_GET_SIZE(boxes), NULL)
        return boxes


cdef class ConversationFields:
    cdef public dict pending
    cdef public dict asking
    cdef public Py_ssize_t count
    cdef public object _look_first


cdef class CreditFields:
    cdef public Py_ssize_t taken
    cdef public double free_below
    cdef public object _line


cdef class BatchFields:
    cdef public object future
    cdef public list outcomes
    cdef public list tags
    cdef public Py_ssize_t missing


cdef class LineFields:
    cdef public Py_ssize_t size


cdef class AnsweringFields:
    cdef public Py_ssize_t asked
    cdef public object responders
    cdef public dict _tasks
    cdef public dict _turns
    cdef public dict _stopped
    cdef public Py_ssize_t _max_running
    cdef public bint _is_nested
    cdef public LineFields _made_line
