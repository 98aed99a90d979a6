// Package capi is libnet for C: the functions of include/tradechat/net.h. calls.c is what C sees, exports_unsafe.go where Go is
// entered; then dial.go, listen.go, errors.go.
package capi
