# What stands for the functions of `ampkit.schema.compiler` and `ampkit.schema.mapping`; it asks these for the careful way.

def make_encoder(owner, fields, head=b""):
    """Return what the function of this name in `ampkit.schema.compiler` does."""
    from ampkit.schema.compiler import NestedError, careful_encoder
    return Encoder(head, parts_of(fields), *careful_encoder(owner, fields, head), NestedError)


def make_decoder(record, fields):
    """Return what the function of this name in `ampkit.schema.compiler` does."""
    from ampkit.schema.compiler import NestedError, careful_decoder, is_checked
    return RecordDecoder(record, parts_of(fields), *careful_decoder(record, fields), NestedError, is_checked(record))


def make_mapping_encoder(fields, first, head, *, closed):
    """Return what the function of this name in `ampkit.schema.mapping` does."""
    return MappingEncoder(parts_of(fields), first, head, closed)


def make_mapping_decoder(fields):
    """Return what the function of this name in `ampkit.schema.mapping` does."""
    return MappingDecoder(parts_of(fields))


def make_caller(fields):
    """Return what the function of this name in `ampkit.schema.mapping` does."""
    from ampkit.schema.mapping import UNUSUAL
    return Caller(parts_of(fields), UNUSUAL)


def make_plan(encode, decode_response):
    """Return how a command is asked, by its encoder and the decoder of its response, which is None without one."""
    return Plan(encode, decode_response)


def make_quickly(record):
    """Let instances of a record be made here from now on, unless its class looks at what they are made of.

    Call it when the class has been made: an `__init__` that is put on it later is not what is replaced here.
    """
    from dataclasses import fields

    from ampkit.schema.compiler import is_checked
    if not is_checked(record):
        members = fields(record)
        if not takes_only(record.__init__, members):
            return
        install_maker(record, tuple([each.name for each in members]), [default_of(each) for each in members])


cdef bint takes_only(init, members) except -1:
    """Say whether a generated `__init__` has these fields as its parameters, by keyword, and no more."""
    code = init.__code__
    return code.co_argcount == 1 and code.co_kwonlyargcount == len(members) and all([each.init for each in members])


cdef list parts_of(fields):
    from ampkit.schema import scalars
    kinds = {
        scalars.Integer: INTEGER,
        scalars.Text: TEXT,
        scalars.Bytes: BYTES,
        scalars.Float: FLOAT,
        scalars.Boolean: BOOLEAN,
    }
    return [part_of(field, kinds) for field in fields]


cdef Part part_of(field, dict kinds):
    from ampkit.schema.compiler import takes_carrier
    argument = field.argument
    if takes_carrier(argument):
        return Part(field, CARRIED, argument.encode_with, argument.decode_with)
    return Part(field, kinds.get(type(argument), CALLED), argument.encode, argument.decode)


cdef tuple default_of(member):
    from dataclasses import MISSING
    if member.default_factory is not MISSING:
        return True, member.default_factory
    return None if member.default is MISSING else (False, member.default)
