"""
What the cluster and the caller see, from the server's side and the client's.
"""
