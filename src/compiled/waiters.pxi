# What waits for the answer to one ask: a future of its own, or a place among many that are awaited as one.

cdef class Plan:
    """How a command is asked if nothing about it is unusual: its encoder, and the decoder of its response if it has one."""

    cdef Encoder encode
    cdef RecordDecoder decode

    def __init__(self, Encoder encode, RecordDecoder decode=None):
        self.encode = encode
        self.decode = decode


cdef class Waiter:
    """Takes how its ask ended: as a response that is decoded already, or as any other waiter does."""

    cdef Plan plan
    cdef CreditFields credit
    cdef Py_ssize_t size

    cdef int settle(self, object outcome) except -1:
        return 0


cdef inline int give_back(CreditFields credit, Py_ssize_t size) except -1:
    if credit._line:
        (<object>credit).give_back(size)
    else:
        credit.taken -= size
    return 0


cdef class Expected(Waiter):
    """A future that gets the response of the ask, or what any other future of an ask gets."""

    cdef readonly object future

    def __init__(self, Plan plan, future):
        self.plan = plan
        self.future = future

    def done(self):
        """Whether it has ended."""
        return self.future.done()

    def set_result(self, outcome):
        """Take how it ended."""
        self.future.set_result(outcome)

    cdef int settle(self, object outcome) except -1:
        if not self.future.done():
            self.future.set_result(outcome)
        return 0


cdef class Asking
cdef class Unsent


cdef class Reply(Expected):
    """The answer to one ask. Await `future`, and call `end` when that is over, whatever came of it."""

    cdef readonly bytes tag
    cdef object limit
    cdef object deadlines
    cdef Unsent unsent

    def end(self):
        """Give back what it has taken: credit, and a place among the time limits, and among those that wait."""
        cdef Unsent unsent = self.unsent  # held: it leaves this
        if unsent is not None:
            unsent.leave()
        if self.size:
            give_back(self.credit, self.size)
        if self.limit is not None:
            self.deadlines.stop(self.limit)


cdef class Unsent:
    """An ask that waits for credit, then for room, and then is queued, without waking whoever waits for its answer."""

    cdef Asking asking
    cdef Reply reply
    cdef bytes box  # with a tag that need not be the one with which it is sent
    cdef Py_ssize_t head
    cdef Py_ssize_t size

    cdef bytes pairs(self):
        return self.box[self.head:PyBytes_GET_SIZE(self.box) - 2]

    @property
    def future(self):
        """What waits for the answer."""
        return self.reply.future

    def done(self):
        """Whether nobody waits any more."""
        return self.reply.future.done()

    def set_result(self, outcome):
        """Take True for the credit and False for none; then None for room, or an error not to be sent."""
        if outcome is True:
            self.find_room()
        elif outcome is None:
            self.send()
        else:
            self.reply.set_result(self.asking.common.unsent(outcome or None))

    cdef int find_room(self) except -1:
        self.reply.size = self.size
        if self.asking.flow.is_full:
            (<object>self.asking.flow).line_up(self, self.size)
        else:
            self.send()
        return 0

    cdef int send(self) except -1:
        self.go()
        try:
            self.asking.send(self)
        except AmpError as error:
            self.reply.set_result(self.asking.common.unsent(error))
        return 0

    cdef int leave(self) except -1:
        """Wait for nothing any more."""
        flow, credit = <object>self.asking.flow, <object>self.asking.credit
        self.go()
        flow.leave(self)
        credit.leave(self)
        return 0

    cdef int go(self) except -1:
        (<object>self.asking.flow).hindered -= 1
        self.reply.unsent = None
        return 0


cdef class Place(Waiter):
    """One of many asks; `batch` takes what comes of it, and what it has in common with a future is all a waiter needs."""

    cdef BatchFields batch
    cdef Py_ssize_t index

    @property
    def future(self):
        """The one future of all of them."""
        return self.batch.future

    def give_back(self):
        """Let another ask be sent in place of this one."""
        give_back(self.credit, self.size)

    def done(self):
        """Whether nothing is to be done when the ask has ended: it has credit to give back, whoever still waits."""
        return False

    def set_result(self, outcome):
        """Take how the ask ended."""
        self.settle(outcome)

    cdef int settle(self, object outcome) except -1:
        cdef BatchFields batch = self.batch
        give_back(self.credit, self.size)
        batch.outcomes[self.index] = outcome
        batch.missing -= 1
        if batch.missing == 0 and not batch.future.done():
            batch.future.set_result(None)
        return 0
