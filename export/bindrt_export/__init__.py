"""bindrt_export: checkpoints to bundles. The only code of the project that imports torch."""
