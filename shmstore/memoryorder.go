package shmstore

import "sync/atomic"

// On amd64 a plain store becomes visible after all earlier stores of its processor
// (Intel SDM, volume 3, 8.2.2), and Go's compiler keeps the order of stores to memory. So a
// plain store publishes what was written before it, where sync/atomic would also
// wait until it is visible: that wait is most of what an uncontended transfer costs.

// published is a word that one process at a time stores, under a lock, and that any
// process may load.
type published struct{ v uint64 }

func (p *published) Load() uint64   { return atomic.LoadUint64(&p.v) }
func (p *published) Store(v uint64) { p.v = v }

// storeRelease frees a lock's word.
func storeRelease(word *uint32) { *word = 0 }
