// Command tradechatd is the server: a master process and its workers, which are this same program started again.
package main

import (
	"os"

	"tradechat.internal/server/internal/heritage"
)

func main() {
	if heritage.Inherited() {
		os.Exit(runChild())
	}
	os.Exit(runMaster(os.Args[1:], os.Stdout, os.Stderr))
}
