// Package trust reads the certificates of authorities that a private network
// has of its own.
package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Roots are the system's authorities and those of the PEM file; nil, which
// for crypto/tls means the system's, when file is empty. The caller names the
// setting in errors.
func Roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file has no certificate in PEM")
	}
	return pool, nil
}
