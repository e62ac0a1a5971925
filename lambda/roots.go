package main

import "os"

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
// (AWS_CA_BUNDLE), nor where there is no bundle or an empty one: then the folders are all there is.
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
				_ = setenv("SSL_CERT_DIR", nowhere) // if it cannot be set, the first call takes longer
			}
			return
		}
	}
}
