"""What a person sees of a ModelDeployment: status, spec and pods become lines of text.

Pure: values in, lines out, the time is an argument. Above `headgate.core`, whose steps and words
it uses; `headgate.cli` reads the cluster, and draws the lines.
"""
