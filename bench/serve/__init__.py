"""``bind-serve`` beside the same pipeline in the process: throughput, added latency, held connections."""
