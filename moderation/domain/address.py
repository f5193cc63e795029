"""Network addresses as keyed hashes: the same address gives the same one within a site, and none leads back."""

import hashlib
import hmac
import ipaddress

PREFIX = "h:"
_LENGTH = 32


def counted(address: str) -> str:
    """The address that a caller counts by: IPv6 by its /64, since one line has all of it; what is none stays."""
    try:
        known = ipaddress.ip_address(address.strip())
    except ValueError:
        return address.strip()
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is None:
        return str(ipaddress.ip_network((known.packed, 64), strict=False).network_address)
    return str(getattr(known, "ipv4_mapped", None) or known)


def hashed(secret_key: str, site_id: str, address: str | None) -> str | None:
    """What is kept of an address; None for none."""
    if not address or not address.strip():
        return None
    said = f"comment address {site_id} {counted(address)}".encode("utf-8", "surrogatepass")
    return PREFIX + hmac.new(secret_key.encode(), said, hashlib.sha256).hexdigest()[:_LENGTH]
