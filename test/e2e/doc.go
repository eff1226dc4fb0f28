// Package e2e is the acceptance test: scenarios of the product, played through its doors against a running stack.
//
// By itself it builds the binary and runs `faceoff dev` on free ports. With FACEOFF_E2E_URL it plays against the stack there:
//
//	FACEOFF_E2E_URL     base URL of REST, http://127.0.0.1:8080
//	FACEOFF_E2E_GRPC    address of gRPC, 127.0.0.1:9090
//	FACEOFF_E2E_NATS    URL of NATS, nats://127.0.0.1:4222
//	FACEOFF_E2E_KEY     API key
//	FACEOFF_E2E_SECRET  its secret
//	FACEOFF_E2E_REDIS   URL of Redis; without it the scores in Redis are not looked at
//
// That stack must allow battles of one second (battle's --min-duration 1s). FACEOFF_BIN names a binary to use instead of
// building one. The tests that kill a process always run one of their own.
package e2e
