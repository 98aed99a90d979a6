// Package role is the table of what child processes there are. The master starts, watches, replaces and ends all of them by the same
// code; how they differ is a row of Table.
//
//	row          slots            starts                        ends
//	log writer   workers + 1      first, alone: it settles      last
//	                              what the segment holds
//	worker       0 … workers-1    once the row before is ready  first
//
// # Order
//
// The order of the rows is the order of the start. A stop goes through them backwards: the processes of a row are asked to end once all
// those of later rows are gone and repaired after. So whatever a process needs of others stands in a row before its own.
//
// # Adding a role
//
// One row here, and its run function in the table of server/cmd/tradechatd (children.go). A role has a slot of its own in the segment:
// shmstore's Shape.Slots counts them. Tests hold the three together.
package role
