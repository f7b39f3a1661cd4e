"""The page on how good the answers are: feedback, evaluations, what to fix."""
