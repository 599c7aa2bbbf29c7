"""Health: from a ward page to an altered laboratory result, over HL7 v2 and MLLP."""
