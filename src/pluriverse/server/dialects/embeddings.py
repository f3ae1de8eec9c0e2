"""OpenAI's embeddings: POST /v1/embeddings, by a model that embeds, such as all-minilm-l6-v2.

Knows that API's bodies and answers.
"""

import base64
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from ..asking import workspace_for
from ..embedding import embedded
from ..house import House
from ..speaking import Body, Name
from ..streaming import while_connected


class Asked(Body):
    model: Name
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    user: str | None = None


def router(house: House) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/embeddings")
    async def embeddings(body: Asked, request: Request) -> Response:
        texts = [body.input] if isinstance(body.input, str) else body.input
        found = await while_connected(request, embedded(workspace_for(house, request), body.model, texts))
        if isinstance(found, Response):
            return found
        vectors, tokens = found
        coded = body.encoding_format == "base64"
        rows: list[Any] = [base64.b64encode(each.tobytes()).decode() if coded else each.tolist() for each in vectors]
        data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(rows)]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return JSONResponse({"object": "list", "data": data, "model": body.model, "usage": usage})

    return routes
