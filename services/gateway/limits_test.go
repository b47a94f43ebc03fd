package gateway

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

// TestOpenRedis_trusts_the_CA_file, and nobody else.
func TestOpenRedis_trusts_the_CA_file(t *testing.T) {
	https := httptest.NewTLSServer(nil) // it has a certificate for loopback
	defer https.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: https.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := miniredis.RunTLS(&tls.Config{Certificates: https.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.RequireAuth("p")
	ping := func(url, ca string) error {
		client, err := openRedis(url, ca)
		if err != nil {
			return err
		}
		defer client.Close()

		return client.Ping(t.Context()).Err()
	}
	eventually(t, "trusted", func() bool { return ping("rediss://:p@"+server.Addr(), ca) == nil })
	eventually(t, "refused without the file", func() bool {
		err := ping("rediss://:p@"+server.Addr(), "")
		return err != nil && strings.Contains(err.Error(), "unknown authority")
	})
	if err := ping("redis://:p@"+server.Addr(), ca); err == nil || !strings.Contains(err.Error(), "REDIS_CA_FILE") {
		t.Errorf("without TLS: %v", err)
	}
	if err := ping("rediss://:p@"+server.Addr(), ca+".none"); err == nil || !strings.Contains(err.Error(), "REDIS_CA_FILE") {
		t.Errorf("without a file: %v", err)
	}
}
