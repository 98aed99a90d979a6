// Command mutants seeds bugs in the product and sees that the checks catch each of them: a check that cannot fail proves
// nothing.
//
//	mutant (table.go)    a file of the product, and a text in it that is replaced: one wrong store, one order turned round
//	   │ go test -c -overlay: the compiler reads the changed file in place of the real one, which is not touched
//	   ▼
//	checks (checks.go)   one after the other, until one fails: kills, unit tests, processes that stand still, journal, server
//	   │
//	   ▼
//	table                mutant, which check caught it, in how long; exit status 1 if any survived
//
// Nothing of this is in the product, so a build is the same with it and without it. What it costs is that a text can go out of
// date: then the test beside this file says so.
//
// First all checks run on the product as it is. If one fails there is nothing to be learnt, and the exit status is 2.
package main
