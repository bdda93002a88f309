"""The workshop's part of the bench: networks as they are trained in companies."""
