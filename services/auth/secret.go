package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Secret is AUTH_KEY_SECRET. It is never used itself, only keys derived from
// it, each for one purpose.
type Secret string

// The purposes of derived keys. Changing one makes all that it protects
// unreadable.
const (
	forSigningKey = "parley auth: seal signing key"
	forCodes      = "parley auth: verification codes"
	forNames      = "parley auth: names in redis"
)

// derive makes a key of 32 bytes.
func (s Secret) derive(purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(s), nil, purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return key, nil
}

// errUnsealed says that what was sealed can't be read.
var errUnsealed = errors.New("sealed under another secret, or damaged")

// seal encrypts with AES-256-GCM under a derived key; label must be the same
// to open it.
func (s Secret) seal(purpose, label string, plain []byte) ([]byte, error) {
	aead, err := s.aead(purpose)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, []byte(label)), nil
}

func (s Secret) unseal(purpose, label string, sealed []byte) ([]byte, error) {
	aead, err := s.aead(purpose)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errUnsealed
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(label))
	if err != nil {
		return nil, errUnsealed
	}
	return plain, nil
}

func (s Secret) aead(purpose string) (cipher.AEAD, error) {
	key, err := s.derive(purpose)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return cipher.NewGCM(block)
}

// mac is an HMAC-SHA256 over the parts, as text. Their lengths keep them
// apart.
func mac(key []byte, parts ...string) string {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
