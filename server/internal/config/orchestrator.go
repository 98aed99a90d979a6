package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// OrchestratorVariables are the names in environ that begin like a setting and are none: Kubernetes puts the addresses of every
// service into the environment of every container, and Docker those of linked containers. For a service that is called
// "tradechat", or "tradechat-something", these begin with TRADECHAT_:
//
//	TRADECHAT_SERVICE_HOST=10.0.0.9            TRADECHAT_PORT=tcp://10.0.0.9:7878
//	TRADECHAT_SERVICE_PORT=7878                TRADECHAT_PORT_7878_TCP=tcp://10.0.0.9:7878
//	TRADECHAT_SERVICE_PORT_CHAT=7878           TRADECHAT_PORT_7878_TCP_ADDR=10.0.0.9   … _PORT  … _PROTO
//	TRADECHAT_NAME=/web/tradechat              TRADECHAT_ENV_PATH=/bin
//
// Name and value must both be of that kind. TRADECHAT_PORT=7878 is a person's mistake, and stays one.
func OrchestratorVariables(environ []string) (names []string) {
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && isOrchestrators(name, value) {
			names = append(names, name)
		}
	}
	return names
}

func isOrchestrators(name, value string) bool {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(EnvPrefix, "_"))
	if !ok || rest == "" || rest[0] != '_' {
		return false
	}
	switch {
	case strings.HasSuffix(rest, "_SERVICE_HOST"):
		return isAddress(value)
	case strings.Contains(rest, "_SERVICE_PORT"):
		return isPort(value)
	case rest == "_NAME":
		return strings.HasPrefix(value, "/")
	case strings.HasPrefix(rest, "_ENV_"):
		return true
	case strings.HasSuffix(rest, "_PORT") && isEndpoint(value):
		return true
	}
	return isPortVariable(rest, value)
}

// isPortVariable reports whether rest ends with PORT_<number>_<protocol>, or with a part of that endpoint.
func isPortVariable(rest, value string) bool {
	words := strings.Split(rest, "_")
	at := len(words) - 3
	part := words[len(words)-1]
	switch part {
	case "ADDR", "PORT", "PROTO":
		at--
	}
	if at < 1 || words[at] != "PORT" || !isPort(words[at+1]) || !isProtocol(words[at+2]) {
		return false
	}
	switch part {
	case "ADDR":
		return isAddress(value)
	case "PORT":
		return isPort(value)
	case "PROTO":
		return isProtocol(strings.ToUpper(value))
	}
	return isEndpoint(value)
}

func isProtocol(word string) bool { return word == "TCP" || word == "UDP" || word == "SCTP" }

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// isEndpoint reports whether text is like tcp://10.0.0.9:7878.
func isEndpoint(text string) bool {
	at, err := url.Parse(text)
	return err == nil && isProtocol(strings.ToUpper(at.Scheme)) && isAddress(at.Hostname()) && isPort(at.Port())
}
