"""bind-tiny: a small model that binds six modalities, its world of events, its training."""
