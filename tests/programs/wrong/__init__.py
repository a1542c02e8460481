"""What users must not write: each program is refused with the words of its first line."""
