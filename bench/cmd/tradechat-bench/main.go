// Command tradechat-bench measures tradechat on real processes.
package main

import (
	"os"

	"tradechat.internal/bench/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
