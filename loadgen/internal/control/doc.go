// Package control is what a run asks of the server outside of the load: what realm it is, accounts and rooms before
// it, the outcome of unanswered requests and the final balances after it. Its connections are blocking, with one request
// at a time.
package control
