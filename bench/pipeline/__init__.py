"""What the pipeline costs beside the engine, measured with a simulated engine and with real ones."""
