"""What leaves in an answer: the filter that a return annotation is, and private fields, which never leave."""
