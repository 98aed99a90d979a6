// Command tradechat-proof shows on real processes that tradechat holds.
package main

import (
	"os"

	"tradechat.internal/proof/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
