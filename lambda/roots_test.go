package main

import (
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"poolkeeper/lambda/cognitotest"
)

func TestReadRootsOnce(t *testing.T) {
	t.Parallel()
	const (
		amazon = "/etc/pki/tls/certs/ca-bundle.crt"
		debian = "/etc/ssl/certs/ca-certificates.crt"
		bundle = "# roots\n-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
	)
	for name, c := range map[string]struct {
		environment map[string]string
		files       map[string]string
		want        string // SSL_CERT_DIR afterwards
		reason      string
	}{
		"Amazon Linux": {nil, map[string]string{amazon: bundle}, nowhere, "the bundle holds what the folders hold"},
		"Debian":       {nil, map[string]string{debian: bundle}, nowhere, "the same"},
		"both":         {nil, map[string]string{debian: bundle, amazon: ""}, nowhere, "the first counts"},
		"no bundle":    {nil, nil, "", "the folders are all there is"},
		"empty bundle": {nil, map[string]string{amazon: ""}, "", "the folders are all there is"},
		"first empty":  {nil, map[string]string{debian: "", amazon: bundle}, "", "crypto/x509 reads no second bundle"},
		"named bundle": {map[string]string{"SSL_CERT_FILE": "/own.pem"}, map[string]string{"/own.pem": bundle}, nowhere,
			"it counts in place of the system's"},
		"named, not there": {map[string]string{"SSL_CERT_FILE": "/own.pem"}, map[string]string{amazon: bundle}, "",
			"crypto/x509 does not read the system's bundle then"},
		"named folders": {map[string]string{"SSL_CERT_DIR": "/own"}, map[string]string{amazon: bundle}, "/own",
			"somebody has said which folders to read"},
		"named roots": {map[string]string{"AWS_CA_BUNDLE": "/own.pem"}, map[string]string{amazon: bundle}, "",
			"the system's roots are not read at all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment := map[string]string{}
			maps.Copy(environment, c.environment)
			stat := func(path string) (os.FileInfo, error) {
				text, ok := c.files[path]
				if !ok {
					return nil, os.ErrNotExist
				}
				return fs.Stat(fstest.MapFS{"a": {Data: []byte(text)}}, "a")
			}
			readRootsOnce(func(name string) string { return environment[name] }, stat, func(name, value string) error {
				environment[name] = value
				return nil
			})
			if got := environment["SSL_CERT_DIR"]; got != c.want {
				t.Errorf("SSL_CERT_DIR is %q, want %q: %s", got, c.want, c.reason)
			}
		})
	}
}

// TestBootstrapTrustsTheBundle runs the built function against a server whose root certificate stands in one place
// only: in the bundle, in the folders that are named, or nowhere.
func TestBootstrapTrustsTheBundle(t *testing.T) {
	t.Parallel()
	fake := cognitotest.New(cognitotest.Contract)
	fake.PutRich("eu-west-1_AbCdEf123")
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused handshake is what one case is about
	server.StartTLS()
	t.Cleanup(server.Close)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	folder := t.TempDir()
	has, lacks := filepath.Join(folder, "root.pem"), os.DevNull
	if err := os.WriteFile(has, root, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		environment []string
		trusted     bool
	}{
		"in the bundle only":             {[]string{"SSL_CERT_FILE=" + has}, true},
		"in a folder that is named only": {[]string{"SSL_CERT_FILE=" + lacks, "SSL_CERT_DIR=" + folder}, true},
		"in AWS_CA_BUNDLE only":          {[]string{"SSL_CERT_FILE=" + lacks, "AWS_CA_BUNDLE=" + has}, true},
		"nowhere":                        {[]string{"SSL_CERT_FILE=" + lacks}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, bootstrap, append(c.environment, ofCognito(server.URL))...)
			answer := f.invoke(t, payload(t, "update-user-pool"))
			if answer.IsError == c.trusted {
				t.Errorf("the function answered %s", answer.Payload)
			}
		})
	}
}
