"""Refuses a request whose body is too large: by its declared length before any of it is read, else as soon as too much has come."""

from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suggest import problems


class BodyLimit:
    """ASGI middleware. Plain, for a wrapper with a task of its own costs more than answering."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 413."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if declared.isdigit():
            if int(declared) > self._max_bytes:
                return await self._refuse(scope, receive, send)
            return await self._app(scope, receive, send)  # the server itself reads no more than was declared
        read = await self._read(receive)
        if read is None:
            return await self._refuse(scope, receive, send)
        return await self._app(scope, _again(read, receive), send)

    async def _read(self, receive: Receive) -> deque[Message] | None:
        """What came until the body's end; None once it is too much."""
        messages: deque[Message] = deque()
        n_bytes = 0
        while True:
            message = await receive()
            messages.append(message)
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._max_bytes:
                return None
            if message["type"] != "http.request" or not message.get("more_body", False):
                return messages

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = problems.problem(413, "body_too_large", "body too large", f"expected at most {self._max_bytes} bytes")
        await refusal(scope, receive, send)


def _again(messages: deque[Message], receive: Receive) -> Receive:
    async def receive_again() -> Message:
        return messages.popleft() if messages else await receive()

    return receive_again
