package main

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// rootBundles are the files that package crypto/x509 looks for, in its order, as far as a function can have them: the first that can be read is the one that counts.
// provided.al2023 has the second.
var rootBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}

// nowhere is a folder that does not exist.
const nowhere = "/nonexistent"

// readRootsOnce spares the first HTTPS call two thirds of its work. Beside the bundle of root certificates, crypto/x509 reads every file in /etc/ssl/certs and in
// /etc/pki/tls/certs, and on Amazon Linux 2023 what lies there is the same bundle again, so that it is parsed up to three times. With the bundle at hand, the folders are
// named away.
//
// Nothing is changed where somebody has said which folders to read (SSL_CERT_DIR) or which roots to trust (AWS_CA_BUNDLE), nor where there is no bundle or no certificate
// in it: then the folders are all there is.
func readRootsOnce(getenv func(string) string, readHead func(path string) ([]byte, error), setenv func(name, value string) error) {
	if getenv("SSL_CERT_DIR") != "" || getenv("AWS_CA_BUNDLE") != "" {
		return
	}
	bundles := rootBundles
	if named := getenv("SSL_CERT_FILE"); named != "" {
		bundles = []string{named}
	}
	for _, path := range bundles {
		head, err := readHead(path)
		if err != nil {
			continue
		}
		if !bytes.Contains(head, []byte("-----BEGIN CERTIFICATE-----")) {
			return
		}
		_ = setenv("SSL_CERT_DIR", nowhere) // if it cannot be set, the first call takes longer
		return
	}
}

// readHead returns the first 8 kB of a file, which hold a certificate if it is a bundle. Reading all of it would take as long as a tenth of the start.
func readHead(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(file, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // the file is shorter
	}
	return head[:n], err
}
