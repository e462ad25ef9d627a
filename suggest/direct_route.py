"""A route whose valid bodies are read and checked in one step, straight from their bytes.

Everything else goes the ordinary way: whatever is wrong with a body is told by the same words, and the documentation is the framework's.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from suggest.contract import SuggestionRequest


class SuggestionRoute(APIRoute):
    """Calls its endpoint with the `SuggestionRequest` of the body and the request; the ordinary way makes plain objects of the body first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Gives what answers a request; always the ordinary way where the endpoint asks for more than the body: a dependency may be a guard."""
        ordinary, endpoint, asked = super().get_route_handler(), self.endpoint, self.dependant
        if asked.dependencies or asked.path_params or asked.query_params or asked.header_params or asked.cookie_params:
            return ordinary

        async def handle(request: Request) -> Response:
            body = await _valid_body(request)
            if body is None:
                return await ordinary(request)
            response: Response = await endpoint(body, request)
            return response

        return handle


async def _valid_body(request: Request) -> SuggestionRequest | None:
    """The body where it is said to be JSON and nothing is wrong with it."""
    if request.headers.get("content-type") != "application/json":
        return None
    try:
        return SuggestionRequest.model_validate_json(await request.body())
    except (ValidationError, ClientDisconnect):
        return None
