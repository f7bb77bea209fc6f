"""``bind-embed`` in shards: inputs in blocks, a file of rows for each, in this process or on a cluster."""
