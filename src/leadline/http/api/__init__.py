"""The JSON API: FastAPI routes of a few lines each, over the use cases in `leadline.app`."""
