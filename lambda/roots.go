package main

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// rootBundles are the files that package crypto/x509 looks for, in its order, as far as a function can have them. The
// first that can be read counts. provided.al2023 has the second.
var rootBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}

// nowhere is a folder that does not exist.
const nowhere = "/nonexistent"

// readRootsOnce saves two thirds of the work of the first HTTPS call. Beside the bundle of root certificates,
// crypto/x509 reads every file in /etc/ssl/certs and in /etc/pki/tls/certs. On Amazon Linux 2023 these are the same
// bundle again, so that it is parsed up to three times. Where there is a bundle, SSL_CERT_DIR is set to no folder.
//
// Nothing is changed where the environment names the folders to read (SSL_CERT_DIR) or the roots to trust
// (AWS_CA_BUNDLE), nor where there is no bundle or no certificate in it: then the folders are all there is.
func readRootsOnce(getenv func(string) string, readHead func(path string) ([]byte, error),
	setenv func(name, value string) error,
) {
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

// readHead returns the first 8 kB of a file, which hold a certificate if it is a bundle. Reading all of it would take a
// tenth of the time of a start.
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
