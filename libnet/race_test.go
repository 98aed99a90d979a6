//go:build race

package libnet

// The race detector's hooks in x/sys/unix let buffers escape, so allocations are counted without it only.
const raceDetector = true
