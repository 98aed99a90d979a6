// Package capi is liblog for C: the functions of include/tradechat/log.h. calls.c is what C sees, exports_unsafe.go where Go is
// entered, open.go a log that C has; then event_unsafe.go and sink.go.
package capi
