//go:build !race

package libnet

const raceDetector = false
