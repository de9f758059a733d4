package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify writes a certificate of 127.0.0.1 with that serial number, and its key.
func certify(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// TestTLS: requests come over both versions of HTTP, and a certificate that is renewed counts for the next connection.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certify(t, dir, 1)
	s := settings{}
	s.Log = slog.New(slog.DiscardHandler)
	if err := s.encryption(cert, key); err != nil {
		t.Fatal(err)
	}
	r := newRoom(t, func(c *Config, _ *modelSet) { c.TLS = s.TLS }, map[string]*ear{"main": newEar(base, "x")})
	url, stop, ended := r.serving(t, time.Second)
	url = "https" + url[len("http"):]
	ask := func(serial int64, http2 bool) {
		t.Helper()
		roots := x509.NewCertPool()
		pemBytes, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		roots.AppendCertsFromPEM(pemBytes)
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
		defer tr.CloseIdleConnections()
		kind, b := body(wav(time.Second), "@file", "response_format=text")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/inference", b)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		resp, err := (&http.Client{Transport: tr}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if status, text := read(t, resp); status != http.StatusOK || text != " x\n" {
			t.Errorf("%d %s", status, text)
		}
		if got := resp.TLS.PeerCertificates[0].SerialNumber.Int64(); got != serial || (resp.ProtoMajor == 2) != http2 {
			t.Errorf("certificate %d over %s, want %d", got, resp.Proto, serial)
		}
	}
	ask(1, false)
	ask(1, true)
	certify(t, dir, 2)
	r.reload()
	ask(2, true)
	if err := os.WriteFile(key, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.reload()
	ask(2, false)
	// Who speaks plainly is told so, and nobody gets in with an old version.
	resp, err := http.Get("http" + url[len("https"):])
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("%d", resp.StatusCode)
	}
	old := &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}}
	if c, err := old.DialContext(context.Background(), "tcp", url[len("https://"):]); err == nil {
		c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
