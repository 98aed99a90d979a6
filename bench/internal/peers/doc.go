// Package peers measures tradechat beside other servers on the same machine, in the same run, in turns (A B A B …).
//
//	class        tradechat            its rivals
//	on disk      --durability sync    Redis appendfsync always, PostgreSQL synchronous_commit on
//	soon on disk --durability async   Redis appendfsync everysec, PostgreSQL synchronous_commit off
//	in memory    --durability none    Redis without a file, its GET, NATS request and reply, two echoes
//	fan-out      a room of N          a NATS subject with N subscribers
//
// All are driven by the same client: one thread, one epoll set, the same number of connections and of requests of each under
// way (closedloop), and then at one rate that all of a class can hold (openloop). What differs is an Exchange for each protocol:
// requests are bytes that were made beforehand where they never change, answers are checked.
//
//	bench ──▶ rival.Start ── a process of its own on loopback, in a folder of its own
//	  │         Connect   ── n sockets with their Exchanges, ready to drive
//	  │         PIDs      ── all its processes: processor time and memory are theirs together
//	  ╰──────── Check     ── its own count of what was done is what was sent; then Stop
//
// # Invariants
//
//   - A rival whose program is missing is skipped, with a word on why; whatever else goes wrong ends the run.
//   - Rivals of a class run at the same time, and are idle but for the one whose turn it is.
//   - Ratios are of one round's neighbours. Whatever happens, processes and folders are gone when Run returns.
package peers
