// Package version says what the server calls itself.
package version

import "tradechat.internal/liblog/version"

// Agent is the server's name in HELLO and in its statistics.
var Agent = "tradechatd/" + version.Version
