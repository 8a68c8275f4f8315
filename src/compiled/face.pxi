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
        cdef dict attributes = attributes_of(proto, NULL)
        cdef bint has_taken = False
        while not (own(attributes, proto, "_pausedByProgram") or own(attributes, proto, "_holding")):
            if len(attributes) != <Py_ssize_t>own(attributes, proto, "_known"):
                break
            decoder._go_behind()
            if decoder._partial is not None or decoder._wanted or decoder._at == PyBytes_GET_SIZE(decoder._data):
                break
            if not own(attributes, proto, "_keepsSeams") or own(attributes, proto, "boxReceiver") is not proto:
                break
            if not self._take_where_it_lies(proto, attributes, decoder):
                strings = decoder._walk()
                if strings is None:
                    break
                if not self.take(proto, strings):
                    self.deliver(proto, strings)
            has_taken = True
        return has_taken

    cdef bint _take_where_it_lies(self, object proto, dict attributes, Decoder decoder) except -1:
        """Take a box without a dictionary of it; or leave it as it was, and return false, if anything is unusual."""
        cdef Walk walk
        cdef bytes data = decoder._data  # kept: the garbage collector may run anything, and that may feed the decoder
        start(&walk, PyBytes_AS_STRING(data), decoder._at, PyBytes_GET_SIZE(data))
        if not is_within(walk, decoder._max_keys, decoder._max_bytes) or not next_pair(&walk):
            return False
        if is_key(&walk, "_answer", 7):
            return self._take_answer_there(proto, attributes, decoder, data, &walk)
        return self._take_ask_there(proto, attributes, decoder, data, &walk)

    cdef bint _take_answer_there(
        self, object proto, dict attributes, Decoder decoder, bytes data, Walk* walk
    ) except -1:
        cdef bytes tag = PyBytes_FromStringAndSize(<const char*>walk.value, walk.value_size)
        outstanding = own(attributes, proto, "_outstandingRequests")
        question = found_in(outstanding, tag)
        if type(question) is not self.question:
            return False
        decode = question.decodeResponse
        if type(decode) is not MappingDecoder or not (<MappingDecoder>decode).is_flat:
            return False
        response = (<MappingDecoder>decode).from_bytes(walk)
        outstanding = own(attributes, proto, "_outstandingRequests")
        if response is None or found_in(outstanding, tag) is not question:  # given up meanwhile
            return False
        if not went_on(decoder, data, walk):
            return False
        del outstanding[tag]
        self._settle(proto, question, response)
        return True

    cdef bint _take_ask_there(self, object proto, dict attributes, Decoder decoder, bytes data, Walk* walk) except -1:
        cdef object tag = None
        if is_key(walk, "_ask", 4):
            tag = PyBytes_FromStringAndSize(<const char*>walk.value, walk.value_size)
            next_pair(walk)
        if not is_key(walk, "_command", 8) or own(attributes, proto, "locator") is not proto:
            return False
        known = found_in(proto._commandDispatch, key_of(walk.value, walk.value_size))
        if known is None:
            return False
        command, function = known
        straight = found_in(own(attributes, proto, "_straights"), command)
        respond = None if straight is None else straight.respond
        if type(respond) is not Caller or not (<Caller>respond).is_flat:
            return False
        values = values_at((<Caller>respond).parts, walk, proto)
        if values is None or not went_on(decoder, data, walk):
            return False
        try:
            result = (<Caller>respond).call(function, values)
        except BaseException:
            result = self.failure()
        if not self._answer(proto, straight, tag, result):
            self.otherwise(proto, result, function, command, box_from(walk))
        return True

    def take(self, proto, dict strings):
        """Take a box, and return true; or leave it as it was, and return false."""
        tag = strings.get(b"_answer")
        return self._take_ask(proto, strings) if tag is None else self._take_answer(proto, tag, strings)

    cdef bint _take_answer(self, object proto, object tag, dict strings) except -1:
        question = found_in(proto._outstandingRequests, tag)
        response = question.decodeResponse(strings) if type(question) is self.question else None
        outstanding = proto._outstandingRequests
        if response is None or found_in(outstanding, tag) is not question:  # given up meanwhile
            return False
        del outstanding[tag]
        self._settle(proto, question, response)
        return True

    cdef int _settle(self, object proto, object question, dict response) except -1:
        self._fire(question, response)
        left = question.result
        if left is not None and (isinstance(left, self.unfinished) or question.paused):
            question.addErrback(proto.unhandledError)
        return 0

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
        if self._answer(proto, straight, tag, result):
            return True
        if result is self.unusual:
            return False
        self.otherwise(proto, result, function, command, strings)
        return True

    cdef bint _answer(self, object proto, object straight, object tag, object result) except -1:
        """Answer; or return false, and leave it to others, if anything about the result is unusual."""
        if type(result) is not dict or not may_send(proto):
            return False
        box = straight.encodeResponse(result, tag or b"")
        transport = proto.transport
        if box is None or transport is None:  # lost meanwhile
            return False
        if tag is not None:
            write_straight(transport, box, own(attributes_of(proto, NULL), proto, "_socket"))
        return True

    def ask(self, proto, command, dict values):
        """Ask, and return the question, or None if nobody waits for an answer; return `unusual` if this is no short way."""
        if not may_send(proto):
            return self.unusual
        cdef dict attributes = attributes_of(proto, NULL)
        cdef Py_ssize_t number = own(attributes, proto, "_counter") + 1
        cdef bytes tag = hexadecimal(number)
        straight = found_in(own(attributes, proto, "_straights"), command) or proto._straightOf(command)
        box = straight.encodeArguments(values, tag)
        transport = proto.transport
        if box is None or transport is None or number <= <Py_ssize_t>own(attributes, proto, "_counter"):
            return self.unusual
        if not straight.requiresAnswer:
            return proto._askStraight(straight, tag, box)
        proto._counter = number
        outstanding = own(attributes, proto, "_outstandingRequests")
        question = self.question()
        question._proto = proto
        question._tag = tag
        question._command = straight.command
        question.decodeResponse = straight.decodeResponse
        outstanding[tag] = question
        try:
            write_straight(transport, box, own(attributes, proto, "_socket"))
        except BaseException:
            del outstanding[tag]
            raise
        return question


