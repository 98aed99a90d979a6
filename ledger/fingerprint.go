package ledger

// Fingerprint stands for the contents of a request: its kind and all its legs. A posting carries that of the request which it
// is a part of, so that the log alone tells whether a retry asks for the same again. It keeps a client from a mistake of its
// own, not from an attack: it has no key.
type Fingerprint uint64

// BeginFingerprint is the fingerprint of a request with so many legs, none of which is in it yet.
func BeginFingerprint(kind Kind, legs uint32) Fingerprint {
	return Fingerprint(kind)<<32 | Fingerprint(legs)
}

// With is the fingerprint with the next leg in it.
func (f Fingerprint) With(peer uint32, amount uint64) Fingerprint {
	return (f.mix(uint64(peer))).mix(amount)
}

// mix is a round of splitmix64: each bit of either changes half of the result's.
func (f Fingerprint) mix(word uint64) Fingerprint {
	h := (uint64(f) + 0x9e3779b97f4a7c15) ^ word
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return Fingerprint(h ^ h>>31)
}

// fingerprintFits tells whether a posting can carry the fingerprint that it does: an admin's has none, nor has one of a
// version 1 journal, and a single request is known whole.
func (r *Record) fingerprintFits() bool {
	switch {
	case r.SessionID == 0:
		return r.Fingerprint == 0
	case r.Legs == 1:
		return r.Fingerprint == 0 || r.Fingerprint == BeginFingerprint(r.Kind, 1).With(r.Peer, r.Amount)
	}
	return true
}
