"""How a run is shown: observers of the engine's events, and what makes text fit to be shown."""
