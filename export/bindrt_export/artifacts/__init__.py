"""The artifacts that a bundle is made of, each with the recipe that makes it.

``store`` finds, takes over, makes and records them. ``float32`` makes the graph of an encoder. All others are
made from such a graph: ``cpu_precision`` is another precision of it, ``openvino`` and ``tensorrt`` are what
these engines need. ``recipes`` lists which of these a request asks for.
"""
