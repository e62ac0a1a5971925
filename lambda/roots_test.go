package main

import (
	"encoding/pem"
	"io"
	"io/fs"
	"log"
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
		bundle = "# roots"
	)
	for why, c := range map[string]struct {
		environment, files variables
		want               string // SSL_CERT_DIR afterwards
	}{
		"Amazon Linux's bundle holds what the folders hold": {nil, variables{amazon: bundle}, nowhere},
		"Debian's bundle holds what the folders hold":       {nil, variables{debian: bundle}, nowhere},
		"the first of two bundles counts":                   {nil, variables{debian: bundle, amazon: ""}, nowhere},
		"without a bundle the folders are all there is":     {nil, nil, ""},
		"an empty bundle is none":                           {nil, variables{amazon: ""}, ""},
		"crypto/x509 reads no second bundle":                {nil, variables{debian: "", amazon: bundle}, ""},
		"a named bundle counts in place of the system's": {variables{"SSL_CERT_FILE": "/own.pem"},
			variables{"/own.pem": bundle}, nowhere},
		"crypto/x509 does not read the system's bundle then": {variables{"SSL_CERT_FILE": "/own.pem"},
			variables{amazon: bundle}, ""},
		"somebody has said which folders to read": {variables{"SSL_CERT_DIR": "/own"}, variables{amazon: bundle}, "/own"},
		"the system's roots are not read at all":  {variables{"AWS_CA_BUNDLE": "/own.pem"}, variables{amazon: bundle}, ""},
	} {
		got := c.environment["SSL_CERT_DIR"]
		readRootsOnce(func(name string) string { return c.environment[name] }, func(path string) (os.FileInfo, error) {
			text, ok := c.files[path]
			if !ok {
				return nil, os.ErrNotExist
			}
			return fs.Stat(fstest.MapFS{"a": {Data: []byte(text)}}, "a")
		}, func(_, value string) error {
			got = value
			return nil
		})
		if got != c.want {
			t.Errorf("%s: SSL_CERT_DIR is %q, want %q", why, got, c.want)
		}
	}
}

// TestBootstrapTrustsTheBundle runs the built function against a server whose root certificate stands in one place
// only: in the bundle, in the folders that are named, or nowhere.
func TestBootstrapTrustsTheBundle(t *testing.T) {
	t.Parallel()
	fake := cognitotest.New(cognitotest.Contract)
	fake.PutRich(poolID)
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused handshake is what one case is about
	server.StartTLS()
	t.Cleanup(server.Close)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	has, lacks := written(t, string(root)), os.DevNull
	for name, c := range map[string]struct {
		environment []string
		trusted     bool
	}{
		"in the bundle only":             {[]string{"SSL_CERT_FILE=" + has}, true},
		"in a folder that is named only": {[]string{"SSL_CERT_FILE=" + lacks, "SSL_CERT_DIR=" + filepath.Dir(has)}, true},
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
