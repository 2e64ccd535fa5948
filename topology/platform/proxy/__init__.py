"""A drop-in for Toxiproxy 2.12: the same HTTP API, the same toxics, the same effects on the wire.

`server` is the program; `api` answers its HTTP API; `proxies` and `proxy` are what that API is about; `connection`,
`link` and `stub` carry the bytes; `toxics` holds one file for each toxic.
"""

#: Of the Toxiproxy whose API and effects these are.
VERSION = "2.12.0"
