"""Calls over HTTP inside trials: each is traced, limited, and answered from the record where that is wanted.

What is covered are clients on httpx and httpx2, whichever library brings them. Outside of a trial nothing changes.
"""
