package auth

// HashPart is for tests that look into the store.
var HashPart = hashPart
