# What a turn of the loop does with the bytes of a connection: the twin of `ampkit.asyncio.flow`.

cdef Py_ssize_t ALONE = portions.ALONE
cdef Py_ssize_t OVERHEAD = portions.OVERHEAD
cdef object MOST_IN_TURN = portions.MOST_IN_TURN
cdef object OPEN = State.OPEN
cdef object CLOSED = State.CLOSED

cdef extern from *:
    ctypedef bint flag "unsigned char"  # a connection takes a few bytes less

cdef class Intake


cdef class Flow:
    """The twin of `ampkit.asyncio.flow.PythonFlow`."""

    cdef public object loop
    cdef public object connection
    cdef public object transport
    cdef public object intake
    cdef public object turns
    cdef public object held
    cdef LinkFields link
    cdef public Py_ssize_t _queued
    cdef public Py_ssize_t _one_write
    cdef public flag heard
    cdef public flag is_reading
    cdef public flag is_full
    cdef public flag _is_held
    cdef public flag _takes_pieces
    cdef public flag _flush_scheduled
    cdef public flag _pull_scheduled
    cdef public flag _pulling

    def __init__(self, loop, connection, one_write):
        self.loop = loop
        self.connection = connection
        self.link = connection.link
        self._one_write = one_write
        self.is_reading = True

    # What Python calls

    def data_received(self, data):
        """Read boxes, as far as they can be taken."""
        decoder = self.link.decoder  # held: whatever runs meanwhile may put another one in its place
        self.heard = True
        if self.link.state is OPEN and type(decoder) is Decoder:
            (<Decoder>decoder).feed(data)
        else:
            self.connection.receive(data)
        self.take()

    def pull(self):
        """Take events while there are any and they can be taken, then write what that has queued."""
        self.take()

    def flush_soon(self, Py_ssize_t size):
        """Say that a box with `size` bytes of pairs was queued: it leaves at the end of this turn, at the latest."""
        self.queued(size)

    def flush(self):
        """Write what is queued."""
        self.write()

    def _set_reading(self, bint wanted):
        self.set_reading(wanted)

    def _flush_at_end_of_turn(self):
        self._flush_scheduled = False
        self.write()

    # The same, for the rest of this module

    cdef int take(self) except -1:
        cdef bint took_all
        if self._pulling or self.link.state is CLOSED:
            return 0
        self._pulling = True
        try:
            turns = self.turns
            most = MOST_IN_TURN if turns is None else turns.size
            intake = self.intake
            took_all = (<Intake>intake).take(most) if type(intake) is Intake else intake.take(most)
            if turns is not None and (self._pull_scheduled or turns.busy):
                turns.ended(self, is_done=took_all or not self._pull_scheduled)
            if took_all != self.is_reading:
                self.set_reading(took_all)
        except RemoteProtocolError as error:
            (<object>self).fail(error.with_traceback(None))
        finally:
            self._pulling = False
        return self.write()

    cdef int set_reading(self, bint wanted) except -1:
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self.is_reading = wanted
            if wanted:
                transport.resume_reading()
            else:
                transport.pause_reading()
        return 0

    cdef inline int queued(self, Py_ssize_t size) except -1:
        self._queued += size + OVERHEAD
        if self._queued > self._one_write:
            self.write()
        elif not self._flush_scheduled and not self._pulling:
            self._flush_scheduled = True
            self.loop.call_soon((<object>self)._flush_at_end_of_turn)
        return 0

    cdef int write(self) except -1:
        cdef Py_ssize_t size = self._queued
        cdef list boxes
        if not self._is_held:
            self._queued = 0
        if not self.link._output:
            return 0
        # Where each box has to be seen by others there is no Intake.
        boxes = self.link.taken() if type(self.intake) is Intake else self.connection.take_boxes()
        transport = self.transport
        if transport is None:
            return 0
        if PyList_GET_SIZE(boxes) == 1:
            transport.write(boxes[0])
        elif self._takes_pieces and size > ALONE * PyList_GET_SIZE(boxes):
            transport.writelines(boxes)
        else:
            transport.write(b"".join(boxes))
        return 0
