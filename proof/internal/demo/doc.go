// Package demo shows the whole main job on real connections: a server of several workers under a mixed load of chat and
// money, one of them killed in the middle, and at the end the verdicts of everybody who keeps the books.
//
//	server ──ready──▶ load ──half time──▶ kill -9 ──▶ successor ──▶ load ends ──▶ metrics ──▶ stop ──▶ verdicts
//
// Every step that fails is a verdict, too: what can still be shown is shown, and what was started is stopped.
package demo
