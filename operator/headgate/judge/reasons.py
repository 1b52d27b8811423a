"""The reasons of checks and of verdicts, as status shows them."""

SHARED_FAILURE = "SharedFailure"
SUSPICION = "Suspicion"
TOO_FEW_SAMPLES = "TooFewSamples"
WITHIN_LIMIT = "WithinLimit"
NOT_APPLICABLE = "NotApplicable"
HOLDING = "Holding"
NO_DATA = "NoData"
NOT_CRITICAL = "NotCritical"
WORSE_THAN_STABLE = "WorseThanStable"
PREDICTION_DRIFT = "PredictionDrift"
NO_WORSE_THAN_STABLE = "NoWorseThanStable"

INCONCLUSIVE = (NOT_CRITICAL, SHARED_FAILURE, SUSPICION, NO_DATA, TOO_FEW_SAMPLES)
"""Reasons for which measurements give no verdict, the one that says most first."""
