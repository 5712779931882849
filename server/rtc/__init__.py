"""Sound over WebRTC: RTP, Opus, ICE and DTLS of a call.

Knows nothing of sessions, tenants or HTTP. `rtp`, `receiving` and `sending` are pure: packets and
the time go in, what to do comes out. `opus` is the codec, `voice` the shell around these four.
"""
