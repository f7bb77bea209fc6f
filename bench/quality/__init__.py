"""What a bundle of bind-tiny knows of scenes it has never seen."""
