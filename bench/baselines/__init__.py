"""What the figures are compared with: small programs that do the least that could be called the same."""
