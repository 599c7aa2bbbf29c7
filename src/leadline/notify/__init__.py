"""What leaves an installation to tell somebody: mail, webhooks, feeds. None of it says what it is about."""
