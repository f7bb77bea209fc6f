"""How a data set is put to a model: a file a protocol."""