cdef extern from "Python.h":
    object attributes_of "PyObject_GenericGetDict"(object, void*)


cdef inline object own(dict attributes, object proto, str name):
    """Return an attribute that each AMP has of its own; it is looked for where it is, and then where Python would look."""
    cdef PyObject* value = PyDict_GetItemWithError(attributes, name)
    return getattr(proto, name) if value == NULL else <object>value


cdef inline object found_in(object mapping, object key):
    """Return what a dictionary has for a key, or None; so also for what is no dictionary."""
    cdef PyObject* value = PyDict_GetItemWithError(mapping, key) if PyDict_CheckExact(mapping) else NULL
    return None if value == NULL else <object>value


cdef inline bint went_on(Decoder decoder, bytes data, Walk* walk) noexcept:
    """Let the decoder go on behind a box, if it still is where the box was begun."""
    cdef const unsigned char* begin = <const unsigned char*>PyBytes_AS_STRING(data)
    if decoder._data is not data or begin + decoder._at != walk.begin:
        return False
    decoder._at = walk.at - begin
    return True


cdef dict box_from(Walk* walk):
    """Return the box that was walked through."""
    cdef Walk again = walk[0]
    cdef dict box = {}
    again.at = walk.begin
    while next_pair(&again) and again.key_size:
        box[key_of(again.key, again.key_size)] = PyBytes_FromStringAndSize(<const char*>again.value, again.value_size)
    return box


cdef bint may_send(object proto) except -1:
    """Do what `_maySendStraight` does."""
    cdef dict attributes = attributes_of(proto, NULL)
    if own(attributes, proto, "_delivery") is None or len(attributes) != <Py_ssize_t>own(attributes, proto, "_known"):
        return proto._maySendStraight()
    return (
        own(attributes, proto, "_keepsSeams")
        and own(attributes, proto, "boxSender") is proto
        and own(attributes, proto, "_failAllReason") is None
        and own(attributes, proto, "_startingTLSBuffer") is None
        and not own(attributes, proto, "_locked")
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
