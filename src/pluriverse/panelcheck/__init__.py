"""How plural a panel is on a base: everybody answers the same questions, and a judge tries to tell them apart."""
