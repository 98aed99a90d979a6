// Tradechat-loadgen loads a tradechat server and judges it.
package main

import (
	"os"

	"tradechat.internal/loadgen/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
