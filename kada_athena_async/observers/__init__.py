"""Display of a run: observers of the engine's events, and text made fit to be shown."""
