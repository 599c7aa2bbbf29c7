"""Cedar behind the access port."""
