# Real processes, harmed. See docs/architecture/chaos.md.

ROUNDS ?= 10

.PHONY: chaos
chaos: bin/chaos ## harm real processes while they are used and check what they did: ROUNDS=n [SEED=first] [NODES=1|3]
	@bin/chaos -rounds=$(ROUNDS) -seed=$(SEED) -nodes=$(or $(NODES),0) $(ARGS)

HOSTS ?= 100

.PHONY: hosts
hosts: bin/chaos ## kill, freeze and cut off the processes of hosts, and replicas of cohost: [HOSTS=100] [TIME=10m] [SEED=n] [NODES=1|3]
	@bin/chaos -hosts=$(HOSTS) -for=$(or $(TIME),10m) -seed=$(SEED) -nodes=$(or $(NODES),3) $(ARGS)

.PHONY: bin/chaos
bin/chaos: build bin/nats-server bin/faceoff-skewed
	tools/redis.sh
	tools/xfsprogs.sh
	go build -o $@ ./test/chaos/cmd/chaos

.PHONY: bin/faceoff-skewed
bin/faceoff-skewed: # bin/faceoff with a wall clock that can be set
	go run ./test/chaos/skew -o $@ ./services/faceoff/cmd/faceoff

.PHONY: check-chaos
check-chaos: bin/chaos ## three rounds: power cut where that can be done, a cluster, and one as it comes
	bin/chaos -seed=1 -nodes=1 -with=power-cut
	bin/chaos -seed=2 -nodes=3 -with=isolate
	bin/chaos -seed=3

.PHONY: check-hosts
check-hosts: bin/chaos ## 12 hosts for 20 s, at a tenth of the times
	$(TIMES) bin/chaos -hosts=12 -for=20s -nodes=1
