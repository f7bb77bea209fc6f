"""Whether vectors are what torch computes: the probes, torch's run of them, the comparison; and retrieval."""
