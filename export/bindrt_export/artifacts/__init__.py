"""The artifacts that a bundle is made of, each with the recipe that makes it.

``store`` finds, takes over, makes and records them. ``float32`` makes the graph of an encoder. All others are
made from such a graph: ``cpu_precision`` is another precision of it, ``graph_engine`` shows that an engine
runs it, ``tensorrt`` builds a plan. ``recipes`` lists which of these a request asks for.
"""
