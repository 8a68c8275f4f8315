"""The pieces of `ampkit demo`, one idea a file; read `commands` first, then `server` and `client`."""
