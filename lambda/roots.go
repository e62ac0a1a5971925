package main

import "os"

// rootBundles are the files that crypto/x509 looks for, in its order, if a function can have them. The first readable
// one is used. provided.al2023 has the second.
var rootBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}

const nowhere = "/nonexistent"

// readRootsOnce saves two thirds of the work of the first HTTPS call. In addition to the bundle of root certificates,
// crypto/x509 reads every file in /etc/ssl/certs and /etc/pki/tls/certs. On Amazon Linux 2023 these are the same
// bundle, so it is parsed up to three times. If there is a bundle, readRootsOnce sets SSL_CERT_DIR to a missing
// directory.
//
// Nothing is changed if the environment sets the directories (SSL_CERT_DIR) or the root certificates (AWS_CA_BUNDLE),
// or if the bundle is missing or empty: then the directories are needed.
func readRootsOnce(getenv func(string) string, stat func(string) (os.FileInfo, error), setenv func(_, _ string) error) {
	if getenv("SSL_CERT_DIR") != "" || getenv("AWS_CA_BUNDLE") != "" {
		return
	}
	bundles := rootBundles
	if named := getenv("SSL_CERT_FILE"); named != "" {
		bundles = []string{named}
	}
	for _, path := range bundles {
		if file, err := stat(path); err == nil {
			if file.Size() > 0 {
				_ = setenv("SSL_CERT_DIR", nowhere) // if it cannot be set, the first call is only slower
			}
			return
		}
	}
}
