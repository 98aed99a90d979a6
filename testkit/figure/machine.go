package figure

import (
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tradechat.internal/liblog/version"
)

// Environment is what a figure depends on beside the program.
type Environment struct {
	Machine string    `json:"machine"` // processor
	Cores   int       `json:"cores"`
	Kernel  string    `json:"kernel"`
	Go      string    `json:"go"`
	Version string    `json:"version"`
	Commit  string    `json:"commit"`
	Load    string    `json:"load"` // average of the last minute, before the first measurement
	Date    time.Time `json:"date"` // UTC
}

// Here is the environment of this process, now. The programs that are measured are of the same build.
func Here() Environment {
	return Environment{
		Machine: processor(),
		Cores:   runtime.NumCPU(),
		Kernel:  kernel(),
		Go:      runtime.Version(),
		Version: version.Version,
		Commit:  version.Commit,
		Load:    load(),
		Date:    time.Now().UTC().Truncate(time.Second),
	}
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	return modelName(string(text))
}

// modelName is the first processor's, the architecture where the kernel names no model (arm64).
func modelName(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// load tells whether the machine was left alone (proc(5), /proc/loadavg).
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}
