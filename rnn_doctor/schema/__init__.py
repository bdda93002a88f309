"""The nouns that travel between the stages: frozen models without behaviour but reading and writing."""
