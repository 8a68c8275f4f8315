# A stream of bytes, pulled as one box at a time: the twin of `ampkit.wire.codec`.

cdef class Decoder:
    """Feed it bytes in pieces of any size; pull boxes until it returns None.

    It stops after each box, so that whoever pulls can decide that the bytes behind that box are not AMP: a
    connection may have turned into another protocol there. It holds at most one box (`limits`) and the last
    piece it was fed. `empty_boxes=True` accepts a box without keys, which is no message but may stand in an AmpList.
    """

    cdef object _limits
    cdef bint _empty_boxes
    cdef Py_ssize_t _max_keys
    cdef Py_ssize_t _max_bytes
    cdef bytes _data
    cdef Py_ssize_t _at
    cdef Py_ssize_t _base
    cdef object _partial

    def __init__(self, limits=DEFAULT_LIMITS, *, empty_boxes=False):
        self._limits = limits
        self._empty_boxes = empty_boxes
        self._max_keys = limits.max_box_keys
        self._max_bytes = limits.max_box_bytes
        self._data = b""
        self._at = 0
        self._base = 0
        self._partial = None

    def feed(self, data):
        """Take the next bytes of the stream."""
        cdef Py_ssize_t at = self._at
        if at == PyBytes_GET_SIZE(self._data):
            self._data = bytes(data)
        elif self._partial is None:
            self._data = self._data[at:] + data
        else:
            unread = self._partial.collect(memoryview(self._data)[at:], data)
            if unread is None:
                return
            self._data = unread
        self._base += at
        self._at = 0

    def next_box(self):
        """Return the next complete box, or None until more bytes are fed.

        Raises RemoteProtocolError where the stream is not AMP, and again on every later call.
        """
        if self._partial is not None:
            if self._at == PyBytes_GET_SIZE(self._data):
                return None
            return self._read_on(self._partial)
        cdef Py_ssize_t at = self._at
        cdef Py_ssize_t end = PyBytes_GET_SIZE(self._data)
        if at == end:
            return None
        box = self._walk(at, end)
        if box is None:
            return self._read_on(PartialBox(self._base + at, self._limits, empty_boxes=self._empty_boxes))
        return box

    cdef dict _walk(self, Py_ssize_t at, Py_ssize_t end):
        """Read a box that lies whole between these positions; return None for anything else, and stay where it is."""
        cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(self._data)
        cdef Py_ssize_t begin = at, keys = 0, length
        cdef dict box = {}
        while end - at >= 2:
            length = length_at(data + at)
            at += 2
            if length == 0:
                if at - begin > self._max_bytes or not (keys or self._empty_boxes):
                    return None
                self._at = at
                return box
            if length > 255 or keys == self._max_keys or end - at < length + 2:
                return None
            keys += 1
            key = key_of(data + at, length)
            at += length
            length = length_at(data + at)
            at += 2
            if end - at < length:
                return None
            PyDict_SetItem(box, key, PyBytes_FromStringAndSize(<const char*>data + at, length))
            at += length
        return None

    cdef object _read_on(self, object partial):
        self._partial = partial
        self._at = partial.read(self._data, self._at)
        if not partial.is_complete:
            return None
        self._partial = None
        return partial.box

    @property
    def partial(self):
        """The box that is not complete, as far as it was read, or None; the unread bytes are behind it."""
        return self._partial

    @property
    def unread(self):
        """What was fed and is in no box or pair that was read yet."""
        rest = self._data[self._at:]
        return rest if self._partial is None else rest + self._partial.more

    def take_rest(self):
        """Return the bytes behind the last box, which are then no longer the decoder's.

        Call it directly behind the box with which the connection turns into another protocol. Raises
        LocalProtocolError if bytes behind that box were read as AMP since.
        """
        partial = self._partial
        if partial is not None and (partial.box or partial.fault is not None):
            raise LocalProtocolError("the bytes behind the last box were read as AMP already")
        rest = self.unread
        self._partial = None
        self._base += self._at + len(rest)
        self._data = b""
        self._at = 0
        return rest

    def end(self):
        """Say that the stream has ended. Raises RemoteProtocolError if that was inside a box.

        What was not pulled is not looked at: pull until `next_box` returns None.
        """
        if self._partial is not None:
            self._partial.end(len(self.unread))
