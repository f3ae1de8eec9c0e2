"""How long a test waits for what must come: longer than any machine takes, so that only a hang is told as one."""

PATIENCE_S = 300.0
