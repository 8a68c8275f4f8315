# `Sum(a=13, b=81)` without a Python function: what the `__init__` that `dataclass` has generated would do, where it is
# called as it is meant to be. Any other call is Python's own.

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject* const*, size_t, PyObject*)
    ctypedef object (*ternaryfunc)(object, object, object)
    ctypedef object (*newfunc)(PyTypeObject*, object, PyObject*)
    ctypedef struct PyTypeObject:
        vectorcallfunc tp_vectorcall
        ternaryfunc tp_call
        newfunc tp_new
    PyTypeObject PyType_Type
    PyTypeObject PyBaseObject_Type
    PyObject* _PyType_Lookup(PyTypeObject*, object)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    int set_attribute "PyObject_SetAttr"(object, object, object) except -1

cdef tuple NOTHING = ()


cdef inline object new_instance(object kind):
    """Do what `object.__new__(kind)` does, which refuses a kind that is made of a built-in one as well."""
    if is_made_by_object(kind):
        return PyBaseObject_Type.tp_new(<PyTypeObject*>kind, NOTHING, NULL)
    return object.__new__(kind)


cdef inline bint is_made_by_object(object kind) noexcept:
    return (<PyTypeObject*>kind).tp_new == PyBaseObject_Type.tp_new


cdef class Maker:
    """How instances of one class are made: the names of its fields in their order, and what absent ones become."""

    cdef object init
    cdef tuple names
    cdef list defaults

    def __init__(self, init, names, defaults):
        self.init = init
        self.names = names
        self.defaults = defaults


cdef int install_maker(object kind, tuple names, list defaults) except -1:
    """For each name there is a default: None, or whether it is a factory and the factory or value."""
    if type(kind) is type and kind.__new__ is object.__new__ and len(names) <= MOST_PARTS:
        kind.__maker__ = Maker(kind.__init__, names, defaults)
        (<PyTypeObject*>kind).tp_vectorcall = make
    return 0


cdef object make(object kind, PyObject* const* arguments, size_t flags, PyObject* given):
    cdef PyObject* known = _PyType_Lookup(<PyTypeObject*>kind, "__maker__")
    cdef PyObject* init = _PyType_Lookup(<PyTypeObject*>kind, "__init__")
    cdef Maker maker  # held: what a program runs on the way may take it from the class
    if known != NULL and type(<object>known) is Maker and is_made_by_object(kind) and PyVectorcall_NARGS(flags) == 0:
        maker = <Maker>known
        if init == <PyObject*>maker.init:
            made = made_from(kind, maker, arguments, given)
            if made is not None:
                return made
    return call_type(kind, arguments, PyVectorcall_NARGS(flags), given)


cdef object made_from(object kind, Maker maker, PyObject* const* arguments, PyObject* given):
    """Return an instance, its fields set in their order; or None, with nothing of the program's run, for a wrong call."""
    cdef PyObject* values[MOST_PARTS]
    cdef Py_ssize_t i, at = 0, most = PyTuple_GET_SIZE(maker.names)
    cdef Py_ssize_t count = PyTuple_GET_SIZE(<object>given) if given != NULL else 0
    for i in range(most):
        values[i] = NULL
    for i in range(count):
        at = position_of(maker.names, PyTuple_GET_ITEM(<object>given, i), at)
        if at < 0 or values[at] != NULL:
            return None
        values[at] = arguments[i]
        at += 1
    if count != most:
        for i in range(most):
            if values[i] == NULL and maker.defaults[i] is None:
                return None
    made = new_instance(kind)
    for i in range(most):
        if values[i] != NULL:
            value = <object>values[i]
        else:
            default = maker.defaults[i]
            value = default[1]() if default[0] else default[1]
        set_attribute(made, <object>PyTuple_GET_ITEM(maker.names, i), value)
    return made


cdef inline Py_ssize_t position_of(tuple names, PyObject* name, Py_ssize_t at):
    """Return where a name is, most often the next one; -1 if it is none of them."""
    cdef Py_ssize_t i, count = PyTuple_GET_SIZE(names)
    for i in range(at, count):
        if PyTuple_GET_ITEM(names, i) == name:
            return i
    for i in range(count):
        if <object>PyTuple_GET_ITEM(names, i) == <object>name:
            return i
    return -1


cdef object call_type(object kind, PyObject* const* arguments, Py_ssize_t count, PyObject* given):
    """Call the class as Python does, which knows what to say of wrong arguments."""
    cdef Py_ssize_t i
    cdef tuple positional = tuple([<object>arguments[i] for i in range(count)])
    cdef dict named = {}
    if given != NULL:
        for i in range(PyTuple_GET_SIZE(<object>given)):
            named[<object>PyTuple_GET_ITEM(<object>given, i)] = <object>arguments[count + i]
    return PyType_Type.tp_call(kind, positional, named)
