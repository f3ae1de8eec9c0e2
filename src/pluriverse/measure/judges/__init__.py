"""Models as judges of responses: their prompts, their validation on labelled texts, their verdicts, and the
correction for what they get wrong.
"""
