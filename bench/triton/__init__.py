"""A repository of ``bind-export --triton`` on the real server: both forms, and many instances beside one."""
