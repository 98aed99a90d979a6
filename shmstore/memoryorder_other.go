//go:build !amd64

package shmstore

// The order of plain stores that this package relies on is amd64's; see doc.go.
var _ int = "shmstore is for amd64 only"
