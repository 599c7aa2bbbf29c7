"""Finance: from a branch page to a forged authorisation, over messages like ISO 8583."""
