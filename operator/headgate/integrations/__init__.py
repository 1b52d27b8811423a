"""What Headgate works together with beyond Kubernetes and Prometheus; each part is optional, and
what it needs is an extra of the package."""
