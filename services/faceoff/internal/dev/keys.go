package dev

// Key and Secret sign tokens on a development stack. Everybody knows them: they open only what listens on loopback.
const (
	Key    = "devkey"
	Secret = "faceoff-development-secret-for-loopback-only"
)
