"""The page and the HTTP API: what a browser and other programs see of the assistants of this machine.

`house` holds what all requests share, `access` decides who comes in, `errors` puts failures into each API's shape,
`dialects` speaks the APIs, `pages` makes the page, `app` puts it together, `running` listens. Knows the verbs below and
HTTP; nothing of terminals. Its modules need the extra `serve`, and only `cli/commands/serve.py` imports them.
A new API is a module of `dialects` with a `router(house)`, named in `app`.
"""
