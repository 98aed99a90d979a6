// Package measure finds the figures that the project reports. Each measurement starts the real programs as processes,
// drives them over loopback sockets, reads what the kernel knows of them, and stops them again.
//
//	echo        CPU a request, against a bare gnet echo, in turns        closedloop, echoserver, procfs
//	idlememory  resident memory of a connection that does nothing       session, procfs
//	respawn     from the kill of a worker to its successor's first answer   session, procfs, the admin socket
//	allocs      heap allocations a request                               closedloop, procfs, the runtime's gctrace
//	gobench     the Go benchmarks of the libraries                       the go tool
//
// # Invariants
//
//   - A measurement returns a result only if everything that it did was right, the audit at the server's stop included.
//   - Whatever happens, the processes, folders and segments that it made are gone when it returns.
//   - What is compared is measured in the same run, in turns.
package measure
