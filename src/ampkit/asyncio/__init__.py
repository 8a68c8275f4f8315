"""AMP for asyncio programs: sockets, tasks and time around the core; imports nothing of Twisted."""
