"""Many files: plain ``bind-embed`` beside Ray and Daft."""
