"""Sensors and long recordings, window by window: what ``Model.live`` and ``Model.join`` run on.

``feeds/`` makes complete windows of what comes in pieces; the rest hands them to the model and their vectors
to the caller. docs/streams.md.
"""
