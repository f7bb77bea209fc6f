"""What the pipeline itself costs, with an engine that takes a millisecond a batch by its own clock."""
