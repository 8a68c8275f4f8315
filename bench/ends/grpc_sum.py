"""gRPC, `grpc.aio` on a unix socket: what generated code does, with messages from a description made at run time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from bench.ends.end import Load, by_tasks, main, ready
from bench.job import Job

INTEGER, ONE = 3, 1  # descriptor_pb2.FieldDescriptorProto.TYPE_INT64 and LABEL_OPTIONAL


def messages() -> tuple[Any, Any]:
    """The classes of the message that asks and the one that answers."""
    file = descriptor_pb2.FileDescriptorProto(name="sum.proto", package="bench", syntax="proto3")
    for name, fields in {"Numbers": ("a", "b"), "Total": ("total",)}.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields, 1):
            message.field.add(name=field, number=number, type=INTEGER, label=ONE)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    numbers, total = (pool.FindMessageTypeByName(f"bench.{name}") for name in ("Numbers", "Total"))
    return message_factory.GetMessageClass(numbers), message_factory.GetMessageClass(total)


Numbers, Total = messages()


async def respond(request: Any, _: Any) -> Any:
    """Add."""
    return Total(total=request.a + request.b)


async def serve(address: str, _: str) -> None:
    """Answer until SIGTERM."""
    handler = grpc.unary_unary_rpc_method_handler(
        respond, request_deserializer=Numbers.FromString, response_serializer=Total.SerializeToString
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("bench.Calculator", {"Sum": handler})])
    server.add_insecure_port(f"unix:{address}")
    await server.start()
    ready()
    await server.wait_for_termination()


@asynccontextmanager
async def connect(address: str, job: Job) -> AsyncGenerator[Load]:
    """Open one channel."""
    async with grpc.aio.insecure_channel(f"unix:{address}") as channel:
        call = channel.unary_unary(
            "/bench.Calculator/Sum",
            request_serializer=Numbers.SerializeToString,
            response_deserializer=Total.FromString,
        )

        async def ask() -> None:
            reply = await call(Numbers(a=13, b=81))
            if reply.total != 94:
                raise ValueError(reply)

        yield by_tasks([ask] * job.outstanding)


if __name__ == "__main__":
    main(serve, connect)
