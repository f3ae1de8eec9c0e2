"""The Python surface: the public verbs in `asynchronous`, a thin twin of them without `await` in `synchronous`.

Knows the verbs of the rooms below; nothing of terminals or JSON. Which names are public stands in
`pluriverse/__init__.pyi`. A new verb is a method of `asynchronous.Pluriverse` and a line of its twin.
"""
