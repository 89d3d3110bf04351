"""What is known about models before their weights are opened; :mod:`..catalogue` puts it together."""
