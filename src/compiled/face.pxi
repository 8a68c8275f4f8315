# What the Twisted face does with a box where no program has put anything of its own between: the twin of the methods of
# these names in `ampkit.twisted._amp` and `_question`. It knows Twisted only by what it is given.

cdef class Face:
    """Takes boxes for an AMP, as its `_takeAnswer` and `_takeAsk` do."""

    cdef object question
    cdef tuple unfinished
    cdef object failure
    cdef object proceeds
    cdef object as_it_is
    cdef object fire
    cdef object unusual
    cdef object otherwise
    cdef object deliver

    def __init__(self, question, unfinished, failure, proceeds, as_it_is, fire, unusual, otherwise, deliver):
        self.question = question
        self.unfinished = unfinished
        self.failure = failure
        self.proceeds = proceeds
        self.as_it_is = as_it_is
        self.fire = fire
        self.unusual = unusual
        self.otherwise = otherwise
        self.deliver = deliver

    def take_all(self, proto, Decoder decoder):
        """Take boxes as long as nothing about them or the AMP is unusual; return whether there was any."""
        cdef dict attributes = proto.__dict__
        cdef bint has_taken = False
        while not (proto._pausedByProgram or proto._holding) and len(attributes) == <Py_ssize_t>proto._known:
            decoder._go_behind()
            if decoder._partial is not None or decoder._wanted or decoder._at == PyBytes_GET_SIZE(decoder._data):
                break
            if not proto._keepsSeams or proto.boxReceiver is not proto:
                break
            strings = decoder._walk()
            if strings is None:
                break
            has_taken = True
            if not self.take(proto, strings):
                self.deliver(proto, strings)
        return has_taken

    def take(self, proto, dict strings):
        """Take a box, and return true; or leave it as it was, and return false."""
        tag = strings.get(b"_answer")
        return self._take_ask(proto, strings) if tag is None else self._take_answer(proto, tag, strings)

    cdef bint _take_answer(self, object proto, object tag, dict strings) except -1:
        outstanding = proto._outstandingRequests
        question = outstanding.pop(tag, None) if outstanding else None
        if question is None:
            return False
        response = question.decodeResponse(strings) if type(question) is self.question else None
        if response is None:
            outstanding[tag] = question
            return False
        self._fire(question, response)
        left = question.result
        if left is not None and (isinstance(left, self.unfinished) or question.paused):
            question.addErrback(proto.unhandledError)
        return True

    cdef int _fire(self, object question, object response) except -1:
        cdef list callbacks = question._callbacks
        if len(callbacks) != 1 or question.called or question.paused or question.debug:
            self.fire(question, response)
            return 0
        callback, arguments, named = (<tuple?>callbacks[0])[0]
        if callback is self.proceeds:
            self.fire(question, response)
            return 0
        callbacks.pop()
        question.called = question._runningCallbacks = True
        question.result = response
        try:
            left = callback(response, *arguments, **named) if arguments or named else callback(response)
        except BaseException:
            left = self.failure()
        question._runningCallbacks = False
        question.result = left
        if callbacks or (left is not None and isinstance(left, self.unfinished)):
            callbacks.insert(0, self.as_it_is)
            question._runCallbacks()
        return 0

    cdef bint _take_ask(self, object proto, dict strings) except -1:
        name = strings.get(b"_command")
        known = None if name is None else proto._commandDispatch.get(name)
        if known is None or b"_error" in strings or proto.locator is not proto:
            return False
        command, function = known
        straight = proto._straights.get(command) or proto._straightOf(command)
        tag = strings.get(b"_ask")
        try:
            result = straight.respond(strings, function, proto)
        except BaseException:
            result = self.failure()
        if type(result) is dict and may_send(proto):
            box = straight.encodeResponse(result, tag or b"")
            if box is not None:
                if tag is not None:
                    write_straight(proto.transport, box, proto._socket)
                return True
        elif result is self.unusual:
            return False
        self.otherwise(proto, result, function, command, strings)
        return True


    def ask(self, proto, command, dict values):
        """Ask, and return the question, or None if nobody waits for an answer; return `unusual` if this is no short way."""
        if not may_send(proto):
            return self.unusual
        straight = proto._straights.get(command) or proto._straightOf(command)
        cdef Py_ssize_t number = proto._counter + 1
        cdef bytes tag = hexadecimal(number)
        box = straight.encodeArguments(values, tag)
        if box is None or number <= <Py_ssize_t>proto._counter:
            return self.unusual
        if not straight.requiresAnswer:
            return proto._askStraight(straight, tag, box)
        proto._counter = number
        outstanding = proto._outstandingRequests
        question = self.question()
        question._proto = proto
        question._tag = tag
        question._command = straight.command
        question.decodeResponse = straight.decodeResponse
        outstanding[tag] = question
        try:
            write_straight(proto.transport, box, proto._socket)
        except BaseException:
            del outstanding[tag]
            raise
        return question


cdef bint may_send(object proto) except -1:
    """Do what `_maySendStraight` does."""
    attributes = proto._delivery
    if attributes is None or len(attributes) != <Py_ssize_t>proto._known:
        return proto._maySendStraight()
    return (
        proto._keepsSeams
        and proto.boxSender is proto
        and proto._failAllReason is None
        and proto._startingTLSBuffer is None
        and not proto._locked
        and proto.transport is not None
    )


cpdef int write_straight(object transport, bytes data, object socket) except -1:
    """Do what `ampkit.twisted._writing.write` does."""
    if transport is socket and not transport.TLS:
        transport._tempDataBuffer.append(data)
        transport._tempDataLen += len(data)
    else:
        transport.write(data)
    return 0
