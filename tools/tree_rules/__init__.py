"""The rules that tools/check_tree.py checks, a file for each kind of rule."""
