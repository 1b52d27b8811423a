"""`KubeClient` on kubernetes.aio: raw JSON requests with its connection, identity and TLS."""
