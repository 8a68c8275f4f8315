# A stream of bytes, pulled as one box at a time: the twin of `ampkit.wire.codec`.

DEF KEPT = 131072  # bytes of a box of which nothing is read before its next pair is there, and then all again
DEF LARGE = 4096  # bytes of a pair for whose sake what came behind it is not copied

cdef object MOST = sys.maxsize  # a limit may be any integer


@cython.no_gc  # it has no part in a cycle, and a connection takes a few bytes less
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
    cdef object _partial  # the careful reader of a box, if one is needed
    cdef Py_ssize_t _wanted  # unread bytes without which the box has no further pair; 0 if that is not known
    cdef bytearray _more  # what came since then
    cdef bytes _behind  # what comes behind `_data`, from `_behind_at` on, or None
    cdef Py_ssize_t _behind_at

    def __init__(self, limits=DEFAULT_LIMITS, *, empty_boxes=False):
        self._limits = limits
        self._empty_boxes = empty_boxes
        self._max_keys = min(limits.max_box_keys, MOST)
        self._max_bytes = min(limits.max_box_bytes, MOST)
        self._data = b""
        self._at = 0
        self._base = 0
        self._partial = None
        self._wanted = 0
        self._more = None
        self._behind = None
        self._behind_at = 0

    cpdef feed(self, data):
        """Take the next bytes of the stream."""
        cdef Py_ssize_t at
        self._check()
        self._join_behind()
        at = self._at
        if at == PyBytes_GET_SIZE(self._data) and self._wanted == 0:
            self._data = bytes(data)
        elif self._partial is not None:
            unread = self._partial.collect(memoryview(self._data)[at:], data)
            if unread is None:
                return
            self._data = unread
        elif not self._collect(data):
            return
        self._base += at
        self._at = 0

    cdef inline int _check(self) except -1:
        """Refuse to work for a subclass that has not called `__init__`."""
        if self._data is None:
            raise AttributeError("Decoder.__init__ was not called")
        return 0

    cdef bint _collect(self, data) except -1:
        """Put data behind what is unread; or return false if that is not yet enough to read on."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self._data) - self._at + (0 if self._more is None else len(self._more))
        cdef Py_ssize_t lacking = self._wanted - size
        if lacking > len(data):
            if self._more is None:
                self._more = bytearray()
            self._more += data
            return False
        first = data
        if self._wanted > LARGE and PyBytes_CheckExact(data) and lacking + 2 < PyBytes_GET_SIZE(data):
            first = memoryview(data)[:lacking + 2]  # the box ends behind them, or goes on
            self._behind = data
            self._behind_at = lacking + 2
        self._data = b"".join((memoryview(self._data)[self._at:], self._more or b"", first))
        self._wanted = 0
        self._more = None
        return True

    cdef inline int _go_behind(self) except -1:
        """Go on with what comes behind, where nothing else is left."""
        if self._behind is not None and self._at == PyBytes_GET_SIZE(self._data):
            self._base += self._at - self._behind_at
            self._at = self._behind_at
            self._data = self._behind
            self._behind = None
        return 0

    cdef int _join_behind(self) except -1:
        """Put what comes behind to the rest, as they belong together."""
        if self._behind is not None:
            self._base += self._at
            self._data = b"".join((memoryview(self._data)[self._at:], memoryview(self._behind)[self._behind_at:]))
            self._at = 0
            self._behind = None
        return 0

    def next_box(self):
        """Return the next complete box, or None until more bytes are fed.

        Raises RemoteProtocolError where the stream is not AMP, and again on every later call.
        """
        self._check()
        self._go_behind()
        if self._partial is not None:
            if self._at == PyBytes_GET_SIZE(self._data):
                return None
            return self._read_on(self._partial)
        if self._wanted or self._at == PyBytes_GET_SIZE(self._data):
            return None
        box = self._walk()
        return self._read_on(self._careful()) if box is None and self._wanted == 0 else box

    cdef dict _walk(self):
        """Read a box, and go on behind it.

        Returns None if it is not whole, and notes what is `_wanted`; or if it is large or no box, and does not.
        """
        cdef dict box = self._walk_here()
        if box is None and self._behind is not None:
            self._wanted = 0
            self._join_behind()
            box = self._walk_here()
        return box

    cdef dict _walk_here(self):
        cdef dict box = {}  # first, as it may call the garbage collector, and that anything: from then on nothing is run
        cdef const unsigned char* data = <const unsigned char*>PyBytes_AS_STRING(self._data) + self._at
        cdef Py_ssize_t end = PyBytes_GET_SIZE(self._data) - self._at, at = 0, keys = 0, length, pair
        while True:
            pair = 2
            if end - at < pair:
                break
            length = length_at(data + at)
            if length == 0:
                if at + 2 > self._max_bytes or not (keys or self._empty_boxes):
                    return None
                self._at += at + 2
                return box
            if length > 255 or keys == self._max_keys:
                return None
            pair = length + 4
            if end - at >= pair:
                pair += length_at(data + at + length + 2)
            if at + pair + 2 > self._max_bytes:
                return None
            if end - at < pair:
                break
            PyDict_SetItem(
                box,
                key_of(data + at + 2, length),
                PyBytes_FromStringAndSize(<const char*>data + at + length + 4, pair - length - 4),
            )
            keys += 1
            at += pair
        if at + pair <= KEPT:
            self._wanted = at + pair
        return None

    cdef object _careful(self):
        """Return who reads the box that begins here, and says what is wrong with it if anything is."""
        return PartialBox(self._base + self._at, self._limits, empty_boxes=self._empty_boxes)

    cdef int _settle(self) except -1:
        """Let the box that is not whole be read as far as it is there, for whoever wants to see that."""
        self._join_behind()
        if self._wanted:
            self._wanted = 0
            if self._more is not None:
                self._data = self._data[self._at:] + self._more
                self._more = None
                self._base += self._at
                self._at = 0
            self._read_on(self._careful())
        return 0

    cdef object _read_on(self, object partial):
        self._partial = partial
        self._at = partial.read(self._data, self._at)
        if not partial.is_complete:
            return None
        self._partial = None
        return partial.box

    @property
    def may_have_box(self):
        """Whether bytes were fed behind the box that was pulled last; ask it directly behind that."""
        self._check()
        return self._has_more()

    cdef inline bint _has_more(self) noexcept:
        return self._behind is not None or self._at < PyBytes_GET_SIZE(self._data)

    @property
    def partial(self):
        """The box that is not complete, as far as it was read, or None; the unread bytes are behind it."""
        self._settle()
        return self._partial

    @property
    def unread(self):
        """What was fed and is in no box or pair that was read yet."""
        self._settle()
        rest = self._data[self._at:]
        return rest if self._partial is None else rest + self._partial.more

    def take_rest(self):
        """Return the bytes behind the last box, which are then no longer the decoder's.

        Call it directly behind the box with which the connection turns into another protocol. Raises
        LocalProtocolError if bytes behind that box were read as AMP since.
        """
        partial = self.partial
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
        if self.partial is not None:
            self._partial.end(len(self.unread))
