package moneycheck

// unknownMax bounds the unknown requests that a book keeps for TXN_STATUS; what comes after them counts as an interval
// at once.
const unknownMax = 1 << 18
