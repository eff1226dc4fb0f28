// Package cluster runs the product as it runs in production, every part a process of its own that can be killed, paused, cut off and started again.
package cluster

// Doors is where clients reach a cluster. All but what is said to be direct can be cut off.
type Doors struct {
	REST []string // base addresses, one per gateway: http://127.0.0.1:1
	GRPC []string // addresses, one per gateway: 127.0.0.1:1
	NATS []string // one URL per node: nats://127.0.0.1:1

	Key, Secret string // sign tokens

	RedisAddr  string   // direct, for checks: 127.0.0.1:1
	NATSDirect []string // direct, for checks: one URL per node
}
