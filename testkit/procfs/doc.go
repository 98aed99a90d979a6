// Package procfs reads what the kernel knows of other processes: their processor time, their resident memory, and which
// connections they hold. It asks nothing of the processes themselves, so they are measured as they are (proc(5)).
package procfs
