"""The live door: OpenAI Realtime over WebSocket, and what belongs to it over HTTP."""
