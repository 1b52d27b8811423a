"""Load for a model server: `generator` sends real rows and records every answer, `report` counts.

Used by the demonstration and by the tests on a cluster; by hand it is `python -m hack.load`.
"""
