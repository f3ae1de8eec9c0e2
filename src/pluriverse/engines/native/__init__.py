"""The engine's library built on this machine, for its processor: got, compiled, proved, kept and chosen."""
