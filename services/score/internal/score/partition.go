package score

// Partition returns the partition, from 0 to count-1, that decides for a live: FNV-1a 64 of its id modulo count. It must
// never change: the logs depend on it.
func Partition(liveID string, count int) int {
	h := uint64(14695981039346656037)
	for i := range len(liveID) {
		h = (h ^ uint64(liveID[i])) * 1099511628211
	}
	return int(h % uint64(count))
}
