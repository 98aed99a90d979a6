// Command print prints the version that the linker set.
package main

import (
	"fmt"

	"tradechat.internal/liblog/version"
)

func main() { fmt.Println(version.String()) }
