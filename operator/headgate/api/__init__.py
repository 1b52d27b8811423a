"""The API of Headgate: what a ModelDeployment may say, and what it means when it is silent.

Lowest layer. Everything above reads a manifest through these models; the CRD is made from them.
"""
