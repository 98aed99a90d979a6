// Package version holds what the build knows of itself. The linker sets the variables:
//
//	go build -ldflags "-X tradechat.internal/liblog/version.Version=… -X tradechat.internal/liblog/version.Commit=…"
package version

import "runtime"

var (
	Version = "dev"     // git describe
	Commit  = "unknown" // full hash
)

// String is what every program prints for --version, after its own name.
func String() string {
	return Version + " (commit " + Commit + ", " + runtime.Version() + ")"
}
