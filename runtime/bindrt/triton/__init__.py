"""The Python models of a model repository for NVIDIA Triton; ``bind-export --triton`` writes one.

Each ``model.py`` of the repository imports the ``TritonPythonModel`` of one of these files. They run in the
processes of Triton's Python backend, which brings ``triton_python_backend_utils``. docs/triton.md.
"""
