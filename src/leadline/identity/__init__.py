"""How persons show who they are: drivers for passwords, passkeys, OIDC, certificates and bound keys."""
