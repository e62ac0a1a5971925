package coldstart

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"poolkeeper/lambda/internal/speed"
)

// systemRoots is how many root certificates a bundle of the system has, more or less.
const systemRoots = 144

// BenchmarkFirstHTTPS reports the first event after a start, which opens a connection and reads the root certificates,
// of that of plain POSTs with the certificates read once. For comparison it reports the same with two folders read as
// well that hold the bundle again, as they do on Amazon Linux 2023.
func BenchmarkFirstHTTPS(b *testing.B) {
	own, plain, event := build(b, "", keeper), build(b, "", raw), update(b)
	answers, trips := record(b, own, compliant)
	bundle, certificate := roots(b)
	server := httptest.NewUnstartedServer(answers)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	b.Cleanup(server.Close)
	endpoint, file := "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+server.URL, "SSL_CERT_FILE="+bundle
	folders := "SSL_CERT_DIR=" + folder(b, bundle) + ":" + folder(b, bundle)
	var first, read ratios
	for b.Loop() {
		for range rounds {
			base := once(b, plain, event, "posted", "URL="+server.URL, "TRIPS="+trips, file, "SSL_CERT_DIR=/nonexistent")
			first.add(once(b, own, event, compliant.outcome, endpoint, file), base)
			read.add(once(b, own, event, compliant.outcome, endpoint, file, folders), base)
		}
	}
	b.ReportMetric(first.median(), speed.FirstHTTPS)
	b.ReportMetric(read.median(), speed.Folders)
}

// once starts a function and returns the time of its first event.
func once(b *testing.B, binary string, event []byte, outcome string, environment ...string) time.Duration {
	b.Helper()
	p := startProcess(b, []string{binary}, environment...)
	defer p.stop()
	return p.invoke(b, event, outcome)
}

// folder returns a new folder that leads to the bundle.
func folder(b *testing.B, bundle string) string {
	b.Helper()
	dir := b.TempDir()
	if err := os.Symlink(bundle, filepath.Join(dir, "bundle.pem")); err != nil {
		b.Fatal(err)
	}
	return dir
}

// roots writes a bundle of as many certificates as a system has, of which the last is that of the server that is
// returned.
func roots(b *testing.B) (bundle string, server tls.Certificate) {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	var content []byte
	for n := range systemRoots {
		certificate := &x509.Certificate{SerialNumber: big.NewInt(int64(n + 1)),
			Subject:   pkix.Name{CommonName: fmt.Sprintf("root %d", n)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true,
			BasicConstraintsValid: true,
			KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
		der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
		if err != nil {
			b.Fatal(err)
		}
		content = append(content, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		server = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	bundle = filepath.Join(b.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, content, 0o600); err != nil {
		b.Fatal(err)
	}
	return bundle, server
}
