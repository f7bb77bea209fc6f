"""bindrt: ImageBind, compiled."""
