"""What an export writes around the artifacts: manifest, tokenizer, licence and report; and where it works."""
