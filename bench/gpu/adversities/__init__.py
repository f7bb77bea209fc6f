"""What may go wrong with a GPU, each in a process of its own, and what must come of it.

They run on the machine's GPU and over the simulated driver.
"""
